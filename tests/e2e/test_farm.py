"""The farm from end to end: HTTP, queue, worker, storage, all real."""

from __future__ import annotations

import hashlib
import io
import json
from http import HTTPStatus

import httpx2
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from dreamcore import DreamParams, dream
from dreamcore.pictures import decode, read_recipe
from dreamcore.recipe import Recipe
from dreamfarm.cli import app
from dreamfarm.client import FarmError
from farm.schema import JobView
from farm.states import JobState
from tests.support import picture, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SHORT = {"octaves": 2, "steps": 2, "seed": 3}
LONG = {"octaves": 2, "steps": 500, "seed": 3}


def test_a_job_gives_the_engines_picture(farm, tmp_path):
    """What the farm delivers is what the engine alone makes of the same picture, parameters and seed."""
    data = picture(160, 120)

    job = farm.wait(farm.submit(data, params=SHORT, name="noise.png").id)
    farm.download_result(job.id, tmp_path / "dream.png")

    alone = dream(decode(data).rgb, DreamParams.model_validate(SHORT))
    assert job.state is JobState.SUCCEEDED
    assert job.progress.fraction == 1
    assert np.array_equal(np.asarray(Image.open(tmp_path / "dream.png")), alone.image)


def test_a_worker_learns_its_pace(farm):
    """After a render the farm tells how long the next one takes, and how long it waits."""
    farm.wait(farm.submit(picture(160, 120), params=SHORT | {"steps": 8}).id)

    told = until(lambda: (found := farm.estimate(SHORT, width=640, height=480)).seconds and found)

    assert told.seconds > farm.estimate(SHORT, width=160, height=120).seconds > 0
    assert told.queue_s is not None


def test_the_result_tells_how_it_was_made(farm, tmp_path):
    """The recipe in the file holds parameters, input and weights."""
    job = farm.wait(farm.submit(picture(), params=SHORT).id)
    farm.download_result(job.id, tmp_path / "dream.png")

    recipe = json.loads(read_recipe((tmp_path / "dream.png").read_bytes()))

    assert recipe["params"] == job.params
    assert recipe["input_sha256"] == job.input.sha256
    assert len(recipe["weights_sha256"]) == 64


def test_the_same_again_is_served_without_a_render(farm, tmp_path):
    """The second job has succeeded when its submission is answered, with the file that the first one's worker made."""
    data, params = picture(90, 70, seed=9), SHORT | {"octaves": 1}
    first = farm.wait(farm.submit(data, params=params).id)

    second = farm.submit(data, params=params)
    fresh = farm.submit(data, params=params, fresh=True)

    assert (second.state, second.cached, second.output) == (JobState.SUCCEEDED, True, first.output)
    assert farm.download_result(second.id, tmp_path / "a.png").stat().st_size == first.output.bytes
    assert not farm.wait(fresh.id).cached


def test_transparency_is_kept(farm, tmp_path):
    """The alpha channel of the result is that of the picture handed in."""
    file = io.BytesIO()
    solid = Image.open(io.BytesIO(picture(96, 96))).convert("RGBA")
    alpha = Image.linear_gradient("L").resize((96, 96))
    solid.putalpha(alpha)
    solid.save(file, "PNG")

    job = farm.wait(farm.submit(file.getvalue(), params=SHORT).id)
    farm.download_result(job.id, tmp_path / "dream.png")

    assert np.array_equal(np.asarray(Image.open(tmp_path / "dream.png"))[..., 3], np.asarray(alpha))


def test_events_tell_the_whole_story(farm):
    """A reader sees the job queued, running through every octave, and ended, with rising numbers and fractions."""
    job = farm.submit(picture(), params=SHORT, fresh=True)

    events = list(farm.events(job.id))

    assert [event.seq for event in events] == sorted({event.seq for event in events})
    fractions = [event.progress.fraction for event in events]
    assert fractions == sorted(fractions)
    assert {event.progress.octave for event in events} >= {1, 2}
    assert (events[-1].state, events[-1].previews) == (JobState.SUCCEEDED, 2)


def test_a_clamped_job_says_so(farm):
    """A picture too small for its octaves is dreamt in fewer, and the job tells."""
    job = farm.submit(picture(64, 64), params={"octaves": 12, "steps": 1})

    assert job.progress.octaves < 12
    assert any("12" in notice and str(job.progress.octaves) in notice for notice in job.notices)


def test_a_guided_dream_differs_from_a_free_one(farm):
    """The guide picture reaches the engine."""
    guide = picture(96, 96, seed=5)
    guided = {**SHORT, "objective": "guide-dot"}
    jobs = [
        farm.submit(picture(), params=SHORT),
        farm.submit(picture(), params=guided, guide=guide),
    ]
    hashes = {farm.wait(job.id).output.sha256 for job in jobs}

    assert len(hashes) == 2


def test_terms_guides_and_masks_reach_the_engine(farm, tmp_path):
    """What is black stays the photo, the rest follows its guides, and the result's recipe names all pictures."""
    photo, guides = picture(96, 80), [picture(96, 96, seed=5), picture(64, 70, seed=6)]
    white = Image.new("L", (96, 80))
    white.paste(255, (48, 0, 96, 80))
    mask = io.BytesIO()
    white.save(mask, "PNG")
    terms = [
        {"layer": "fire6", "kind": "guide-match", "guide": 0},
        {"layer": "fire8", "kind": "guide-dot", "guide": 1, "channels": {"pick": "strongest", "count": 9}},
        {"class_name": "goldfish", "weight": 0.1},
    ]
    params = {key: value for key, value in SHORT.items() if key != "layers"} | {"terms": terms, "feather": 4}

    job = farm.wait(farm.submit(photo, params=params, guide=guides, mask=mask.getvalue()).id)
    result = farm.download_result(job.id, tmp_path / "dream.png")

    before, after = (np.asarray(Image.open(each)) for each in (io.BytesIO(photo), result))
    assert np.array_equal(before[:, :48], after[:, :48])
    assert (before[:, 60:] != after[:, 60:]).mean() > 0.5
    recipe = Recipe.model_validate_json(read_recipe(result.read_bytes()))
    assert recipe.guides_sha256 == tuple(hashlib.sha256(each).hexdigest() for each in guides)
    assert recipe.masks_sha256 == (hashlib.sha256(mask.getvalue()).hexdigest(),)
    assert recipe.params.terms[1].guide == 1
    assert any("strongest" in notice for notice in job.notices)


def test_cancel_frees_the_worker(farm):
    """A running job is canceled between two steps, and its worker takes the next job."""
    long = farm.submit(picture(400, 400), params=LONG)
    until(lambda: farm.get(long.id).progress.step > 0)

    assert farm.cancel(long.id).state is JobState.CANCELED
    after = farm.wait(farm.submit(picture(), params=SHORT, fresh=True).id)

    assert after.state is JobState.SUCCEEDED
    assert farm.get(long.id).state is JobState.CANCELED
    with pytest.raises(FarmError) as refused:
        farm.cancel(after.id)
    assert refused.value.status == 409


def test_a_job_goes_its_way_through_retry_and_delete(farm):
    """A canceled job is retried to success, then deleted with all that belongs to it."""
    job = farm.submit(picture(300, 300), params=LONG | {"steps": 40})
    farm.cancel(job.id)
    farm.retry(job.id)
    done = farm.wait(job.id)
    assert done.state is JobState.SUCCEEDED

    farm.delete(job.id)

    with pytest.raises(FarmError) as gone:
        farm.get(job.id)
    assert gone.value.status == 404


def test_a_picture_can_go_past_the_api(stack, farm):
    """A presigned link takes the bytes, and the job names the upload, then the SHA-256."""
    with httpx2.Client(base_url=stack.api_url) as http:
        upload = http.post("/v1/uploads").json()
        assert httpx2.put(upload["url"], content=picture()).status_code == HTTPStatus.OK
        image = {"upload": upload["upload"]}
        first = http.post("/v1/jobs", json={"image": image, "params": SHORT}).json()
        image = {"sha256": first["input"]["sha256"]}
        again = http.post("/v1/jobs", json={"image": image, "params": SHORT}).json()

    ended = [farm.wait(job["id"]) for job in (first, again)]
    assert ended[0].output.sha256 == ended[1].output.sha256


def test_jobs_are_listed_by_tag(farm):
    """A tag finds its jobs, newest first."""
    ids = [farm.submit(picture(), params=SHORT, tags=["series"]).id for _ in range(3)]

    assert [job.id for job in farm.jobs(tag="series")] == ids[::-1]
    for job_id in ids:
        farm.wait(job_id)


def test_the_worker_is_listed(farm):
    """Operators see which device works."""
    [worker] = farm.workers()

    assert worker.state in {"idle", "busy"}
    assert worker.device not in {"", "starting"}


def test_the_view_reads_what_a_newer_farm_sends():
    """A client ignores keys that it doesn't know."""
    assert "extra" not in JobView.model_fields
    assert JobView.model_config["extra"] == "ignore"


def dreamfarm(*words):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result


def test_a_folder_and_a_sweep_make_a_batch(stack, tmp_path):
    """The command uploads folder and mask, sweeps, waits, saves every dream, and draws them with labelled axes.

    The same command finds the batch again, also beside a file that is no picture, which is named.
    """
    photos, dreams = tmp_path / "photos", tmp_path / "dreams"
    photos.mkdir()
    for name, seed in (("a.png", 1), ("b.png", 2)):
        (photos / name).write_bytes(picture(96, 96, seed=seed))
    half = Image.new("L", (96, 96))
    half.paste(255, (48, 0, 96, 96))
    half.save(tmp_path / "mask.png")
    options = ["--octaves", "1", "--feather", "0", "--mask", tmp_path / "mask.png", "--url", stack.api_url]

    made = dreamfarm("submit", photos, "--sweep", "steps=1,2", *options, "--output", dreams)
    again = dreamfarm(
        "get", made.stdout.strip(), "-o", dreams, "--sheet", tmp_path / "sheet.png", "--url", stack.api_url
    )

    broken = photos / "c.png"
    broken.write_bytes(b"no picture")
    same = ["submit", photos, "--sweep", "steps=1,2", *options]
    found = CliRunner().invoke(app, [str(word) for word in same])
    broken.unlink()

    assert (found.exit_code, found.stdout) == (2, made.stdout)
    assert f"{broken}: The file is no picture" in found.stderr
    assert "4 succeeded. --fresh makes a new one." in found.stderr
    assert "4 jobs, 4 succeeded" in made.stderr
    assert len(list(dreams.iterdir())) == len(again.stdout.splitlines()) == 4
    assert Image.open(tmp_path / "sheet.png").height > 2 * 256
    photos_kept = {np.asarray(Image.open(one).convert("RGB"))[:, :48].tobytes() for one in photos.iterdir()}
    assert {np.asarray(Image.open(one))[:, :48].tobytes() for one in dreams.iterdir()} == photos_kept
