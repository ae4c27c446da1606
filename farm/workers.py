"""The workers that are alive, each by a card in Redis that it keeps renewing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from farm import keys
from farm.errors import NotFoundError
from farm.redis import redis_errors
from farm.schema import WorkerView

if TYPE_CHECKING:
    from farm.redis import TextRedis

CARD_LIFE_S = 10
DRAINING_LIFE_S = 3600
STARTING = "starting"
"""What is shown as a worker's device until its child has loaded the engine and rendered a step."""

MARKS = (keys.draining, keys.leaving, keys.aside, keys.failures, keys.blamed)


class WorkerRegistry:
    """Cards of workers."""

    def __init__(self, redis: TextRedis) -> None:
        self.redis = redis

    @redis_errors()
    def begin(self, worker_id: str) -> None:
        """Take away what stands on the card of an earlier process of this name: that its engine is loaded, its job."""
        self.redis.delete(keys.worker(worker_id))

    @redis_errors()
    def beat(self, worker_id: str, card: dict[str, str | int]) -> None:
        """Say that the worker is alive, and who it is."""
        with self.redis.pipeline() as pipe:
            pipe.hset(keys.worker(worker_id), mapping={**card, "seen_at": datetime.now(UTC).isoformat()})
            pipe.expire(keys.worker(worker_id), CARD_LIFE_S)
            pipe.sadd(keys.WORKERS, worker_id)
            pipe.execute()

    @redis_errors()
    def note(self, worker_id: str, **fields: str) -> None:
        """Write on a card: the device, the job at hand."""
        with self.redis.pipeline() as pipe:
            pipe.hset(keys.worker(worker_id), mapping=fields)
            pipe.expire(keys.worker(worker_id), CARD_LIFE_S)
            pipe.execute()

    @redis_errors()
    def card(self, worker_id: str) -> dict[str, str]:
        """Return what stands on a worker's card; nothing where it has none."""
        return dict(self.redis.hgetall(keys.worker(worker_id)))

    @redis_errors()
    def drain(self, worker_id: str) -> None:
        """Ask a worker to hand its job back at its next step."""
        self.redis.set(keys.draining(worker_id), 1, ex=DRAINING_LIFE_S)

    @redis_errors()
    def drain_alive(self, worker_id: str) -> WorkerView:
        """Ask a worker that is alive to hand its job back and end.

        Raises
        ------
        NotFoundError
            None of this name is alive.
        """
        found = self._alive(worker_id)
        self.redis.set(keys.leaving(worker_id), 1, ex=DRAINING_LIFE_S)  # first: from here on it takes no more
        self.redis.set(keys.draining(worker_id), 1, ex=DRAINING_LIFE_S)
        return found.model_copy(update={"state": "draining"})

    @redis_errors()
    def bring_back(self, worker_id: str) -> WorkerView:
        """Give a worker jobs again that was set aside; what it failed until now is forgotten.

        Raises
        ------
        NotFoundError
            None of this name is alive.
        """
        found = self._alive(worker_id)
        self.redis.delete(keys.aside(worker_id), keys.failures(worker_id), keys.blamed(worker_id))
        return found.model_copy(update={"state": "busy" if found.job else "idle", "why": None})

    @redis_errors()
    def is_aside(self, worker_id: str) -> bool:
        """Tell whether a worker is set aside."""
        return bool(self.redis.exists(keys.aside(worker_id)))

    @redis_errors()
    def is_to_leave(self, worker_id: str) -> bool:
        """Tell whether a worker was asked to end."""
        return bool(self.redis.exists(keys.leaving(worker_id)))

    @redis_errors()
    def leave(self, worker_id: str) -> None:
        """Take the card away."""
        with self.redis.pipeline() as pipe:
            pipe.srem(keys.WORKERS, worker_id)
            pipe.delete(keys.worker(worker_id), *(name(worker_id) for name in MARKS))
            pipe.execute()

    @redis_errors()
    def list(self) -> list[WorkerView]:
        """Return the workers seen lately, longest at work first; those that vanished are forgotten."""
        worker_ids = sorted(self.redis.smembers(keys.WORKERS))
        with self.redis.pipeline(transaction=False) as pipe:
            for worker_id in worker_ids:
                pipe.hgetall(keys.worker(worker_id))
                pipe.exists(keys.draining(worker_id), keys.leaving(worker_id))
                pipe.get(keys.aside(worker_id))
            answers = pipe.execute()
        cards = dict(zip(worker_ids, zip(answers[::3], answers[1::3], answers[2::3], strict=True), strict=True))
        gone = [worker_id for worker_id, (card, _, _) in cards.items() if "started_at" not in card]
        if gone:
            self.redis.srem(keys.WORKERS, *gone)
        views = [
            _view(worker_id, card, draining=bool(mark), aside=aside)
            for worker_id, (card, mark, aside) in cards.items()
            if worker_id not in gone
        ]
        return sorted(views, key=lambda view: view.started_at)

    def _alive(self, worker_id: str) -> WorkerView:
        for worker in self.list():
            if worker.id == worker_id:
                return worker
        raise NotFoundError(f"There is no worker {worker_id!r}. GET /v1/workers lists those that are alive.")


def _view(worker_id: str, card: dict[str, str], *, draining: bool, aside: str | None) -> WorkerView:
    job = card.get("job") or None
    state = _state(job, draining=draining, aside=bool(aside))
    own = {"id": worker_id, "job": job, "state": state, "why": aside}
    tags = [tag for tag in card.get("tags", "").split(",") if tag]
    return WorkerView.model_validate({"device": STARTING, **card, "tags": tags, **own})


def _state(job: str | None, *, draining: bool, aside: bool) -> str:
    if draining:
        return "draining"
    if aside:
        return "set_aside"
    return "busy" if job else "idle"
