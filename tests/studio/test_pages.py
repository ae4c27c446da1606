"""What people do on the studio's pages beside dreaming: choose, mask, sort, compare, copy, look after the farm."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dreamcore import DreamParams, ZoomParams
from dreamfarm.stack import Stack
from farm import keys
from farm.batch_store import BatchInput, BatchSpec
from farm.states import JobState
from tests.support import picture, until

pytestmark = pytest.mark.slow

MASK = """async ([width, height]) => {
  const { maskPicture } = await import("/studio/static/mask.js");
  return Array.from(new Uint8Array(await (await maskPicture(width, height)).arrayBuffer()));
}"""
PASTED = """async (bytes) => {
  const blob = new Blob([new Uint8Array(bytes)], { type: "image/png" });
  await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
}"""
MOTION = """() => {
  const tile = document.createElement("div");
  tile.innerHTML = '<a class="tile-link"></a>';
  tile.className = "tile";
  tile.dataset.state = "running";
  document.body.append(tile);
  const styles = [tile.firstChild, document.querySelector("button")].map((one) => ({ ...getComputedStyle(one) }));
  tile.remove();
  return [styles[0].animationName, styles[1].transitionDuration];
}"""


@pytest.fixture(scope="module")
def farm(tmp_path_factory):
    """Nobody is at work here, so that what waits goes on waiting; a farm with a worker takes longer to start."""
    with Stack(tmp_path_factory.mktemp("pages"), workers=0, keys=True) as running:
        yield running


@pytest.fixture
def queue(services):
    """Hand in jobs for somebody, past the page; whatever waits or runs at the end, copies too, is canceled."""

    def hand_in(owner, params=None, **options):
        seen = services.pictures.look_at(picture())
        made = params or DreamParams(octaves=1, steps=1)
        return services.jobs.create(seen, made, owner=owner, fresh=True, **options).id

    yield hand_in
    for state in (JobState.QUEUED, JobState.RUNNING):
        for job in services.store.page(state=state, tag=None, limit=200, before=None)[0]:
            services.jobs.cancel(job.id)


@pytest.fixture
def beside(services):
    """Name a worker that is alive until the test's end, however slow the machine is, and takes no job by itself."""
    card = {"host": "elsewhere", "pid": 1, "version": "1", "started_at": "2026-01-01T00:00:00+00:00", "device": "cpu"}
    services.workers.beat("beside", card)
    services.store.redis.persist(keys.worker("beside"))
    yield "beside"
    services.workers.leave("beside")


def drop(page, path):
    """Let go of a file over the middle of the page, as a file manager does."""
    devtools = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})


def test_pictures_are_dropped_and_pasted_and_masked_by_keys(visit, tmp_path):
    """A file from the desktop, one from the clipboard; the brush goes by arrows, paints by space, erases after E."""
    dropped = tmp_path / "dropped.png"
    dropped.write_bytes(picture(200, 100))
    ada = visit("ada", permissions=["clipboard-read", "clipboard-write"])
    ada.page.goto("/")
    ada.page.wait_for_selector(".layer")

    drop(ada.page, dropped)
    ada.page.wait_for_selector("#file-name:has-text('dropped.png')")
    ada.page.click("#paint")
    ada.page.fill("#brush-size", "40")
    ada.page.focus("#mask")
    for key in ("Space", "Shift+ArrowRight", "Shift+ArrowRight", "e", "Space"):
        ada.page.keyboard.press(key)
    mask = np.asarray(Image.open(io.BytesIO(bytes(ada.page.evaluate(MASK, [200, 100])))).convert("L"))
    painted = np.flatnonzero(mask[50] > 127)
    assert mask.shape == (100, 200)
    assert mask[50, 100] == 255
    assert 100 - painted.min() < 20
    assert painted.max() < 120
    assert ada.page.get_attribute("#erase", "aria-pressed") == "true"

    ada.page.evaluate(PASTED, list(picture(120, 90)))
    ada.page.keyboard.press("Control+V")
    ada.page.wait_for_selector("#file-name:has-text('90')")
    assert ada.page.locator("#strip li").count() == 2


def test_a_batch_is_sorted_walked_tried_again_and_canceled(visit, services):
    """The wall shows the state one asks for, and goes by arrows; what failed waits anew, then all of it is canceled."""
    seen = [services.pictures.look_at(picture(side, side)) for side in (64, 9)]
    for one in seen:
        services.pictures.keep(one, owner="ada")
    inputs = [BatchInput(sha256=seen[number % 2].view.sha256, name=f"number {number}") for number in range(4)]
    batch = services.batches.create(BatchSpec(owner="ada", params={"octaves": 1}), inputs)
    services.batches.expand(batch.id)
    ada = visit("ada")
    page = ada.page
    page.goto(f"/batches/{batch.id}")
    page.wait_for_selector("#wall .tile[data-state=failed]")
    focused = "document.activeElement.getAttribute('aria-label')"

    page.locator("#wall .tile-link").first.focus()
    labels = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "Home"):
        page.keyboard.press(key)
        labels.append(page.evaluate(focused).partition(":")[0])
    assert labels == [f"number {number}" for number in (1, 2, 1, 3, 0)]
    for state, words, wanted in (("failed", "Failed", {"1", "3"}), ("queued", "Waiting", {"0", "2"})):
        page.check(f"#filters input[value={state}]", force=True)
        until(lambda: page.locator("#wall .tile").count() == 2)
        shown = page.eval_on_selector_all("#wall .tile a", "all => all.map(one => one.getAttribute('aria-label'))")
        assert set(shown) == {f"number {number}: {words}" for number in wanted}

    page.click("#retry-failed")
    until(lambda: page.locator("#wall .tile[data-state=queued]").count() == 4)
    assert page.is_hidden("#retry-failed")
    page.check("#filters input[value='']", force=True)
    page.click("#cancel-batch")
    until(lambda: page.locator("#wall .tile[data-state=canceled]").count() == 4)
    assert page.is_hidden("#cancel-batch")
    assert ada.call(f"/v1/batches/{batch.id}")["counts"]["canceled"] == 4


def test_the_farm_page_shows_what_comes_next_and_drains(visit, services, queue, beside):
    """What is at work, then what waits longest, of more than it can show; the page Dream says how many come before."""
    queue("ada", name="at work", priority=9)
    services.dispatch.claim(beside, lease_ms=600_000)
    for number in range(21):
        queue("ada", name=f"number {number}")
    services.paces.learn(beside, "squeezenet:float32", seconds=1000, work_s=1)
    root, ada = visit("root", "admin"), visit("ada")
    ada.choose(("photo.png", picture(128, 96)))

    ada.set(steps=9)
    until(lambda: re.fullmatch(r"\d+ (s|min|h) · 21 before", ada.page.inner_text("#estimate-queue")))
    ada.set(priority=9)
    until(lambda: "before" not in ada.page.inner_text("#estimate-queue"))

    root.page.goto("/farm")
    root.page.wait_for_selector("#queue tr:nth-child(21)")
    names = root.page.locator("#queue th a").all_inner_texts()
    assert names == ["at work", *(f"number {number}" for number in range(20))]
    root.page.click("[aria-label='Drain beside']")
    root.page.wait_for_selector("#workers tr:has-text('beside') :text('Leaving')")
    assert services.workers.is_to_leave(beside)


def test_two_layers_are_compared(visit):
    """Side by side, by what they see and dream; a third takes the first's place; networks without pictures say so."""
    page = visit("ada").page
    page.goto("/models")
    page.wait_for_selector("#layers tr")

    for layer in ("fire2", "fire8", "fire9"):
        page.check(f"[aria-label='Compare {layer}']")
    assert page.locator("#pair h2").all_inner_texts() == ["fire8", "fire9"]
    assert page.get_attribute("#pair img", "alt") == "What fire8 dreams of"
    assert page.locator("#pair .reach").count() == 2
    assert page.locator("#layers .layer-name img").count() == page.locator("#layers tr").count()
    assert page.evaluate(MOTION) == ["breathe", "0.15s, 0.15s"]
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(MOTION) == ["none", "0s"]

    page.select_option("#model", "inception_v3")
    page.wait_for_selector("#about:has-text('Nobody has made pictures')")
    assert page.locator("#layers img").count() == 0
    assert page.is_hidden("#pair")


MADE = {
    "film": {
        "params": DreamParams(octaves=2, steps=3, layers={"fire8": 1.0, "fire6": -0.5}, seed=7),
        "zoom": ZoomParams(frames=5, rotate=-1.5, shift=(-0.1, 0.25), fps="23.976", format="webm"),
        "name": "-it's a <film>.png",
        "tags": ("a:b", "holiday"),
    },
    "picture": {
        "params": DreamParams(preset="animals-in-hiding", keep_colors=False, max_loss=None, octaves=2),
        "result_format": "webp",
        "name": 'a "picture" $HOME.png',
        "priority": 4,
        "expires_in": 3600,
    },
}
SAME = ("kind", "params", "zoom", "format", "name", "tags", "needs", "priority", "expires_in", "input")


@pytest.mark.parametrize("made", MADE.values(), ids=list(MADE))
def test_what_is_copied_makes_the_same(visit, farm, queue, tmp_path, made):
    """The command in a shell, the JSON handed to the api: each makes a job like the one whose page it was copied on."""
    job = queue("ada", **made)
    ada = visit("ada", permissions=["clipboard-read", "clipboard-write"])
    ada.page.goto(f"/jobs/{job}")
    ada.page.wait_for_selector("#state .badge")
    (tmp_path / made["name"]).write_bytes(picture())
    wanted = {field: ada.call(f"/v1/jobs/{job}")[field] for field in SAME}
    assert ada.page.locator("#filmstrip li").count() == (0 if "zoom" in made else 2)

    ada.page.click("#copy-json")
    body = ada.page.evaluate("navigator.clipboard.readText()")
    headers = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
    answer = ada.context.request.post("/v1/jobs", data=body, headers=headers)
    ada.page.click("#copy-cli")
    until(lambda: ada.page.evaluate("navigator.clipboard.readText()").startswith("dreamfarm"))
    command = ada.page.evaluate("navigator.clipboard.readText()").replace("dreamfarm", '"$PYTHON" -m dreamfarm', 1)
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    own = {"PYTHON": sys.executable, "PYTHONPATH": path, "DREAMFARM_URL": farm.api_url, "DREAMFARM_KEY": ada.key}
    run = subprocess.run(
        ["/bin/sh", "-c", command], cwd=tmp_path, env={**os.environ, **own}, capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stderr
    for again in (answer.json(), ada.call(f"/v1/jobs/{run.stdout.strip()}")):
        assert {field: again[field] for field in SAME} == wanted
