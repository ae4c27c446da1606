"""Runs the tutorial's commands on a farm, and keeps its pictures: ``python -m bench.tutorial``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from bench.shown import IMAGES
from dreamfarm.photograph import photo_at_hand
from dreamfarm.stack import Stack
from infra.site.examples import commands

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PAGE = IMAGES.parent / "tutorial.md"
GUIDE = IMAGES / "presets" / "birds-of-paradise.jpg"
HEIGHT_PX, GAP_PX, QUALITY = 230, 6, 82
STRIPS = {
    "first": ["photo.jpg", "first/*"],
    "layers": ["early/*", "middle/*", "late/*"],
    "strength": ["gentle/*", "wild/*"],
    "guided": ["guide.jpg", "guided/*"],
    "preset": ["dreams/*"],
}


def main() -> None:
    """Run the page's commands as a reader would, and lay what they leave side by side."""
    with tempfile.TemporaryDirectory() as name, Stack(Path(name) / "farm", workers=1) as stack:
        stack.wait_for_workers()
        folder = Path(name)
        shutil.copy(photo_at_hand(), folder / "photo.jpg")
        shutil.copy(GUIDE, folder / "guide.jpg")
        run_commands(folder, stack.child_environment() | {"DREAMFARM_URL": stack.api_url})
        for strip, patterns in STRIPS.items():
            files = [file for pattern in patterns for file in sorted(folder.glob(pattern))]
            _save(files, IMAGES / "tutorial" / f"{strip}.jpg")


def run_commands(folder: Path, environment: Mapping[str, str], *, page: Path = PAGE) -> None:
    """Run a page's commands in a folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    for block in commands(page):
        subprocess.run(["bash", "-e", "-c", block], check=True, cwd=folder, env={**environment, "PATH": path})  # noqa: S603, S607  # our own page


def _save(files: Sequence[Path], path: Path) -> None:
    pictures = [ImageOps.contain(Image.open(file).convert("RGB"), (10_000, HEIGHT_PX)) for file in files]
    width = sum(one.width for one in pictures) + GAP_PX * (len(pictures) - 1)
    strip = Image.new("RGB", (width, HEIGHT_PX), "white")
    left = 0
    for one in pictures:
        strip.paste(one, (left, 0))
        left += one.width + GAP_PX
    path.parent.mkdir(exist_ok=True)
    strip.save(path, quality=QUALITY, optimize=True)


if __name__ == "__main__":
    main()
