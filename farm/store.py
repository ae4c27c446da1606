"""Jobs in Redis. Every change is one atomic step, guarded by the table of transitions and by the attempt's fence."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from farm import keys
from farm.change import Applied, Change, Outcome
from farm.errors import NotFoundError
from farm.new_job import NewJob
from farm.owners import LOCAL
from farm.record import JobRecord
from farm.redis import lua, redis_errors
from farm.states import JobState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from farm.record import JobSpec
    from farm.redis import TextRedis
    from farm.schema import ProgressView

JOB_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
"""A ULID; no other text is looked up, so that no id reaches another key."""

LEAST_AT_ONCE = 50
"""Jobs read at once while a filter looks for matches."""


class Hold(NamedTuple):
    """What a worker wants to know between two steps."""

    held: bool
    draining: bool


class JobStore:
    """The truth about every job."""

    def __init__(self, redis: TextRedis) -> None:
        self.redis = redis
        self._apply = redis.register_script(lua("lanes", "notes", "results", "blame", "change", "apply"))
        self._create = redis.register_script(lua("lanes", "notes", "enter", "create"))
        self._delete = redis.register_script(lua("results", "delete"))
        self._renew = redis.register_script(lua("renew"))

    @redis_errors()
    def create(self, job_id: str, spec: JobSpec, progress: ProgressView) -> JobRecord:
        """Store a new job as queued; the same id again changes nothing."""
        return self.add(NewJob(job_id, JobState.QUEUED, spec, progress))

    @redis_errors()
    def add(self, job: NewJob) -> JobRecord:
        """Store a new job in the state that it has; the same id again changes nothing."""
        self._create(keys=[keys.job(job.id)], args=[json.dumps(job.to_dict())])
        return self.get(job.id)

    @redis_errors()
    def get(self, job_id: str) -> JobRecord:
        """Return a job.

        Raises
        ------
        NotFoundError
            There is none with this id.
        """
        fields = self.redis.hgetall(keys.job(job_id)) if JOB_ID.fullmatch(job_id) else None
        if not fields:
            raise _missing(job_id)
        return JobRecord.from_hash(job_id, fields)

    def check_owner(self, job_id: str, owner: str) -> None:
        """Raise `NotFoundError` unless there is such a job, and it is this owner's."""
        if not self.belongs(job_id, owner):
            raise _missing(job_id)

    @redis_errors()
    def belongs(self, job_id: str, owner: str) -> bool:
        """Tell whether there is such a job, and it is this owner's."""
        return bool(JOB_ID.fullmatch(job_id) and self.redis.hget(keys.job(job_id), "owner") == owner)

    @redis_errors()
    def apply(self, change: Change, *, worker: str = "") -> Applied:
        """Apply one change whole, or not at all; `worker` is asked whether it is draining."""
        outcome, state, seq, attempt, draining = self._send(change, worker)
        return Applied(Outcome(outcome), JobState(state) if state else None, int(seq), int(attempt), bool(draining))

    @redis_errors()
    def apply_all(self, changes: list[Change]) -> None:
        """Apply changes of different jobs in one round trip, each by itself; those that don't fit are left out."""
        with self.redis.pipeline(transaction=False) as pipe:
            for wanted in changes:
                self._send(wanted, "", client=pipe)
            pipe.execute()

    @redis_errors()
    def renew(self, job_id: str, *, token: str, lease_ms: int) -> bool:
        """Lengthen a lease; False when it is no longer held."""
        return bool(self._renew(keys=[keys.lease(job_id)], args=[token, lease_ms]))

    @redis_errors()
    def hold(self, job_id: str, *, token: str, worker: str) -> Hold:
        """Tell whether an attempt holds its job still, and whether its worker is draining; writes nothing."""
        with self.redis.pipeline(transaction=False) as pipe:
            pipe.get(keys.lease(job_id))
            pipe.exists(keys.draining(worker))
            holder, draining = pipe.execute()
        return Hold(holder == token, bool(draining))

    @redis_errors()
    def delete(self, job: JobRecord) -> Outcome:
        """Remove a job that has come to rest."""
        answer = self._delete(
            keys=[keys.job(job.id), keys.events(job.id), keys.lease(job.id), keys.UNTIDY], args=[job.id, *job.spec.tags]
        )
        return Outcome.WRONG_STATE if answer == "active" else Outcome(answer)

    @redis_errors()
    def page(
        self,
        *,
        state: JobState | None,
        tag: str | None,
        limit: int,
        before: str | None,
        batch: str | None = None,
        owner: str | None = None,
        oldest_first: bool = False,
    ) -> tuple[list[JobRecord], str | None]:
        """Return up to `limit` jobs older than the id `before`, newest first, and the id to go on from.

        The other way round `before` is the id that they are newer than.
        """
        found: list[JobRecord] = []
        index = self._index(state, tag, batch, owner)
        walk = self._oldest_first if oldest_first else self._newest_first
        for job in walk(index, before, at_once=max(LEAST_AT_ONCE, limit + 1)):
            if _matches(job, state, tag, batch, owner):
                if len(found) == limit:
                    return found, found[-1].id
                found.append(job)
        return found, None

    @redis_errors()
    def lapsed(self) -> list[JobRecord]:
        """Return the running jobs whose lease has run out."""
        running = self.redis.zrange(keys.by_state(JobState.RUNNING), 0, -1)
        with self.redis.pipeline(transaction=False) as pipe:
            for job_id in running:
                pipe.exists(keys.lease(job_id))
            held = pipe.execute()
        return self._many([job_id for job_id, there in zip(running, held, strict=True) if not there])

    @redis_errors()
    def untidy(self, milliseconds_ago: int, limit: int) -> list[str]:
        """Return the ids of up to `limit` jobs that ended longer ago than that and were not tidied up after."""
        latest = self._now_ms() - milliseconds_ago
        ids: list[str] = self.redis.zrange(keys.UNTIDY, "-inf", latest, byscore=True, offset=0, num=limit)
        return ids

    @redis_errors()
    def expiring(self, limit: int) -> list[str]:
        """Return the ids of up to `limit` jobs whose results were kept for as long as was asked."""
        ids: list[str] = self.redis.zrange(keys.EXPIRING, "-inf", self._now_ms(), byscore=True, offset=0, num=limit)
        return ids

    @redis_errors()
    def mark_expired(self, job_id: str) -> None:
        """Note that nothing is left of a job's result."""
        self.redis.zrem(keys.EXPIRING, job_id)

    @redis_errors()
    def mark_tidy(self, job_id: str) -> None:
        """Note that nothing is left to tidy up after a job, and forget how it came to its end."""
        with self.redis.pipeline(transaction=True) as pipe:
            pipe.zrem(keys.UNTIDY, job_id)
            pipe.delete(keys.events(job_id))
            pipe.execute()

    @redis_errors()
    def check(self) -> None:
        """Raise unless Redis answers."""
        self.redis.ping()

    @redis_errors()
    def count(self, state: JobState) -> int:
        """Return how many jobs are in a state."""
        return int(self.redis.zcard(keys.by_state(state)))

    @redis_errors()
    def hold_lock(self, key: str, holder: str, *, life_ms: int) -> bool:
        """Take a lock or keep it; it only saves work, and nothing relies on its being exclusive."""
        if self.redis.set(key, holder, nx=True, px=life_ms):
            return True
        return self.redis.get(key) == holder and bool(self.redis.pexpire(key, life_ms))

    @redis_errors()
    def many(self, job_ids: list[str]) -> list[JobRecord]:
        """Return those of the jobs that there are."""
        return self._many(job_ids)

    def _send(self, change: Change, worker: str, **client: Any) -> Any:
        return self._apply(args=[change.model_dump_json(by_alias=True, exclude_none=True), worker], **client)

    def _index(self, state: JobState | None, tag: str | None, batch: str | None, owner: str | None) -> str:
        """Return the shortest index that holds every job that matches."""
        wanted = [keys.INDEX]
        wanted += [keys.by_state(state)] if state else []
        wanted += [keys.by_tag(tag)] if tag is not None else []
        wanted += [keys.batch_jobs(batch)] if batch is not None else []
        # Jobs that are older than owners stand in no owner's index; all of them are "local".
        wanted += [keys.by_owner(owner)] if owner not in {None, LOCAL} else []
        with self.redis.pipeline(transaction=False) as pipe:
            for index in wanted:
                pipe.zcard(index)
            return min(zip(pipe.execute(), wanted, strict=True))[1]

    def _now_ms(self) -> int:
        seconds, microseconds = self.redis.time()
        return int(seconds * 1000 + microseconds // 1000)

    def _newest_first(self, index: str, before: str | None, *, at_once: int) -> Iterator[JobRecord]:
        highest = f"({before}" if before else "+"
        while ids := self.redis.zrange(index, highest, "-", desc=True, bylex=True, offset=0, num=at_once):
            yield from self._many(ids)
            highest = f"({ids[-1]}"

    def _oldest_first(self, index: str, after: str | None, *, at_once: int) -> Iterator[JobRecord]:
        lowest = f"({after}" if after else "-"
        while ids := self.redis.zrange(index, lowest, "+", bylex=True, offset=0, num=at_once):
            yield from self._many(ids)
            lowest = f"({ids[-1]}"

    def _many(self, job_ids: list[str]) -> list[JobRecord]:
        with self.redis.pipeline(transaction=False) as pipe:
            for job_id in job_ids:
                pipe.hgetall(keys.job(job_id))
            hashes = pipe.execute()
        return [JobRecord.from_hash(job_id, fields) for job_id, fields in zip(job_ids, hashes, strict=True) if fields]


def _missing(job_id: str) -> NotFoundError:
    return NotFoundError(f"There is no job {job_id!r}. GET /v1/jobs lists those there are.")


def _matches(job: JobRecord, state: JobState | None, tag: str | None, batch: str | None, owner: str | None) -> bool:
    return (
        state in {None, job.state}
        and (tag is None or tag in job.spec.tags)
        and batch in {None, job.batch}
        and owner in {None, job.spec.owner}
    )
