"""The studio in a real browser, on a whole farm: what people do there, from the picture to the dream."""

from __future__ import annotations

import io
import os
import re
import signal

import numpy as np
import pytest
from PIL import Image

from farm.batch_store import BatchInput, BatchSpec
from tests.support import picture, until

pytestmark = pytest.mark.slow

HOSTILE = """<img src=x onerror=alert(1)>"'&${7*7}.png"""
QUICK = {"octaves": 2, "steps": 2}
SLOW = {"octaves": 3, "steps": 400}
PAGES = ["/", "/jobs", "/batches", "/farm", "/models", "/settings"]


def slow_dream(visitor, jobs):
    """Begin a dream that takes a minute or more; it is canceled after the test."""
    visitor.choose(("slow.png", picture(320, 240)))
    visitor.set(**SLOW)
    jobs.append(visitor.dream())
    visitor.badge("Dreaming")
    return jobs[-1]


def told_of(answer, text):
    """Whether an answer is an estimate of what the page sent with this text in it."""
    return answer.url.endswith("/v1/estimate") and text in (answer.request.post_data or "")


def test_a_photo_is_dreamt_from_drop_to_download(visit):
    """Its page shows octaves and curve, before and after, settings to copy; the file's name stays text all the way."""
    ada = visit("ada", permissions=["clipboard-read", "clipboard-write"])
    ada.choose((HOSTILE, picture(128, 96)))
    assert HOSTILE in ada.page.inner_text("#file-name")
    ada.set(**QUICK)
    job = ada.dream()

    ada.page.wait_for_selector("#download:not([hidden])")
    ada.page.wait_for_selector("#compare .before:not([hidden])")
    ada.page.wait_for_selector("#curve polyline")
    assert ada.page.inner_text("#name") == HOSTILE
    assert ada.page.locator("#filmstrip img").count() == 3
    assert ada.page.locator("#curve polyline").count() == 2
    assert ada.call(f"/v1/jobs/{job}")["state"] == "succeeded"

    result = Image.open(io.BytesIO(ada.context.request.get(ada.page.get_attribute("#download", "href")).body()))
    assert result.size == (128, 96)
    ada.page.click("#copy-json")
    assert '"steps": 2' in ada.page.evaluate("navigator.clipboard.readText()")
    ada.page.click("#copy-cli")
    assert "--octaves 2 " in ada.page.evaluate("navigator.clipboard.readText()")

    ada.page.goto("/jobs")
    assert ada.page.wait_for_selector(".tile a").get_attribute("aria-label") == f"{HOSTILE}: Done"


def test_a_dream_that_was_dreamt_before_is_shown_at_once(visit):
    """With its curve and where it comes from; octaves that nobody kept for it are not promised."""
    ada = visit("ada")
    for name in ("first.png", "again.png"):
        ada.page.goto("/")
        ada.choose((name, picture(104, 96)))
        ada.set(**QUICK)
        ada.dream()
        ada.page.wait_for_selector("#download:not([hidden])")

    ada.page.wait_for_selector("#curve polyline")
    assert ada.page.locator("#curve polyline").count() == 2
    assert "from an earlier dream" in ada.page.inner_text("#record")
    assert ada.page.locator("#filmstrip img").count() == 0


def test_before_and_after_zoom_to_pixels(visit):
    """By the keyboard as well as by buttons; single pixels are squares then."""
    ada = visit("ada")
    ada.choose(("photo.png", picture(136, 96)))
    ada.set(**QUICK)
    ada.dream()
    ada.page.wait_for_selector("#compare .before:not([hidden])")

    ada.page.focus(".window")
    for _ in range(12):
        ada.page.keyboard.press("+")
    assert "pixels" in ada.page.get_attribute(".window", "class")
    ada.page.keyboard.press("1")
    assert ada.page.inner_text(".level") in {"Fit", "100 %"}
    ada.page.keyboard.press("0")
    assert ada.page.inner_text(".level") == "Fit"
    ada.page.fill(".slide", "80")
    assert ada.page.eval_on_selector(".plane", "plane => plane.style.getPropertyValue('--cut')") == "80%"


def test_a_dream_is_canceled_tried_again_and_deleted(visit, slow_job):
    """The page says each time how it stands, and offers what can be done then."""
    ada = visit("ada")
    job = slow_dream(ada, slow_job)

    ada.page.click("#cancel")
    ada.badge("Canceled")
    assert ada.page.is_hidden("#cancel")
    ada.page.click("#retry")
    ada.badge("Dreaming")
    assert len(ada.call(f"/v1/jobs/{job}")["attempts"]) == 2
    ada.page.click("#cancel")
    ada.badge("Canceled")
    slow_job.clear()
    ada.page.click("#delete")
    ada.page.wait_for_url("**/jobs")
    assert ada.call(f"/v1/jobs/{job}")["status"] == 404


def test_progress_is_shown_after_a_reload_in_mid_render(visit, slow_job):
    """The page goes on where it was: the bar, the curve, the steps."""
    ada = visit("ada")
    slow_dream(ada, slow_job)
    ada.page.wait_for_selector("#curve polyline")
    before = float(ada.page.eval_on_selector("#bar", "bar => bar.value"))

    ada.page.reload()
    ada.page.wait_for_selector("#curve polyline")
    until(lambda: ada.page.eval_on_selector("#bar", "bar => bar.value") > before)
    assert re.search(r"octave \d of 3, step \d+ of 400", ada.page.inner_text("#facts"))


def test_a_page_without_a_stream_looks_for_itself(visit):
    """Where the farm streams to as many as it can, the page asks for the job from time to time, to the end."""
    ada = visit("ada")
    ada.page.route("**/v1/jobs/*/events", lambda route: route.fulfill(status=429))
    ada.choose(("photo.png", picture(160, 120)))
    ada.set(**QUICK)
    ada.dream()

    ada.page.wait_for_selector("#download:not([hidden])")
    assert ada.page.locator("#filmstrip img").count() == 3


def test_an_open_page_outlives_the_api(visit, farm, slow_job):
    """It says that the farm doesn't answer, and goes on by itself once it does."""
    ada = visit("ada")
    slow_dream(ada, slow_job)
    ada.page.wait_for_selector("#curve polyline")

    os.kill(farm._api.pid, signal.SIGKILL)
    ada.page.wait_for_selector("#line:not([hidden])")
    ada.page.wait_for_selector("#line", state="hidden")
    before = float(ada.page.eval_on_selector("#bar", "bar => bar.value"))
    until(lambda: ada.page.eval_on_selector("#bar", "bar => bar.value") > before)


def test_a_sweep_is_a_labelled_grid(visit):
    """Each dream stands at its row and column; sheet and zip can be had."""
    ada = visit("ada")
    ada.choose(("photo.png", picture(96, 80)))
    ada.set(**QUICK)
    ada.page.eval_on_selector("#sweep", "box => { box.open = true; }")
    ada.page.select_option("#sweep-a", "octaves")
    ada.page.fill("#sweep-a-values", "1..2")
    ada.page.select_option("#sweep-b", "seed")
    ada.page.fill("#sweep-b-values", "3, 4, 5")
    ada.page.wait_for_selector("#send:has-text('Dream 6')")
    batch = ada.dream()

    ada.page.wait_for_selector("#grid .tile[data-state=succeeded] img")
    until(lambda: ada.page.locator("#grid .tile[data-state=succeeded]").count() == 6)
    assert ada.page.locator("#grid th").all_inner_texts() == ["seed 3", "seed 4", "seed 5", "octaves 1", "octaves 2"]
    link = ada.page.locator("#grid tbody tr").nth(1).locator("a").nth(2).get_attribute("href")
    params = ada.call(f"/v1{link}")["params"]
    assert (params["octaves"], params["seed"]) == (2, 5)
    for path in ("sheet.jpg", "results.zip"):
        assert ada.context.request.get(f"/v1/batches/{batch}/{path}").ok


def test_a_sweep_of_many_pictures_has_their_names_at_its_rows(visit):
    """One setting across, the pictures down."""
    ada = visit("ada")
    ada.choose(*[(f"{number}.png", picture(72, 64, seed=number)) for number in range(2)])
    ada.set(octaves=1, steps=1)
    ada.page.eval_on_selector("#sweep", "box => { box.open = true; }")
    ada.page.select_option("#sweep-a", "seed")
    ada.page.fill("#sweep-a-values", "1, 2")
    ada.page.wait_for_selector("#send:has-text('Dream 4')")
    ada.dream()

    wanted = ["seed 1", "seed 2", "0.png", "1.png"]
    until(lambda: ada.page.locator("#grid th").all_inner_texts() == wanted)


def test_many_pictures_make_one_batch(visit):
    """Each is a dream of its own name; those selected on the wall are deleted together."""
    ada = visit("ada")
    ada.choose(*[(f"{number}.png", picture(64, 64, seed=number)) for number in range(4)])
    assert ada.page.locator("#strip li").count() == 4
    ada.set(octaves=1, steps=1)
    batch = ada.dream()

    until(lambda: ada.page.locator("#wall .tile[data-state=succeeded]").count() == 4)
    names = [job["name"] for job in ada.call(f"/v1/jobs?batch={batch}")["jobs"]]
    assert sorted(names) == ["0.png", "1.png", "2.png", "3.png"]
    labels = ada.page.eval_on_selector_all(
        "#wall .tile a", "tiles => tiles.map((tile) => tile.getAttribute('aria-label'))"
    )
    assert sorted(labels) == [f"{name}: Done" for name in sorted(names)]
    ada.page.click("#all-chosen")
    assert ada.page.inner_text("#chosen-count") == "4 dreams selected"
    ada.page.click("#delete-chosen")
    until(lambda: ada.page.locator("#wall .tile[data-state=succeeded]").count() == 0)
    assert ada.call(f"/v1/jobs?batch={batch}")["jobs"] == []


def test_a_painted_mask_and_a_guide_go_with_the_picture(visit):
    """The mask is of the picture's size, white where the brush went; a guide makes the dream follow it."""
    ada = visit("ada")
    ada.choose(("photo.png", picture(200, 100)))
    ada.page.click("#paint")
    box = ada.page.locator("#mask").bounding_box()
    ada.page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2)
    ada.page.mouse.down()
    ada.page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2, steps=3)
    ada.page.mouse.up()
    ada.page.set_input_files("#guide", [{"name": "g.png", "mimeType": "image/png", "buffer": picture(64, 64, seed=1)}])
    ada.set(octaves=1, steps=1)
    job = ada.call(f"/v1/jobs/{ada.dream()}")

    assert job["params"]["objective"] == "guide-match"
    assert len(job["guides"]) == 1
    [mask] = job["masks"]
    stored = ada.context.request.get(f"/v1/pictures/{mask['sha256']}/content").body()
    pixels = np.asarray(Image.open(io.BytesIO(stored)).convert("L"))
    assert pixels.shape == (100, 200)
    assert pixels[50, 54] == 255
    assert pixels[50, 150] == 0


def test_a_preview_shows_and_leaves_nothing(visit):
    """It is dreamt small and short, before all else, shown over the picture, and removed when it is closed."""
    ada = visit("preview-lover")
    ada.choose(("large.png", picture(900, 600)))
    ada.set(octaves=6, steps=20, step_size=0.02)
    ada.page.click("#quick")
    ada.page.wait_for_selector("#preview .before:not([hidden])")
    assert ada.page.eval_on_selector("#preview .after", "image => image.naturalWidth") == 256
    [job] = ada.call("/v1/jobs")["jobs"]
    wanted = {"octaves": 3, "steps": 8, "step_size": pytest.approx(0.05)}
    assert {name: job["params"][name] for name in wanted} == wanted
    assert job["priority"] == 9
    ada.page.click("#preview .close")

    until(lambda: ada.call("/v1/jobs")["jobs"] == [])


def test_the_estimate_follows_the_settings(visit):
    """More steps take longer, which the page says before anything is handed in; what can't be is said as well."""
    ada = visit("ada")
    ada.choose(("photo.png", picture(640, 480)))
    found = []
    for steps in (900, 9):
        with ada.page.expect_response(lambda answer, text=f'"steps":{steps},': told_of(answer, text)) as asked:
            ada.set(steps=steps)
        found.append(asked.value.json()["pixel_steps"])
    assert found[0] == 100 * found[1]

    ada.set(octaves=99)
    ada.page.wait_for_selector("#problem:has-text('Octaves')")


def test_a_preset_and_an_earlier_dream_fill_the_settings_in(visit):
    """What a look sets shows in the sliders; so does what a dream was made with, to change and dream again."""
    ada = visit("ada")
    ada.choose(("photo.png", picture(96, 80)))
    ada.page.check("input[value=molten-color]", force=True)
    assert ada.page.input_value("#smoothing") == "1.2"
    ada.set(octaves=1, steps=3)
    job = ada.dream()

    ada.page.goto(f"/?from={job}")
    ada.page.wait_for_selector("#stage:not([hidden])")
    assert [ada.page.input_value(f"#{name}") for name in ("octaves", "steps", "smoothing")] == ["1", "3", "1.2"]
    assert ada.page.locator(".layer.chosen").all_inner_texts() == ["fire3"]
    ada.set(seed=7)
    again = ada.call(f"/v1/jobs/{ada.dream()}")
    assert {**again["params"], "seed": 0, "preset": ""} == {**ada.call(f"/v1/jobs/{job}")["params"], "preset": ""}


def test_signing_in_and_out(visit, services):
    """A wrong key is told; the right one opens the page and outlives a reload; after signing out it is asked again."""
    guest = visit()
    guest.page.goto("/jobs")
    guest.page.wait_for_selector("#sign-in[open]")
    guest.page.fill("#key", "df_wrong")
    guest.page.press("#key", "Enter")
    guest.page.wait_for_selector('#key-problem:has-text("doesn\'t know this key")')

    _, token = services.api_keys.create("grace", ["read", "submit"])
    guest.page.fill("#key", token)
    guest.page.press("#key", "Enter")
    guest.page.wait_for_selector("#owner:has-text('grace')")
    guest.page.reload()
    guest.page.wait_for_selector("#owner:has-text('grace')")
    assert guest.page.evaluate("document.cookie") == ""
    guest.page.click("#sign-out")
    guest.page.wait_for_selector("#sign-in[open]")
    assert guest.context.cookies() == []


def test_two_owners_see_their_own(visit):
    """Bob's wall is empty, and Ada's dream is not there for him."""
    ada, bob = visit("ada"), visit("bob")
    ada.choose(("photo.png", picture(64, 64)))
    ada.set(octaves=1, steps=1)
    job = ada.dream()

    bob.page.goto("/jobs")
    bob.page.wait_for_selector("#empty:not([hidden])")
    bob.page.goto(f"/jobs/{job}")
    bob.page.wait_for_selector("#waiting:has-text('There is no such dream')")
    bob.page.goto("/settings")
    bob.page.wait_for_selector("#me dd:has-text('bob')")
    assert bob.page.is_hidden("#keys-box")


def test_an_admin_makes_a_key_that_opens(visit):
    """It is shown once; revoked, it opens nothing."""
    root = visit("root", "admin")
    root.page.goto("/settings")
    root.page.fill("#key-owner", "linus")
    root.page.click("#new-key button")
    token = root.page.wait_for_selector("#made-key:not([hidden]) code").inner_text()
    bearer = {"headers": {"Authorization": f"Bearer {token}"}}

    assert root.context.request.get("/v1/session", **bearer).json()["owner"] == "linus"
    root.page.click("#keys tr:has-text('linus') button")
    root.page.wait_for_selector("#keys tr.gone:has-text('linus')")
    assert root.context.request.get("/v1/session", **bearer).status == 401


def test_a_wall_of_ten_thousand_holds_few_tiles(visit, services):
    """Only what is in sight is on the page, wherever one scrolls to; arrows go from tile to tile."""
    seen = services.pictures.look_at(picture())
    services.pictures.keep(seen, owner="ada")
    batch = services.batches.create(BatchSpec(owner="ada"), [BatchInput(sha256=seen.view.sha256)] * 10_000)
    services.batches.cancel(batch.id)
    ada = visit("ada")
    ada.page.goto(f"/batches/{batch.id}")
    ada.page.wait_for_selector("#wall .tile")

    for share in (0.5, 1):
        ada.page.evaluate(f"scrollTo(0, document.body.scrollHeight * {share})")
        ada.page.wait_for_timeout(200)
        assert 20 < ada.page.locator("#wall .tile").count() < 400
    assert ada.page.locator("#wall .tile").last.get_attribute("aria-posinset") == "10000"


@pytest.mark.parametrize(("scheme", "rules"), [("light", {}), ("dark", {"runOnly": ["color-contrast"]})])
def test_screen_readers_and_keyboards_find_nothing_serious(visit, scheme, rules):
    """As axe judges each page, filled with what is there by now, at the width of a telephone and of a desk."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    root = visit("root", "admin", color_scheme=scheme, reduced_motion="reduce")
    paths = [*PAGES, *[f"/jobs/{job['id']}" for job in root.call("/v1/jobs?limit=1&state=succeeded")["jobs"]]]
    found = {}
    for path in paths if scheme == "light" else ("/", "/farm", paths[-1]):
        root.page.set_viewport_size({"width": 390 if path in {"/", "/farm"} else 1440, "height": 900})
        root.page.goto(path)
        root.page.wait_for_load_state("networkidle")
        violations = axe.run(root.page, options=rules).response["violations"]
        found[path] = [
            (one["id"], one["nodes"][0]["html"]) for one in violations if one["impact"] in {"serious", "critical"}
        ]

    assert found == {path: [] for path in found}
