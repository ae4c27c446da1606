"""Batches as the HTTP api shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from farm.owners import LOCAL, Owner
from farm.schema import View


class BatchView(View):
    """A batch of jobs."""

    id: str
    owner: Owner = LOCAL
    name: str | None = None
    state: Annotated[Literal["active", "finished"], Field(description="Finished: every job has ended.")]
    total: Annotated[int, Field(description="Jobs in all.")]
    made: Annotated[int, Field(description="Jobs that have a record of their own by now.")]
    counts: Annotated[dict[str, int], Field(description="Jobs by state; those not made yet are queued.")]
    failures: Annotated[dict[str, int], Field(description="Failed jobs by error code.")]
    fraction: Annotated[float, Field(ge=0, le=1, description="Share of the jobs that have ended.")]
    eta_s: Annotated[float | None, Field(description="Seconds to go, by the pace so far.")] = None
    params: Annotated[dict[str, Any], Field(description="What all jobs share, as given.")]
    sweep: Annotated[dict[str, Any], Field(description="What they differ in, as given.")]
    created_at: datetime
    links: Annotated[dict[str, str], Field(default_factory=dict, description="Where to go from here, as paths.")]


class BatchStates(View):
    """Every job of a batch, in a letter."""

    states: Annotated[
        str,
        Field(
            description="A letter for each job in the order of their numbers: q(ueued), r(unning), s(ucceeded), "
            "f(ailed), c(anceled), e(xpired), or d(eleted). As ULIDs are numbers, a job's id is the batch's, plus 1, "
            "plus its number, counted from 0."
        ),
    ]


class BatchCost(View):
    """What a batch's jobs take together; a large batch is judged by a sample of its jobs."""

    pixel_steps: Annotated[int, Field(description="Pixels, each as often as it is moved.")] = 0
    seconds: Annotated[float | None, Field(description="Of one worker; null where none has dreamt so.")] = None
    cost: Annotated[float | None, Field(description="By the price of a worker's hour; null where none is set.")] = None


class BatchPlan(BatchCost):
    """What a batch would be."""

    jobs: int
    unusable_inputs: Annotated[int, Field(description="Inputs whose jobs would fail.")]
    problems: Annotated[list[str], Field(description="The first of them, and why.")]


class BatchPage(View):
    """A page of batches, newest first."""

    batches: list[BatchView]
    next_cursor: Annotated[str | None, Field(description="Pass as `cursor` for the next page; null at the end.")] = None
