"""The calls that the studio needs besides those that were there: pictures by themselves, walls, sheets, losses."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from ulid import ULID

from dreamcore.params import DreamParams
from farm import change, keys
from farm.batch_store import BatchInput, BatchSpec
from farm.losses import POINTS, losses_text, read_losses
from farm.sweep import Sweep
from tests.support import assert_problem, picture


def store(client, data, name="photo.png"):
    return client.post("/v1/pictures", data={"image": (io.BytesIO(data), name)}, content_type="multipart/form-data")


def batch_of(services, inputs=1, **spec):
    seen = services.pictures.look_at(picture())
    services.pictures.keep(seen)
    items = [BatchInput(sha256=seen.view.sha256, name=f"photo {place}") for place in range(inputs)]
    batch = services.batches.create(BatchSpec(params={"octaves": 1, "steps": 1}, **spec), items)
    services.batches.expand(batch.id)
    return batch.id, [job.id for job in services.batches.results(batch.id)]


def test_a_stored_picture_can_be_named_and_read_again(client):
    """It comes back byte for byte, as bytes that no browser takes for a page."""
    data = picture()
    stored = store(client, data)

    assert stored.status_code == 201
    assert (stored.json["width"], stored.json["height"]) == (96, 80)
    body = {"image": {"sha256": stored.json["sha256"]}, "params": {"octaves": 1}}
    assert client.post("/v1/jobs", json=body).status_code == 202
    read = client.get(f"/v1/pictures/{stored.json['sha256']}/content")
    assert read.data == data
    assert read.mimetype == "application/octet-stream"
    assert read.headers["X-Content-Type-Options"] == "nosniff"


def test_what_is_no_picture_is_not_stored(client):
    """Nor is nothing at all, nor are two at once."""
    assert_problem(store(client, b"<html>"), 400, "bad_picture")
    assert_problem(client.post("/v1/pictures", data={}, content_type="multipart/form-data"), 400, "invalid_request")
    two = {"image": [(io.BytesIO(picture()), "a"), (io.BytesIO(picture()), "b")]}
    assert_problem(client.post("/v1/pictures", data=two, content_type="multipart/form-data"), 400, "invalid_request")


def test_a_batches_states_are_a_letter_each(client, services):
    """In the order of the jobs' numbers, from which their ids follow; deleted ones keep their place."""
    batch, jobs = batch_of(services, inputs=4)
    services.jobs.cancel(jobs[1])
    services.jobs.delete(jobs[2])

    assert client.get(f"/v1/batches/{batch}/states").json["states"] == "qcdq"
    assert [str(ULID.from_int(int(ULID.from_str(batch)) + 1 + number)) for number in range(4)] == jobs


def test_jobs_that_are_not_made_yet_have_a_letter_too(client, services):
    """They wait with their batch, and are canceled with it."""
    seen = services.pictures.look_at(picture())
    services.pictures.keep(seen)
    batch = services.batches.create(BatchSpec(), [BatchInput(sha256=seen.view.sha256)] * 3).id

    assert client.get(f"/v1/batches/{batch}/states").json["states"] == "qqq"
    client.post(f"/v1/batches/{batch}/cancel")
    assert client.get(f"/v1/batches/{batch}/states").json["states"] == "ccc"


def test_ten_thousand_states_are_one_small_answer(client, services):
    """The wall of a large batch needs no page after page of jobs."""
    seen = services.pictures.look_at(picture())
    services.pictures.keep(seen)
    batch = services.batches.create(BatchSpec(), [BatchInput(sha256=seen.view.sha256)] * 10_000).id

    assert len(client.get(f"/v1/batches/{batch}/states").data) < 10_100


def test_a_sheet_shows_each_picture_at_its_place(client, services):
    """A sweep's last parameter goes across; what isn't dreamt is grey."""
    batch, jobs = batch_of(services, sweep=Sweep(product={"steps": [1, 2], "seed": [1, 2, 3]}))
    small = io.BytesIO()
    Image.new("RGB", (64, 64), (250, 10, 10)).save(small, "JPEG")
    services.storage.put(keys.preview(jobs[4], 1), small.getvalue(), content_type="image/jpeg")
    services.store.redis.hset(keys.job(jobs[4]), "previews", 1)

    answer = client.get(f"/v1/batches/{batch}/sheet.jpg")
    sheet = Image.open(io.BytesIO(answer.data))

    assert answer.mimetype == "image/jpeg"
    across, down = (sheet.width - 180) / 3, (sheet.height - 28) / 2
    middles = [(180 + across * column + 128, 28 + down * row + 128) for row in (0, 1) for column in range(3)]
    reds = [sheet.getpixel(tuple(map(int, at)))[0] - sheet.getpixel(tuple(map(int, at)))[1] > 150 for at in middles]
    assert reds == [False, False, False, False, True, False]


def test_losses_are_told_octave_by_octave(client, services):
    """As the worker wrote them with its last preview."""
    job = services.jobs.create(services.pictures.look_at(picture()), DreamParams(octaves=2))
    assert client.get(f"/v1/jobs/{job.id}/losses").json == {"octaves": []}

    claimed = change.claim(job.id, attempt=None, token="t", worker="w", lease_ms=60_000)
    services.store.apply(claimed)
    fence = change.Fence(services.store.get(job.id).attempt, "t")
    services.store.apply(change.report(job.id, fence, {"previews": 1, "losses": losses_text([[1.0, 2.5], [3.0]])}))

    assert client.get(f"/v1/jobs/{job.id}/losses").json == {"octaves": [[1.0, 2.5], [3.0]]}


@pytest.mark.parametrize("steps", [1, POINTS - 1, POINTS, POINTS + 1, 1000])
def test_a_curve_keeps_its_ends(steps):
    """Of many steps some are told, the first and the last among them; of few all are."""
    [octave] = read_losses(losses_text([[float(step) for step in range(steps)]]))

    assert len(octave) == min(steps, POINTS)
    assert (octave[0], octave[-1]) == (0, steps - 1)
