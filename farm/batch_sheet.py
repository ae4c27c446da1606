"""A batch's pictures as one picture."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING

from PIL import Image

from farm import keys
from farm.contact_sheet import contact_sheet, grid_of
from farm.errors import NotFoundError

if TYPE_CHECKING:
    from farm.batches import BatchService
    from farm.record import JobRecord
    from farm.storage import ObjectStore

MOST_PICTURES = 400
"""Pictures on a sheet at most: those of the first jobs."""

MOST_BYTES = 4_000_000
FETCHES = 8


def draw_sheet(batches: BatchService, batch_id: str, storage: ObjectStore) -> Image.Image:
    """Draw the first of a batch's pictures, with what they differ in at the edges; what isn't dreamt yet stays grey."""
    batch = batches.store.get(batch_id)
    axes = batch.spec.sweep.axes()
    most_inputs = max(1, MOST_PICTURES // len(axes))
    inputs = batches.store.inputs(batch_id, 0, most_inputs - 1)
    names = [item.name or f"picture {place}" for place, item in enumerate(inputs, start=1)]
    found = list(islice(batches.numbered(batch_id), len(inputs) * len(axes)))
    with ThreadPoolExecutor(FETCHES) as pool:
        pictures = list(pool.map(partial(_small, storage), [job for _, job in found]))
    drawn = {number: picture for (number, _), picture in zip(found, pictures, strict=True) if picture}
    return contact_sheet(grid_of(batch.spec.sweep.model_dump(), names), drawn)


def _small(storage: ObjectStore, job: JobRecord) -> Image.Image | None:
    """Return a job's latest preview; None where it has none."""
    try:
        data = storage.get(keys.preview(job.id, job.previews), max_bytes=MOST_BYTES) if job.previews else None
    except NotFoundError:
        data = None
    return Image.open(BytesIO(data)) if data else None
