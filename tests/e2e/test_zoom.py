"""A zoom on the farm: killed half-way it goes on to the same frames, and it cleans up behind itself."""

from __future__ import annotations

import os
import signal

import av
import pytest

from dreamfarm.client import Farm
from dreamfarm.stack import Stack
from farm.states import JobState
from tests.support import picture, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

PARAMS = {"octaves": 2, "steps": 4, "seed": 11, "jitter": 16}
ZOOM = {"frames": 24, "scale": 1.05, "frame_octaves": 2, "frame_steps": 3, "format": "frames"}
PHOTO = picture(301, 223)


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    environment = {"DREAMFARM_LEASE_S": "2"}
    with Stack(tmp_path_factory.mktemp("farm"), workers=0, environment=environment) as running:
        yield running


@pytest.fixture(scope="module")
def farm(stack):
    return Farm(stack.api_url)


@pytest.fixture(scope="module")
def undisturbed(stack, farm):
    """Return the hash of the frames that nothing interrupted."""
    worker = stack.start_worker()
    job = farm.wait(farm.submit(PHOTO, params=PARAMS, zoom=ZOOM).id)
    stack.stop_worker(worker)
    assert job.state is JobState.SUCCEEDED, job.error
    return job.output.sha256


@pytest.mark.parametrize(("number", "outcome"), [(signal.SIGKILL, "lost"), (signal.SIGTERM, "handed_back")])
def test_a_zoom_goes_on_elsewhere_to_the_same_bytes(stack, farm, undisturbed, number, outcome):
    """A worker killed or stopped in the sixth frame: the next one goes on after the last whole frame, not the first."""
    first = stack.start_worker(restart=False)
    job = farm.submit(PHOTO, params=PARAMS, zoom=ZOOM, fresh=True)
    until(lambda: farm.get(job.id).progress.frame >= 6)
    os.kill(first.pid, number)
    until(lambda: not first.is_running())
    second = stack.start_worker()
    resumed = until(lambda: farm.get(job.id).attempts[-1].number == 2 and farm.get(job.id).progress.frame)
    ended = farm.wait(job.id)
    stack.stop_worker(second)

    assert resumed >= 5
    assert (ended.state, ended.output.sha256) == (JobState.SUCCEEDED, undisturbed)
    assert [attempt.outcome for attempt in ended.attempts] == [outcome, "succeeded"]


def test_a_film_comes_back_with_its_previews(stack, farm, tmp_path):
    """The film has every frame at its exact rate; progress counts frames; a preview came for each of a few frames."""
    worker = stack.start_worker()
    zoom = {"frames": 5, "frame_octaves": 1, "frame_steps": 1, "fps": "23.976"}
    job = farm.submit(PHOTO, params={"octaves": 1, "steps": 1}, zoom=zoom)
    events = list(farm.events(job.id))
    ended = farm.get(job.id)
    stack.stop_worker(worker)

    assert ended.state is JobState.SUCCEEDED, ended.error
    assert (ended.kind, ended.format, ended.output.format) == ("zoom", "mp4", "mp4")
    assert ended.zoom["fps"] == "24000/1001"
    assert (ended.progress.frame, ended.progress.frames, ended.progress.fraction) == (5, 5, 1)
    assert events[-1].previews == 5
    with av.open(str(farm.download_result(job.id, tmp_path / "film.mp4"))) as film:
        stream = film.streams.video[0]
        assert (stream.frames, str(stream.average_rate), stream.width, stream.height) == (5, "24000/1001", 302, 224)


def test_a_zoom_is_canceled_within_a_step(stack, farm):
    """Canceled in the middle, a zoom's worker is free for the next job, and the job has no result."""
    worker = stack.start_worker()
    job = farm.submit(PHOTO, params=PARAMS, zoom={**ZOOM, "frames": 2000})
    until(lambda: farm.get(job.id).progress.frame >= 2)
    farm.cancel(job.id)
    after = farm.wait(farm.submit(PHOTO, params={"octaves": 1, "steps": 1}).id)
    stack.stop_worker(worker)

    assert after.state is JobState.SUCCEEDED
    assert (farm.get(job.id).state, farm.get(job.id).output) == (JobState.CANCELED, None)
