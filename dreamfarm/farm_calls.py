"""Calls about the farm itself: what it dreams with, what a dream takes, who renders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dreamfarm.calls import Calls
from farm.schema import EstimateView, Health, ModelPage, ModelSummary, ModelView, WorkerPage, WorkerView

if TYPE_CHECKING:
    from collections.abc import Mapping


class FarmCalls(Calls):
    """Networks, estimates, workers."""

    async def models(self) -> list[ModelSummary]:
        """Return the networks that can be dreamt with, without their layers."""
        return (await self._get(ModelPage, "/v1/models")).models

    async def model(self, name: str, *, size: int | tuple[int, int] = 512) -> ModelView:
        """Return a network, its layers' shapes given for pictures of this size: a side, or (width, height), in px."""
        width, height = (size, size) if isinstance(size, int) else size
        return await self._get(ModelView, f"/v1/models/{name}", {"width": width, "height": height})

    async def estimate(
        self,
        params: Mapping[str, object] | None = None,
        *,
        width: int,
        height: int,
        zoom: Mapping[str, object] | None = None,
    ) -> EstimateView:
        """Return what dreaming a picture of this size, in px, would take the farm; nothing is made."""
        kind = {} if zoom is None else {"kind": "zoom", "zoom": dict(zoom)}
        body = {"params": dict(params or {}), "width": width, "height": height, **kind}
        return await self._post(EstimateView, "/v1/estimate", json=body)

    async def workers(self) -> list[WorkerView]:
        """Return the workers that are alive."""
        return (await self._get(WorkerPage, "/v1/workers")).workers

    async def drain(self, worker_id: str) -> WorkerView:
        """Ask a worker to hand its job back and end; for admins."""
        return await self._post(WorkerView, f"/v1/workers/{worker_id}/drain")

    async def bring_back(self, worker_id: str) -> WorkerView:
        """Give a worker jobs again that was set aside; for admins."""
        return await self._post(WorkerView, f"/v1/workers/{worker_id}/bring-back")

    async def health(self) -> Health:
        """Return whether the farm answers."""
        return await self._get(Health, "/healthz")
