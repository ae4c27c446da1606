"""Calls about batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Unpack

from pydantic import Field

from dreamfarm.answers import parsed
from dreamfarm.calls import Calls, JobOptions
from farm.batch_schema import BatchPage, BatchPlan, BatchView
from farm.schema import JobView

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

BELOW = "s3:"
"""Stands before a prefix: all pictures below it in the farm's object store."""


BATCHES = "/v1/batches"


class SubmittedBatch(BatchView):
    """A batch as the farm took it on."""

    replayed: Annotated[bool, Field(description="It was taken on at an earlier call with the same key.")] = False


class BatchCalls(Calls):
    """Many jobs by one call."""

    async def submit_batch(
        self,
        pictures: Sequence[tuple[str, str]],
        *,
        sweep: Mapping[str, object] | None = None,
        **options: Unpack[JobOptions],
    ) -> SubmittedBatch:
        """Hand in pictures, as (SHA-256, URL or s3:PREFIX, name), each with every point of the sweep; return the batch.

        The `options` are those of `JobOptions`, and all jobs share them.
        """
        body = await self._batch_body(pictures, sweep, options)
        answer = await self._transport.call("POST", BATCHES, once=options.get("idempotency_key"), json=body)
        replayed = answer.headers.get("Idempotency-Replayed") == "true"
        return parsed(SubmittedBatch, answer).model_copy(update={"replayed": replayed})

    async def plan_batch(
        self,
        pictures: Sequence[tuple[str, str]],
        *,
        sweep: Mapping[str, object] | None = None,
        **options: Unpack[JobOptions],
    ) -> BatchPlan:
        """Return what `submit_batch` would make of the same, and make nothing."""
        body = await self._batch_body(pictures, sweep, options)
        return await self._post(BatchPlan, BATCHES, json={**body, "dry_run": True})

    async def _batch_body(
        self, pictures: Sequence[tuple[str, str]], sweep: Mapping[str, object] | None, options: JobOptions
    ) -> dict[str, Any]:
        inputs = [_input(given, own) for given, own in pictures]
        return {"inputs": inputs, "sweep": dict(sweep or {}), **await self._body(options)}

    async def batch(self, batch_id: str) -> BatchView:
        """Return a batch as it is now."""
        return await self._get(BatchView, f"{BATCHES}/{batch_id}")

    async def batches(self, *, limit: int = 50) -> list[BatchView]:
        """Return the newest batches."""
        return (await self._get(BatchPage, BATCHES, {"limit": limit})).batches

    async def batch_jobs(self, batch_id: str) -> AsyncGenerator[JobView]:
        """Yield the jobs of a batch that were made so far, in the order of their numbers."""
        async with self._transport.accepted_stream(f"{BATCHES}/{batch_id}/results.jsonl") as response:
            async for line in self._transport.lines(response):
                yield JobView.model_validate_json(line)

    async def cancel_batch(self, batch_id: str) -> BatchView:
        """End every job of a batch that is queued or running."""
        return await self._post(BatchView, f"{BATCHES}/{batch_id}/cancel")

    async def retry_batch(self, batch_id: str) -> BatchView:
        """Queue a batch's failed jobs again."""
        return await self._post(BatchView, f"{BATCHES}/{batch_id}/retry-failed")


def _input(given: str, name: str) -> dict[str, str]:
    if given.startswith(BELOW):
        return {"prefix": given.removeprefix(BELOW)}
    return {"url" if ":" in given else "sha256": given, "name": name}
