"""Finished pictures as one zip file, made while it is sent; one picture at a time is in memory."""

from __future__ import annotations

import io
import zipfile
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from farm.record import JobRecord, StoredOutput
    from farm.storage import ObjectStore


class _Outbox(io.RawIOBase):
    """Takes what the zip writer writes until it is sent on."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """Tell that it takes bytes."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # zipfile writes bytes alone
        """Keep the bytes."""
        self._parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """Return what was written since the last call."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def zipped(jobs: Iterable[JobRecord], storage: ObjectStore) -> Iterator[bytes]:
    """Return a zip file of the jobs' results, piece by piece; jobs without a result are left out."""
    outbox = _Outbox()
    with zipfile.ZipFile(outbox, "w", zipfile.ZIP_STORED) as archive:
        for job in jobs:
            if job.output is not None:
                archive.writestr(_name(job, job.output), storage.get(job.output.key))
                yield outbox.taken()
    yield outbox.taken()


def _name(job: JobRecord, output: StoredOutput) -> str:
    """Return the picture's own name, told apart by the job's id, with the result's suffix."""
    stem = PurePath(job.spec.name or "dream").stem or "dream"
    return f"{stem}-{job.id}.{output.format}"
