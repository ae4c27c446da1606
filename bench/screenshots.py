"""Takes a picture of every page of the studio, on a farm with something to show: `python -m bench.screenshots`."""

from __future__ import annotations

import io
import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

from bench.shown import IMAGES, photo
from dreamfarm.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

FOLDER = IMAGES / "studio"
DESK, TELEPHONE = (1440, 900), (390, 844)
WIDEST_PX = 1200
QUALITY = 74
WAIT_MS = 180_000
SETTLE_MS = 1200


def main() -> None:
    """Dream some pictures on a farm of its own, and write a WebP of every page into `docs/images/studio`."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder, Stack(Path(folder), workers=1, keys=False) as stack, chromium() as browser:
        stack.wait_for_workers()
        files = [_written(Path(folder), turned) for turned in (0, 1, 2, 3)]
        page = _page(browser, stack.api_url)
        job, batch = _dream(page, files[0]), _sweep(page, files[0])
        _many(page, files)
        shots = {
            "dreams": "/jobs",
            "job": job,
            "batch": batch,
            "batches": "/batches",
            "farm": "/farm",
            "models": "/models",
            "settings": "/settings",
        }
        for name, path in shots.items():
            _shot(page, name, path)
        _telephone(browser, stack.api_url, job)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give a browser: Debian's Chromium, or what goes by that name."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise SystemExit("There is no Chromium here. On Debian: apt-get install chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


def _page(browser: Browser, url: str, *, size: tuple[int, int] = DESK, dark: bool = False) -> Page:
    context = browser.new_context(
        base_url=url,
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    return page


def _written(folder: Path, turned: int) -> str:
    """Write the photograph, cut and mirrored in one of four ways, so that a wall has several pictures."""
    image = Image.fromarray(photo())
    width, height = image.size
    image = image.crop((turned * width // 12, turned * height // 16, width, height))
    image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if turned % 2 else image
    path = folder / f"window-{turned + 1}.jpg"
    image.save(path, quality=92)
    return str(path)


def _choose(page: Page, files: list[str]) -> None:
    page.goto("/")
    page.wait_for_selector(".layer")
    page.set_input_files("#images", files)
    page.wait_for_selector("#stage:not([hidden])")


def _dream(page: Page, file: str) -> str:
    """Dream one picture, and take the page Dream, a mask on it, its preview, and its page half-way."""
    _choose(page, [file])
    page.check("input[value=eyes-and-creatures]", force=True)
    page.click("#quick")
    page.wait_for_selector("#preview .before:not([hidden])")
    _shot(page, "dream")
    page.click("#preview .close")
    page.click("#paint")
    _paint(page)
    _shot(page, "mask")
    page.click("#clear")
    page.fill("#steps", "40")
    page.click("#send")
    page.wait_for_url("**/jobs/*")
    page.wait_for_selector("#filmstrip li:nth-child(3) img")
    _shot(page, "growing")
    page.wait_for_selector("#compare .before:not([hidden])")
    return page.url


def _paint(page: Page) -> None:
    box = page.locator("#mask").bounding_box()
    if box is None:
        raise SystemExit("The mask is not shown.")
    x, y, width, height = box["x"], box["y"], box["width"], box["height"]
    page.mouse.move(x + width * 0.3, y + height * 0.7)
    page.mouse.down()
    for across, down in ((0.45, 0.55), (0.6, 0.7), (0.75, 0.6)):
        page.mouse.move(x + width * across, y + height * down, steps=6)
    page.mouse.up()


def _sweep(page: Page, file: str) -> str:
    _choose(page, [file])
    page.eval_on_selector("#sweep", "box => { box.open = true; }")
    page.fill("#steps", "8")
    for axis, name, values in (("a", "octaves", "2, 4"), ("b", "step_size", "0.01, 0.02, 0.04, 0.08")):
        page.select_option(f"#sweep-{axis}", name)
        page.fill(f"#sweep-{axis}-values", values)
    return _batch(page)


def _many(page: Page, files: list[str]) -> str:
    _choose(page, files)
    page.eval_on_selector("#sweep", "box => { box.open = true; }")
    page.fill("#steps", "6")
    page.select_option("#sweep-a", "smoothing")
    page.fill("#sweep-a-values", "0.2, 0.8, 1.6")
    return _batch(page)


def _batch(page: Page) -> str:
    page.wait_for_timeout(SETTLE_MS)
    page.click("#send")
    page.wait_for_url("**/batches/*")
    page.wait_for_selector("#state .badge[data-state=succeeded]")
    return page.url


def _telephone(browser: Browser, url: str, job: str) -> None:
    page = _page(browser, url, size=TELEPHONE, dark=True)
    for name, path in (("telephone-dream", "/"), ("telephone-job", job), ("telephone-dreams", "/jobs")):
        _shot(page, name, path)
    dark = _page(browser, url, dark=True)
    for name, path in (("dark-job", job), ("dark-farm", "/farm")):
        _shot(dark, name, path)


def _shot(page: Page, name: str, path: str | None = None) -> None:
    """Write what is seen, as it is, or of a path."""
    if path:
        page.goto(path)
        page.wait_for_load_state("networkidle")
    page.wait_for_timeout(SETTLE_MS)
    image = Image.open(io.BytesIO(page.screenshot()))
    image.thumbnail((WIDEST_PX, WIDEST_PX), Image.Resampling.LANCZOS)
    file = FOLDER / f"{name}.webp"
    image.convert("RGB").save(file, quality=QUALITY, method=6)
    print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
