"""Calls about single jobs."""

from __future__ import annotations

import hashlib
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Unpack

from dreamfarm.answers import backoff_s
from dreamfarm.calls import LARGEST_PAGE, PICTURE_OPTIONS, Calls, JobOptions, plain_body, several
from dreamfarm.errors import FarmError, FarmUnreachableError
from dreamfarm.events import EventFollower
from dreamfarm.files import whole_file
from farm.schema import JobPage, JobView
from farm.states import JobState

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

    from farm.schema import EventView, OutputView

JOBS = "/v1/jobs"
JSON_FIELDS = ("params", "zoom", "tags")


class JobCalls(Calls):
    """Jobs: handed in, followed, fetched."""

    async def submit(self, picture: Path | bytes | str, **options: Unpack[JobOptions]) -> JobView:
        """Hand in a picture to dream and return its job; `options` are those of `JobOptions`.

        A picture that is text is its URL, which the farm fetches.
        """
        once = options.get("idempotency_key")
        if isinstance(picture, str):
            body = {"image": {"url": picture}, **await self._body(options)}
            return await self._post(JobView, JOBS, once=once, json=body)
        fields = _form(plain_body(options))
        given = [("image", picture)]
        given += [(field, each) for field in PICTURE_OPTIONS for each in several(options, field)]
        files = [(field, await self._part(each)) for field, each in given]
        return await self._post(JobView, JOBS, once=once, data=fields, files=files)

    async def dream(self, picture: Path | bytes | str, path: Path, **options: Unpack[JobOptions]) -> JobView:
        """Hand in a picture, wait, and save what was dreamt: `submit`, `wait` and `download_result` in one.

        Raises
        ------
        FarmError
            With the code that the job failed with, or ``canceled`` or ``expired``.
        """
        job = await self.wait((await self.submit(picture, **options)).id)
        if job.state is not JobState.SUCCEEDED:
            code, detail = (job.error.code, job.error.message) if job.error else (job.state, f"It was {job.state}.")
            raise FarmError(code, f"{job.name or job.id}: {detail}", HTTPStatus.OK)
        await self.download_result(job.id, path)
        return job

    async def get(self, job_id: str) -> JobView:
        """Return a job as it is now."""
        return await self._get(JobView, f"{JOBS}/{job_id}")

    async def jobs(
        self,
        *,
        state: JobState | str | None = None,
        tag: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AsyncGenerator[JobView]:
        """Yield jobs, newest first, page after page: all of them, or as many as `limit` says."""
        left = limit
        while left is None or left > 0:
            page = await self.page(state=state, tag=tag, limit=min(left or LARGEST_PAGE, LARGEST_PAGE), cursor=cursor)
            for job in page.jobs:
                yield job
            left = None if left is None else left - len(page.jobs)
            cursor = page.next_cursor
            if cursor is None:
                return

    async def page(
        self,
        *,
        state: JobState | str | None = None,
        tag: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> JobPage:
        """Return one page of jobs, newest first."""
        return await self._get(JobPage, JOBS, {"state": state, "tag": tag, "limit": limit, "cursor": cursor})

    async def cancel(self, job_id: str) -> JobView:
        """End a queued or running job; its worker is free within a step."""
        return await self._post(JobView, f"{JOBS}/{job_id}/cancel")

    async def retry(self, job_id: str) -> JobView:
        """Queue a failed, canceled or expired job again."""
        return await self._post(JobView, f"{JOBS}/{job_id}/retry")

    async def delete(self, job_id: str) -> None:
        """Remove a job, its result and its previews."""
        await self._transport.call("DELETE", f"{JOBS}/{job_id}")

    async def events(self, job_id: str) -> AsyncGenerator[EventView]:
        """Yield a job's changes as they happen, from the first one, until it comes to rest."""
        follower = EventFollower(self._transport, job_id, poll_s=self._poll_s, patience_s=self._patience_s)
        async for event in follower.changes():
            yield event

    async def wait(self, job_id: str) -> JobView:
        """Return a job once it is at rest: succeeded, failed, canceled or expired."""
        async for _ in self.events(job_id):
            pass
        return await self.get(job_id)

    async def download_result(self, job_id: str, path: Path) -> Path:
        """Save a finished job's picture; the file appears whole or not at all.

        Raises
        ------
        FarmError
            With code ``no_result`` where the job has none, ``damaged_download`` where other bytes came than were made.
        OSError
            The file can't be written.
        """
        output = (await self.get(job_id)).output
        for attempt in range(1, self._transport.tries + 1):
            try:
                return await self._download(f"{JOBS}/{job_id}/result", path, output)
            except FarmUnreachableError:
                if attempt == self._transport.tries:
                    raise
                await self._transport.sleep(backoff_s(attempt))
        raise AssertionError  # the last attempt returns or raises

    async def _download(self, link: str, path: Path, output: OutputView | None) -> Path:
        digest = hashlib.sha256()
        async with self._transport.accepted_stream(link, follow_redirects=True) as response:
            with whole_file(path) as file:
                async for chunk in self._transport.chunks(response):
                    digest.update(chunk)
                    file.write(chunk)
                if output and output.sha256 != digest.hexdigest():
                    detail = "The downloaded picture has other bytes than the farm made. Download it again."
                    raise FarmError("damaged_download", detail, HTTPStatus.OK)
        return path


def _form(body: Mapping[str, Any]) -> dict[str, str]:
    """Return a body as the fields of a form: some as JSON, the others as plain text."""
    texts = {name: json.dumps(body[name]) for name in JSON_FIELDS if name in body}
    plain = {name: value for name, value in body.items() if name not in texts}
    return texts | {name: _text(value) for name, value in plain.items()}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, (list, tuple)) else str(value)
