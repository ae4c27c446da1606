"""Batches in Redis."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from farm import keys
from farm.batch_schema import BatchView
from farm.errors import NotFoundError
from farm.limits import quota_text
from farm.owners import LOCAL, Owner
from farm.redis import lua, redis_errors
from farm.schema import ErrorView, ResultFormat
from farm.states import TERMINAL, JobState
from farm.store import JOB_ID
from farm.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from farm.new_job import NewJob
    from farm.redis import TextRedis

FAILED = "failed:"
FETCHED_LIFE_S = 7 * 86_400


class BatchInput(BaseModel):
    """A picture of a batch: by its SHA-256, its upload, its URL, or its key in the object store."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sha256: str | None = None
    upload: str | None = None
    url: str | None = None
    key: str | None = None
    name: str | None = None


class BatchSpec(BaseModel):
    """What a batch is asked to do to each of its inputs; fixed when it is created."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    owner: Owner = LOCAL
    params: dict[str, Any] = {}
    sweep: Sweep = Field(default_factory=Sweep)
    guides: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    """SHA-256s of pictures that all jobs share."""
    zoom: dict[str, Any] | None = None
    """How all jobs zoom; None where they make pictures."""
    format: ResultFormat = "png"
    name: str | None = None
    tags: tuple[str, ...] = ()
    expires_in: int | None = None
    needs: tuple[str, ...] = ()
    priority: int = 0
    fresh: bool = False
    """Whether to render even what was rendered before."""


class Quota(NamedTuple):
    """The pixel-steps that an owner may use today, and where they are counted; None without limit."""

    key: str
    limit: int | None


class BatchRecord(BaseModel):
    """A batch as it stands in the store; `cursor` tells how many of its jobs were made."""

    model_config = ConfigDict(frozen=True)

    id: str
    spec: BatchSpec
    total: int
    cursor: int
    canceled: bool
    created_at: datetime
    counts: dict[str, int]

    def view(self) -> BatchView:
        """Return the batch as the api shows it; jobs not made yet count as queued."""
        counts = Counter({state: self.counts.get(state, 0) for state in JobState})
        counts[JobState.CANCELED if self.canceled else JobState.QUEUED] += self.total - self.cursor
        done = sum(counts[state] for state in TERMINAL) + self.counts.get("deleted", 0)
        own = f"/v1/batches/{self.id}"
        return BatchView(
            id=self.id,
            owner=self.spec.owner,
            name=self.spec.name,
            state="finished" if done >= self.total else "active",
            total=self.total,
            made=self.cursor,
            counts=dict(counts),
            failures={code.removeprefix(FAILED): n for code, n in self.counts.items() if code.startswith(FAILED) and n},
            fraction=done / self.total,
            eta_s=self._eta_s(done),
            params=self.spec.params,
            sweep=self.spec.sweep.model_dump(exclude_defaults=True),
            created_at=self.created_at,
            links={
                "self": own,
                "jobs": f"/v1/jobs?batch={self.id}",
                "results": f"{own}/results.jsonl",
                "zip": f"{own}/results.zip",
            },
        )

    def _eta_s(self, done: int) -> float | None:
        if not done or done >= self.total:
            return None
        elapsed = (datetime.now(UTC) - self.created_at).total_seconds()
        return round(elapsed / done * (self.total - done), 1)


class BatchStore:
    """The truth about every batch."""

    def __init__(self, redis: TextRedis) -> None:
        self.redis = redis
        self._create = redis.register_script(lua("create_batch"))
        self._expand = redis.register_script(lua("lanes", "notes", "enter", "expand"))
        self._cancel = redis.register_script(lua("notes", "cancel_batch"))

    @redis_errors()
    def create(self, batch_id: str, spec: BatchSpec, inputs: Sequence[BatchInput]) -> BatchRecord:
        """Store a new batch, whole or not at all; the same id again changes nothing."""
        stood_in = (keys.BATCHES, keys.batches_of(spec.owner), keys.EXPANDING)
        total = len(inputs) * len(spec.sweep.axes())
        self._create(
            keys=[keys.batch(batch_id), keys.batch_inputs(batch_id), *stood_in],
            args=[
                batch_id,
                spec.owner,
                spec.model_dump_json(),
                total,
                *(item.model_dump_json(exclude_none=True) for item in inputs),
            ],
        )
        return self.get(batch_id)

    @redis_errors()
    def fetched(self, batch_id: str, url: str) -> str | None:
        """Return the SHA-256 of what was fetched from a URL for the batch; None where nothing was."""
        found: str | None = self.redis.hget(keys.batch_fetched(batch_id), url)
        return found

    @redis_errors()
    def note_fetched(self, batch_id: str, url: str, sha256: str) -> None:
        """Note what was fetched, so that all of the batch's jobs on this URL dream on the same picture."""
        with self.redis.pipeline(transaction=True) as pipe:
            pipe.hset(keys.batch_fetched(batch_id), url, sha256)
            pipe.expire(keys.batch_fetched(batch_id), FETCHED_LIFE_S)
            pipe.execute()

    @redis_errors()
    def get(self, batch_id: str) -> BatchRecord:
        """Return a batch.

        Raises
        ------
        NotFoundError
            There is none with this id.
        """
        if not JOB_ID.fullmatch(batch_id):
            raise _missing(batch_id)
        return self._many([batch_id])[0]

    @redis_errors()
    def check_owner(self, batch_id: str, owner: str) -> None:
        """Raise `NotFoundError` unless there is such a batch, and it is this owner's."""
        if not JOB_ID.fullmatch(batch_id) or self.redis.hget(keys.batch(batch_id), "owner") != owner:
            raise _missing(batch_id)

    @redis_errors()
    def page(self, *, limit: int, before: str | None, owner: str | None = None) -> tuple[list[BatchRecord], str | None]:
        """Return up to `limit` batches older than the id `before`, newest first, and the id to go on from."""
        highest = f"({before}" if before else "+"
        index = keys.batches_of(owner) if owner else keys.BATCHES
        ids = self.redis.zrange(index, highest, "-", desc=True, bylex=True, offset=0, num=limit + 1)
        return self._many(ids[:limit]), ids[limit - 1] if len(ids) > limit else None

    @redis_errors()
    def inputs(self, batch_id: str, first: int, last: int) -> list[BatchInput]:
        """Return the inputs from `first` to `last`, both included."""
        texts = self.redis.lrange(keys.batch_inputs(batch_id), first, last)
        return [BatchInput.model_validate_json(text) for text in texts]

    @redis_errors()
    def expand(self, batch: BatchRecord, jobs: list[NewJob], quota: Quota) -> int:
        """Create the batch's next jobs and move its cursor; return how many are queued.

        None are when somebody else was faster, or it is canceled. Jobs that exceed the quota have failed.
        """
        over = ErrorView(code="quota_exceeded", message=f"{quota_text(batch.spec.owner, quota.limit)} Retry it later.")
        answer = self._expand(
            keys=[keys.batch(batch.id), quota.key],
            args=[
                batch.cursor,
                json.dumps([job.to_dict() for job in jobs]),
                "" if quota.limit is None else quota.limit,
                over.model_dump_json(),
            ],
        )
        return int(answer)

    @redis_errors()
    def expanding(self) -> list[str]:
        """Return the ids of batches whose jobs were not all made yet, oldest first."""
        found: list[str] = self.redis.zrange(keys.EXPANDING, 0, -1)
        return found

    @redis_errors()
    def mark_expanded(self, batch_id: str) -> None:
        """Note that all jobs of the batch were made."""
        self.redis.zrem(keys.EXPANDING, batch_id)

    @redis_errors()
    def mark_canceled(self, batch_id: str) -> None:
        """Note that no more jobs are to be made; from here on none is."""
        self.get(batch_id)
        self._cancel(keys=[keys.batch(batch_id), keys.EXPANDING], args=[batch_id])

    @redis_errors()
    def job_ids(self, batch_id: str, chunk: int) -> Iterator[list[str]]:
        """Return the ids of the jobs that were made, in order, `chunk` at a time."""
        lowest = "-"
        while ids := self.redis.zrange(keys.batch_jobs(batch_id), lowest, "+", bylex=True, offset=0, num=chunk):
            yield ids
            lowest = f"({ids[-1]}"

    @redis_errors()
    def states(self, batch_id: str) -> dict[str, JobState]:
        """Return the state of each job that was made and not deleted, by its id."""
        with self.redis.pipeline(transaction=False) as pipe:
            for state in JobState:
                pipe.zinter([keys.batch_jobs(batch_id), keys.by_state(state)])
            found = pipe.execute()
        return {job_id: state for state, ids in zip(JobState, found, strict=True) for job_id in ids}

    @redis_errors()
    def failed_ids(self, batch_id: str) -> list[str]:
        """Return the ids of the batch's failed jobs."""
        self.get(batch_id)
        found: list[str] = self.redis.zinter([keys.batch_jobs(batch_id), keys.by_state(JobState.FAILED)])
        return found

    def _many(self, batch_ids: list[str]) -> list[BatchRecord]:
        with self.redis.pipeline(transaction=False) as pipe:
            for batch_id in batch_ids:
                pipe.hgetall(keys.batch(batch_id))
                pipe.hgetall(keys.batch_counts(batch_id))
            found = pipe.execute()
        return [_record(i, *pair) for i, pair in zip(batch_ids, zip(found[::2], found[1::2], strict=True), strict=True)]


def _record(batch_id: str, fields: Mapping[str, str], counts: Mapping[str, str]) -> BatchRecord:
    if not fields:
        raise _missing(batch_id)
    return BatchRecord(
        id=batch_id,
        spec=BatchSpec.model_validate_json(fields["spec"]),
        total=int(fields["total"]),
        cursor=int(fields["cursor"]),
        canceled="canceled" in fields,
        created_at=datetime.fromtimestamp(int(fields["created_ms"]) / 1000, UTC),
        counts={name: int(count) for name, count in counts.items()},
    )


def _missing(batch_id: str) -> NotFoundError:
    return NotFoundError(f"There is no batch {batch_id!r}. GET /v1/batches lists those there are.")
