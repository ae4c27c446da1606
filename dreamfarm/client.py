"""A farm for Python programs; it speaks HTTP and nothing else.

>>> from dreamfarm import Farm  # doctest: +SKIP
>>> with Farm("http://127.0.0.1:8000") as farm:  # doctest: +SKIP
...     job = farm.wait(farm.submit(Path("sky.jpg"), params={"steps": 20}).id)
...     farm.download_result(job.id, Path("dream.png"))
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Self

from dreamfarm.account_calls import AccountCalls
from dreamfarm.address import find_stack_url
from dreamfarm.batch_calls import BatchCalls
from dreamfarm.calls import LARGEST_PAGE, picture_part, several
from dreamfarm.events import EventFollower
from dreamfarm.files import whole_file
from dreamfarm.transport import FarmError, FarmUnreachableError, Transport, accepted, backoff_s, save_body
from farm.schema import (
    EstimateView,
    Health,
    JobPage,
    JobView,
    ModelPage,
    ModelSummary,
    ModelView,
    WorkerPage,
    WorkerView,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from farm.schema import EventView, OutputView, ResultFormat
    from farm.states import JobState

__all__ = ["Farm", "FarmError", "FarmUnreachableError"]


class Farm(BatchCalls, AccountCalls):
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
        fresh: bool = False,
    ) -> JobView:
        """Hand in a picture to dream and return its job; what `params` leaves out has the farm's defaults.

        A picture that is text is its URL, which the farm fetches.
        Guides, what to dream towards, and masks, white where to dream, are one picture each or several.
        With `zoom`, be it empty, the job makes a film: frames, scale, rotate, shift, centre, fps, format and so on.
        """
        companions = [("guide", each) for each in several(guide)] + [("mask", each) for each in several(mask)]
        if isinstance(picture, str):
            body: dict[str, object] = {
                "image": {"url": picture},
                "guide": [{"sha256": self.upload(each).sha256} for each in several(guide)],
                "mask": [{"sha256": self.upload(each).sha256} for each in several(mask)],
                "params": dict(params or {}),
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
            return self._transport.read(JobView, "POST", "/v1/jobs", makes=True, json=body)
        files = [(field, picture_part(each)) for field, each in (("image", picture), *companions)]
        fields = {"params": json.dumps(dict(params or {})), "format": format, "tags": json.dumps(list(tags))}
        fields |= {"needs": ",".join(needs), "priority": str(priority), "fresh": str(fresh).lower()}
        if zoom is not None:
            fields |= {"kind": "zoom", "zoom": json.dumps(dict(zoom))}
        if name is not None:
            fields["name"] = name
        if expires_in is not None:
            fields["expires_in"] = str(expires_in)
        return self._transport.read(JobView, "POST", "/v1/jobs", makes=True, data=fields, files=files)

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

    def bring_back(self, worker_id: str) -> WorkerView:
        """Give a worker jobs again that was set aside; for admins."""
        return self._transport.read(WorkerView, "POST", f"/v1/workers/{worker_id}/bring-back")

    def health(self) -> Health:
        """Return whether the farm answers."""
        return self._get(Health, "/healthz")

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
