"""One change of a job as data: what must hold before it, and what it writes. Applied by ``lua/apply.lua``."""

from __future__ import annotations

from enum import StrEnum
from secrets import token_hex
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from farm.states import TRANSITIONS, JobState, Transition

if TYPE_CHECKING:
    from collections.abc import Sequence


class Fence(NamedTuple):
    """What an attempt proves its right with: its number, and the token that its lease holds."""

    attempt: int
    token: str


class Change(BaseModel):
    """Guards and writes of one atomic step."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    op: str = Field(default_factory=lambda: token_hex(8))
    from_: list[JobState] = Field(serialization_alias="from")
    to: JobState | None = None
    attempt: int | None = None
    lease: Literal["held", "free", "any"] = "any"
    token: str | None = None
    lease_ms: int | None = None
    begins: str | None = None
    ends: Literal["succeeded", "failed", "canceled", "handed_back", "lost"] | None = None
    next_attempt: bool = False
    finishes: bool = False
    doubts: str | None = None
    """The code of an error that may be the worker's own fault."""
    shuns: str | None = None
    """The worker that leaves the job to others for a while."""
    set: dict[str, str | int] = {}
    unset: list[str] = []


class Outcome(StrEnum):
    """How a change went."""

    OK = "ok"
    MISSING = "missing"
    WRONG_STATE = "wrong_state"
    STALE = "stale"


class Applied(NamedTuple):
    """What the store answers to a change: how it went, and the job after it."""

    outcome: Outcome
    state: JobState | None
    seq: int
    attempt: int
    draining: bool


def _move(job_id: str, transition: Transition, **details: object) -> Change:
    sources, target = TRANSITIONS[transition]
    return Change.model_validate({"id": job_id, "from_": sorted(sources), "to": target, **details})


def claim(job_id: str, *, attempt: int | None, token: str, worker: str, lease_ms: int) -> Change:
    """Begin an attempt of a queued job."""
    return _move(job_id, Transition.CLAIM, attempt=attempt, lease="free", token=token, lease_ms=lease_ms, begins=worker)


def report(job_id: str, fence: Fence, fields: dict[str, str | int]) -> Change:
    """Write what a running attempt found out; the state stays."""
    return Change(
        id=job_id, from_=[JobState.RUNNING], attempt=fence.attempt, lease="held", token=fence.token, set=fields
    )


def succeed(
    job_id: str, fence: Fence, *, output: str, progress: str, notices: Sequence[str] = (), cache_key: str | None = None
) -> Change:
    """Commit the result, with what was done otherwise than asked, or decided by the picture.

    With a cache key it is served to later jobs of the same key.
    """
    return _move(
        job_id,
        Transition.SUCCEED,
        **_held(fence),
        ends="succeeded",
        finishes=True,
        set={
            "output": output,
            "progress": progress,
            **({"notices": "\n".join(notices)} if notices else {}),
            **({"cache_key": cache_key} if cache_key else {}),
        },
        unset=["checkpoint"],
    )


def fail(job_id: str, fence: Fence, *, error: str) -> Change:
    """End the job with an error that a new attempt would meet again."""
    return _move(job_id, Transition.FAIL, **_held(fence), ends="failed", finishes=True, set={"error": error})


def doubt(job_id: str, fence: Fence, *, worker: str, code: str) -> Change:
    """Leave a job that this worker failed to another one, which starts anew and tells whose fault it was."""
    return _move(
        job_id,
        Transition.HAND_BACK,
        **_held(fence),
        ends="failed",
        next_attempt=True,
        doubts=code,
        shuns=worker,
        unset=["checkpoint"],
    )


def hand_back(job_id: str, fence: Fence) -> Change:
    """Give a running job back to the queue; doesn't count as lost."""
    return _move(job_id, Transition.HAND_BACK, **_held(fence), ends="handed_back", next_attempt=True)


def lose(job_id: str, *, attempt: int) -> Change:
    """Take a job from a worker that let its lease lapse, for another to go on with."""
    return _move(job_id, Transition.LOSE, attempt=attempt, lease="free", ends="lost", next_attempt=True)


def exhaust(job_id: str, *, attempt: int, error: str) -> Change:
    """End a job that lost its worker too often."""
    return _move(
        job_id, Transition.EXHAUST, attempt=attempt, lease="free", ends="lost", finishes=True, set={"error": error}
    )


def cancel(job_id: str) -> Change:
    """End a job at its owner's wish; its worker finds the lease gone at its next step."""
    return _move(job_id, Transition.CANCEL, ends="canceled", finishes=True)


def expire(job_id: str) -> Change:
    """Note that a result is removed, as it was kept for as long as was asked."""
    return _move(job_id, Transition.EXPIRE, unset=["output", "previews", "cache_key"])


def retry(job_id: str, *, progress: str) -> Change:
    """Queue a finished job again, from the start."""
    return _move(
        job_id,
        Transition.RETRY,
        next_attempt=True,
        set={"lost": 0, "progress": progress},
        unset=["error", "output", "cached", "checkpoint", "previews", "losses", "started_ms", "finished_ms", "shunned"],
    )


def _held(fence: Fence) -> dict[str, object]:
    return {"attempt": fence.attempt, "lease": "held", "token": fence.token}
