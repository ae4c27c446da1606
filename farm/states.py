"""The states of a job and the one table of its transitions."""

from __future__ import annotations

from enum import StrEnum


class JobState(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"


class Transition(StrEnum):
    """What can happen to a job."""

    CLAIM = "claim"
    SUCCEED = "succeed"
    FAIL = "fail"
    HAND_BACK = "hand_back"
    LOSE = "lose"
    EXHAUST = "exhaust"
    CANCEL = "cancel"
    RETRY = "retry"
    EXPIRE = "expire"


TRANSITIONS: dict[Transition, tuple[frozenset[JobState], JobState]] = {
    Transition.CLAIM: (frozenset({JobState.QUEUED}), JobState.RUNNING),
    Transition.SUCCEED: (frozenset({JobState.RUNNING}), JobState.SUCCEEDED),
    Transition.FAIL: (frozenset({JobState.RUNNING}), JobState.FAILED),
    Transition.HAND_BACK: (frozenset({JobState.RUNNING}), JobState.QUEUED),
    Transition.LOSE: (frozenset({JobState.RUNNING}), JobState.QUEUED),
    Transition.EXHAUST: (frozenset({JobState.RUNNING}), JobState.FAILED),
    Transition.CANCEL: (frozenset({JobState.QUEUED, JobState.RUNNING}), JobState.CANCELED),
    Transition.RETRY: (frozenset({JobState.FAILED, JobState.CANCELED, JobState.EXPIRED}), JobState.QUEUED),
    Transition.EXPIRE: (frozenset({JobState.SUCCEEDED}), JobState.EXPIRED),
}
"""Transition → the states it may start from, and the state it leads to."""

ACTIVE = frozenset({JobState.QUEUED, JobState.RUNNING})
TERMINAL = frozenset(JobState) - ACTIVE
