"""`python -m tests.fuzz.one TARGET FOLDER OPTION…`: one target, in a process of its own, instrumented and confined.

What it finds lies in FOLDER/findings afterwards: the bytes, and beside them what they did. libFuzzer's options follow.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from io import StringIO
from pathlib import Path
from random import Random

import atheris

READERS = ("checkpoint", "colour_space", "deep_colour", "embedding", "masks", "pictures", "recipe")
COUNTED = ["PIL", *(f"dreamcore.{name}" for name in READERS), "farm.decoder", "html", "json", "tests.fuzz", "zipfile"]

with atheris.instrument_imports(include=COUNTED):
    from PIL import (  # noqa: F401  # what Pillow loads late, it would load without counters
        BmpImagePlugin,
        GifImagePlugin,
        ImageCms,
        JpegImagePlugin,
        MpoImagePlugin,
        PngImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    )

    from farm.decoder import confine_memory
    from farm.decoders import BASE_BYTES, BYTES_PER_PIXEL
    from tests.fuzz.mending import mended
    from tests.fuzz.targets import FOR_TESTS, MOST_PIXELS, TARGETS

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
FORBIDDEN = ("os.", "socket.", "subprocess.", "shutil.", "tempfile.", "ctypes.")
HARMLESS = frozenset({"os.listdir", "os.scandir", "os.walk", "os.fwalk"})


class Watch:
    """Runs a target, and keeps what it does that it may not: raise, print, write a file, start or call anything."""

    def __init__(self, target, folder):
        self.target = target
        self.folder = folder / "findings"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.said, self.done, self.is_on = StringIO(), "", False
        sys.stdout = sys.stderr = self.said  # libFuzzer writes past Python
        sys.addaudithook(self.hear)

    def hear(self, event, arguments):
        """Note an event of Python's that no reader of bytes causes."""
        if self.is_on and _is_forbidden(event, arguments):
            self.done = f"{event} {arguments!r:.200}"

    def __call__(self, data):
        """Run the target, and keep what is wrong with what it does."""
        self.done, self.is_on = "", True
        try:
            self.target(data)
        except Exception as error:  # noqa: BLE001  # each is a finding
            self.is_on = False
            self.keep(data, f"{type(error).__name__}-{_place(error)}", traceback.format_exc())
        self.is_on = False
        if self.done:
            self.keep(data, self.done.split()[0], self.done)
        if said := self.said.getvalue():
            self.keep(data, f"printed-{re.sub(r'[^a-zA-Z]+', '-', said)[-40:]}", said)
            self.said.seek(0)
            self.said.truncate()

    def keep(self, data, name, text):
        """Store a finding; a second one of its kind at the same place says nothing new."""
        file = self.folder / name
        if not file.exists():
            file.write_bytes(data)
            file.with_name(f"{name}.txt").write_text(text)


def _place(error):
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).stem}-{frame.lineno}"


def _is_forbidden(event, arguments):
    if event == "open":
        _, mode, flags = arguments
        return bool((flags or 0) & WRITING) or bool(set(mode or "") & set("wax+"))
    return event.startswith(FORBIDDEN) and event not in HARMLESS


def mutate(data, max_size, seed):
    """Return changed bytes, three times of four with checksums that fit them."""
    changed = atheris.Mutate(data, max_size)
    return mended(changed)[:max_size] if Random(seed).randrange(4) else changed  # noqa: S311  # no secret


def main(name, folder, *options):
    """Fuzz, and never return."""
    confine_memory(BASE_BYTES + BYTES_PER_PIXEL * MOST_PIXELS)
    watch = Watch({**TARGETS, **FOR_TESTS}[name], Path(folder))
    atheris.Setup([sys.argv[0], *options], watch, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
