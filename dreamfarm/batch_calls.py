"""Calls about batches and the pictures that they are made of."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import TYPE_CHECKING

from dreamfarm.calls import Calls, picture_part, several
from dreamfarm.transport import FarmError, accepted
from farm.batch_schema import BatchPage, BatchView
from farm.schema import JobView, PictureView, UploadView

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from farm.schema import ResultFormat

BELOW = "s3:"
"""Stands before a prefix: all pictures below it in the farm's object store."""


class BatchCalls(Calls):
    """Batches and uploads."""

    def upload(self, picture: Path | bytes) -> PictureView:
        """Put a picture into the farm's store, past the api; one that it has already is left where it is."""
        _, data, _ = picture_part(picture)
        try:
            return self._get(PictureView, f"/v1/pictures/{hashlib.sha256(data).hexdigest()}")
        except FarmError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
        place = self._transport.read(UploadView, "POST", "/v1/uploads")
        self._transport.call("PUT", place.url, content=data)
        return self._transport.read(PictureView, "POST", f"/v1/uploads/{place.upload}/claim", makes=True)

    def submit_batch(
        self,
        pictures: Sequence[tuple[str, str]],
        *,
        params: Mapping[str, object] | None = None,
        sweep: Mapping[str, object] | None = None,
        guide: Path | bytes | Sequence[Path | bytes] | None = None,
        mask: Path | bytes | Sequence[Path | bytes] | None = None,
        zoom: Mapping[str, object] | None = None,
        format: ResultFormat = "png",  # noqa: A002  # as the api names it
        name: str | None = None,
        tags: Sequence[str] = (),
        needs: Sequence[str] = (),
        priority: int = 0,
        expires_in: int | None = None,
        fresh: bool = False,
    ) -> BatchView:
        """Hand in pictures, as (SHA-256, URL or s3:PREFIX, name), each with every point of the sweep; return the batch.

        Guides and masks are shared by all; with `zoom`, be it empty, each job makes a film.
        """
        body = {
            "inputs": [_input(given, own) for given, own in pictures],
            "params": dict(params or {}),
            "sweep": dict(sweep or {}),
            "guide": [{"sha256": self.upload(each).sha256} for each in several(guide)],
            "mask": [{"sha256": self.upload(each).sha256} for each in several(mask)],
            "kind": "dream" if zoom is None else "zoom",
            "zoom": None if zoom is None else dict(zoom),
            "format": format,
            "name": name,
            "tags": list(tags),
            "needs": list(needs),
            "priority": priority,
            "expires_in": expires_in,
            "fresh": fresh,
        }
        return self._transport.read(BatchView, "POST", "/v1/batches", makes=True, json=body)

    def batch(self, batch_id: str) -> BatchView:
        """Return a batch as it is now."""
        return self._get(BatchView, f"/v1/batches/{batch_id}")

    def batches(self, *, limit: int = 50) -> list[BatchView]:
        """Return the newest batches."""
        return self._get(BatchPage, "/v1/batches", {"limit": limit}).batches

    def batch_jobs(self, batch_id: str) -> Iterator[JobView]:
        """Yield the jobs of a batch that were made so far, in the order of their numbers."""
        with self._transport.stream(f"/v1/batches/{batch_id}/results.jsonl") as response:
            if response.is_error:
                response.read()
                accepted(response)
            for line in response.iter_lines():
                yield JobView.model_validate_json(line)

    def cancel_batch(self, batch_id: str) -> BatchView:
        """End every job of a batch that is queued or running."""
        return self._transport.read(BatchView, "POST", f"/v1/batches/{batch_id}/cancel")

    def retry_batch(self, batch_id: str) -> BatchView:
        """Queue a batch's failed jobs again."""
        return self._transport.read(BatchView, "POST", f"/v1/batches/{batch_id}/retry-failed")


def _input(given: str, name: str) -> dict[str, str]:
    if given.startswith(BELOW):
        return {"prefix": given.removeprefix(BELOW)}
    return {"url" if ":" in given else "sha256": given, "name": name}
