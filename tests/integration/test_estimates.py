"""What a farm says of work to come."""

import io

import numpy as np
import pytest
from PIL import Image

from dreamcore import DreamParams, ZoomParams
from dreamcore.planner import REFERENCE
from dreamcore.workload import count_work
from farm import keys
from farm.batch_store import BatchInput, BatchSpec
from farm.sweep import Sweep


def png(width, height):
    """Return a picture's file."""
    buffer = io.BytesIO()
    Image.fromarray(np.full((height, width, 3), 90, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("path", [None, ZoomParams(frames=12)], ids=["dream", "zoom"])
def test_a_job_carries_what_it_weighs(services, path):
    """A field of the job's hash holds the seconds that it takes on the reference device."""
    params = DreamParams(octaves=2, steps=3)

    job = services.jobs.create(services.pictures.look_at(png(123, 97)), params, zoom=path)

    work = count_work(params, (97, 123), zoom=path)
    assert job.work_s == pytest.approx(REFERENCE.seconds(work), abs=1e-3)
    assert float(services.store.redis.hget(keys.job(job.id), "work_s")) == job.work_s > 0


def test_a_batchs_jobs_carry_what_they_weigh(services):
    """Each job of a batch weighs by its own parameters; one that can't be dreamt weighs nothing."""
    seen = [services.pictures.look_at(png(*size)) for size in [(123, 97), (9, 9)]]
    for picture in seen:
        services.pictures.keep(picture)
    spec = BatchSpec(params={"octaves": 1}, sweep=Sweep(product={"steps": [2, 4]}), format="png")
    batch = services.batches.create(spec, [BatchInput(sha256=picture.view.sha256) for picture in seen])

    services.batches.expand(batch.id)

    weights = [job.work_s for job in services.batches.results(batch.id)]
    assert 0 < weights[0] < weights[1]
    assert weights[2:] == [0, 0]
