"""A farm for Python programs; it speaks HTTP and nothing else.

>>> from dreamfarm import Farm  # doctest: +SKIP
>>> with Farm("http://127.0.0.1:8000") as farm:  # doctest: +SKIP
...     job = farm.wait(farm.submit(Path("sky.jpg"), params={"steps": 20}).id)
...     farm.download_result(job.id, Path("dream.png"))
"""

from __future__ import annotations

import hashlib
import json
import time
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Self

from dreamfarm.address import find_stack_url
from dreamfarm.events import EventFollower
from dreamfarm.files import whole_file
from dreamfarm.transport import Answer, FarmError, FarmUnreachableError, Transport, accepted, backoff_s, save_body
from farm.schema import (
    AuditEntry,
    AuditPage,
    BatchPage,
    BatchView,
    DeliveryPage,
    DeliveryView,
    EstimateView,
    Health,
    JobPage,
    JobView,
    KeyPage,
    KeyView,
    ModelPage,
    ModelSummary,
    ModelView,
    NewKeyView,
    NewWebhookView,
    PictureView,
    UploadView,
    WebhookPage,
    WebhookView,
    WorkerPage,
    WorkerView,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from farm.schema import EventView, OutputView, ResultFormat, Scope
    from farm.states import JobState

__all__ = ["Farm", "FarmError", "FarmUnreachableError"]

LARGEST_PAGE = 200


class Farm:
    """A farm.

    Parameters
    ----------
    url : the farm's address; None means the embedded stack that runs for this folder or one above it.
    key : your API key, for a farm that asks for one; shown to the farm alone, and in no error.
    timeout_s : longest wait for a connection, or for the next bytes, in s.
    tries : how often a call that may be repeated is made before it fails.
    poll_s : pause between two looks at a job where it can't be followed by a stream, in s.
    patience_s : how long the farm may be away while a job is followed, in s.

    Raises
    ------
    FarmError
        The farm refused a call; it has ``code``, ``detail`` and ``status``. Every method may raise it.
    FarmUnreachableError
        The farm didn't answer, or there is no address. Every method may raise it.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        key: str | None = None,
        timeout_s: float = 30.0,
        tries: int = 4,
        poll_s: float = 1.0,
        patience_s: float = 120.0,
    ) -> None:
        self._transport = Transport(url or _stack_url(), timeout_s=timeout_s, tries=tries, key=key)
        self._poll_s = poll_s
        self._patience_s = patience_s

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The farm's address."""
        return self._transport.url

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def submit(
        self,
        picture: Path | bytes | str,
        *,
        params: Mapping[str, object] | None = None,
        guide: Path | bytes | Sequence[Path | bytes] | None = None,
        mask: Path | bytes | Sequence[Path | bytes] | None = None,
        zoom: Mapping[str, object] | None = None,
        format: ResultFormat = "png",  # noqa: A002  # as the api names it
        name: str | None = None,
        tags: Sequence[str] = (),
        needs: Sequence[str] = (),
        priority: int = 0,
        expires_in: int | None = None,
    ) -> JobView:
        """Hand in a picture to dream and return its job; what `params` leaves out has the farm's defaults.

        A picture that is text is its URL, which the farm fetches.
        Guides, what to dream towards, and masks, white where to dream, are one picture each or several.
        With `zoom`, be it empty, the job makes a film: frames, scale, rotate, shift, centre, fps, format and so on.
        """
        companions = [("guide", each) for each in _several(guide)] + [("mask", each) for each in _several(mask)]
        if isinstance(picture, str):
            body: dict[str, object] = {
                "image": {"url": picture},
                "guide": [{"sha256": self.upload(each).sha256} for each in _several(guide)],
                "mask": [{"sha256": self.upload(each).sha256} for each in _several(mask)],
                "params": dict(params or {}),
                "kind": "dream" if zoom is None else "zoom",
                "zoom": None if zoom is None else dict(zoom),
                "format": format,
                "name": name,
                "tags": list(tags),
                "needs": list(needs),
                "priority": priority,
                "expires_in": expires_in,
            }
            return self._transport.read(JobView, "POST", "/v1/jobs", makes=True, json=body)
        files = [(field, _part(each)) for field, each in (("image", picture), *companions)]
        fields = {"params": json.dumps(dict(params or {})), "format": format, "tags": json.dumps(list(tags))}
        fields |= {"needs": ",".join(needs), "priority": str(priority)}
        if zoom is not None:
            fields |= {"kind": "zoom", "zoom": json.dumps(dict(zoom))}
        if name is not None:
            fields["name"] = name
        if expires_in is not None:
            fields["expires_in"] = str(expires_in)
        return self._transport.read(JobView, "POST", "/v1/jobs", makes=True, data=fields, files=files)

    def upload(self, picture: Path | bytes) -> PictureView:
        """Put a picture into the farm's store, past the api; one that it has already is left where it is."""
        _, data, _ = _part(picture)
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
        format: ResultFormat = "png",  # noqa: A002  # as the api names it
        name: str | None = None,
        tags: Sequence[str] = (),
        needs: Sequence[str] = (),
        priority: int = 0,
        expires_in: int | None = None,
    ) -> BatchView:
        """Hand in pictures, as (SHA-256 or URL, name), each with every point of the sweep; return the batch."""
        body = {
            "inputs": [{"url" if ":" in given else "sha256": given, "name": own} for given, own in pictures],
            "params": dict(params or {}),
            "sweep": dict(sweep or {}),
            "format": format,
            "name": name,
            "tags": list(tags),
            "needs": list(needs),
            "priority": priority,
            "expires_in": expires_in,
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

    def get(self, job_id: str) -> JobView:
        """Return a job as it is now."""
        return self._get(JobView, f"/v1/jobs/{job_id}")

    def jobs(
        self,
        *,
        state: JobState | str | None = None,
        tag: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Iterator[JobView]:
        """Yield jobs, newest first, page after page: all of them, or as many as `limit` says."""
        left = limit
        while left is None or left > 0:
            page = self.page(state=state, tag=tag, limit=min(left or LARGEST_PAGE, LARGEST_PAGE), cursor=cursor)
            yield from page.jobs
            left = None if left is None else left - len(page.jobs)
            cursor = page.next_cursor
            if cursor is None:
                return

    def page(
        self,
        *,
        state: JobState | str | None = None,
        tag: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> JobPage:
        """Return one page of jobs, newest first."""
        query = {"state": state, "tag": tag, "limit": limit, "cursor": cursor}
        return self._get(JobPage, "/v1/jobs", {key: value for key, value in query.items() if value is not None})

    def cancel(self, job_id: str) -> JobView:
        """End a queued or running job; its worker is free within a step."""
        return self._transport.read(JobView, "POST", f"/v1/jobs/{job_id}/cancel")

    def retry(self, job_id: str) -> JobView:
        """Queue a failed, canceled or expired job again."""
        return self._transport.read(JobView, "POST", f"/v1/jobs/{job_id}/retry")

    def delete(self, job_id: str) -> None:
        """Remove a job, its result and its previews."""
        self._transport.call("DELETE", f"/v1/jobs/{job_id}")

    def events(self, job_id: str) -> Iterator[EventView]:
        """Yield a job's changes as they happen, from the first one, until it comes to rest."""
        yield from EventFollower(self._transport, job_id, poll_s=self._poll_s, patience_s=self._patience_s)

    def wait(self, job_id: str) -> JobView:
        """Return a job once it is at rest: succeeded, failed, canceled or expired."""
        for _ in self.events(job_id):
            pass
        return self.get(job_id)

    def download_result(self, job_id: str, path: Path) -> Path:
        """Save a finished job's picture; the file appears whole or not at all.

        Raises
        ------
        FarmError
            With code ``no_result`` where the job has none, ``damaged_download`` where other bytes came than were made.
        OSError
            The file can't be written.
        """
        output = self.get(job_id).output
        for attempt in range(1, self._transport.tries + 1):
            try:
                return self._download(f"/v1/jobs/{job_id}/result", path, output)
            except FarmUnreachableError:
                if attempt == self._transport.tries:
                    raise
                time.sleep(backoff_s(attempt))
        raise AssertionError  # the last attempt returns or raises

    def models(self) -> list[ModelSummary]:
        """Return the networks that can be dreamt with, without their layers."""
        return self._get(ModelPage, "/v1/models").models

    def model(self, name: str, *, size: int | tuple[int, int] = 512) -> ModelView:
        """Return a network, its layers' shapes given for pictures of this size: a side, or (width, height), in px."""
        width, height = (size, size) if isinstance(size, int) else size
        return self._get(ModelView, f"/v1/models/{name}", {"width": width, "height": height})

    def estimate(
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
        return self._transport.read(EstimateView, "POST", "/v1/estimate", json=body)

    def workers(self) -> list[WorkerView]:
        """Return the workers that are alive."""
        return self._get(WorkerPage, "/v1/workers").workers

    def drain(self, worker_id: str) -> WorkerView:
        """Ask a worker to hand its job back and end; for admins."""
        return self._transport.read(WorkerView, "POST", f"/v1/workers/{worker_id}/drain")

    def create_key(self, owner: str, scopes: Sequence[Scope | str], *, name: str | None = None) -> NewKeyView:
        """Make a key; its text is in the answer, and can't be read again. For admins."""
        body = {"owner": owner, "scopes": list(scopes), "name": name}
        return self._transport.read(NewKeyView, "POST", "/v1/keys", makes=True, json=body)

    def keys(self) -> list[KeyView]:
        """Return all keys, the revoked ones too. For admins."""
        return self._get(KeyPage, "/v1/keys").keys

    def revoke_key(self, key_id: str) -> None:
        """Revoke a key: it opens nothing from now on. For admins."""
        self._transport.call("DELETE", f"/v1/keys/{key_id}")

    def add_webhook(self, url: str, events: Sequence[str] = ()) -> NewWebhookView:
        """Have an endpoint told what happens to your jobs, all or some events; its secret is shown this once."""
        body: dict[str, object] = {"url": url, **({"events": list(events)} if events else {})}
        return self._transport.read(NewWebhookView, "POST", "/v1/webhooks", makes=True, json=body)

    def webhooks(self) -> list[WebhookView]:
        """Return your endpoints, oldest first."""
        return self._get(WebhookPage, "/v1/webhooks").webhooks

    def remove_webhook(self, webhook_id: str) -> None:
        """Remove an endpoint."""
        self._transport.call("DELETE", f"/v1/webhooks/{webhook_id}")

    def deliveries(self, webhook_id: str, *, limit: int = 50) -> list[DeliveryView]:
        """Return the latest deliveries to an endpoint, newest first."""
        return self._get(DeliveryPage, f"/v1/webhooks/{webhook_id}/deliveries", {"limit": limit}).deliveries

    def replay(self, webhook_id: str, delivery_id: str) -> DeliveryView:
        """Deliver once more, under the same id."""
        path = f"/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay"
        return self._transport.read(DeliveryView, "POST", path, makes=True)

    def audit(
        self, *, owner: str | None = None, subject: str | None = None, limit: int | None = None
    ) -> Iterator[AuditEntry]:
        """Yield changes, newest first, page after page: an owner's alone, or those of a job, batch, upload or key."""
        query = {"owner": owner, "subject": subject}
        given = {name: value for name, value in query.items() if value is not None}
        left, more = limit, True
        while more and (left is None or left > 0):
            page = self._get(AuditPage, "/v1/audit", {**given, "limit": min(left or LARGEST_PAGE, LARGEST_PAGE)})
            yield from page.entries
            left = None if left is None else left - len(page.entries)
            more = page.next_cursor is not None
            given["cursor"] = page.next_cursor or ""

    def health(self) -> Health:
        """Return whether the farm answers."""
        return self._get(Health, "/healthz")

    def _get(self, answer: type[Answer], path: str, query: Mapping[str, object] | None = None) -> Answer:
        return self._transport.read(answer, "GET", path, params=query)

    def _download(self, link: str, path: Path, output: OutputView | None) -> Path:
        with self._transport.stream(link, follow_redirects=True) as response:
            if response.is_error:
                response.read()
                accepted(response)
            with whole_file(path) as file:
                save_body(response, file, sha256=output.sha256 if output else None)
        return path


def _stack_url() -> str:
    url = find_stack_url()
    if url is None:
        detail = (
            "There is no farm running here. Start one with `dreamfarm up`, or name one with --url or DREAMFARM_URL."
        )
        raise FarmUnreachableError("no_address", detail)
    return url


def _several(pictures: Path | bytes | Sequence[Path | bytes] | None) -> Sequence[Path | bytes]:
    if pictures is None:
        return ()
    return (pictures,) if isinstance(pictures, (Path, bytes)) else pictures


def _part(picture: Path | bytes) -> tuple[str, bytes, str]:
    if isinstance(picture, bytes):
        return "picture", picture, "application/octet-stream"
    return picture.name, picture.read_bytes(), "application/octet-stream"
