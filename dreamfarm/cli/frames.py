"""A zoom's frames in a folder, one PNG each, so that an interrupted zoom goes on from the last whole one."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING

from dreamcore.errors import PictureError
from dreamcore.pictures import Picture, decode, encode, to_8_bit
from dreamfarm.cli.errors import CommandError, ExitCode
from dreamfarm.files import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

ABOUT = "zoom.json"
NAME = re.compile(r"frame-\d{5}\.png")


class FrameFolder:
    """The frames of one zoom, numbered from 1.

    Parameters
    ----------
    path
        The folder; made where it isn't there.
    about
        What the frames depend on, as text; frames of something else are never gone on from.
    """

    def __init__(self, path: Path, about: str) -> None:
        self.path = path
        path.mkdir(exist_ok=True)
        note = path / ABOUT
        if note.exists() and note.read_text() != about:
            raise CommandError(
                f"{path} holds frames of another zoom: remove it, or name another file with --output.", ExitCode.USAGE
            )
        if not note.exists():
            self._refuse_strangers()
            with whole_file(note) as file:
                file.write(about.encode())
        self.done = next(number for number in count() if not self._file(number + 1).exists())

    def add(self, frame: NDArray[np.uint8]) -> None:
        """Save the next frame; it appears whole or not at all."""
        with whole_file(self._file(self.done + 1)) as file:
            file.write(encode(Picture(frame)))
        self.done += 1

    def last(self) -> NDArray[np.uint8] | None:
        """Return the last frame; None where there is none."""
        return self._read(self.done) if self.done else None

    def read_all(self, frames: int) -> Iterator[NDArray[np.uint8]]:
        """Yield so many frames in their order."""
        return (self._read(number) for number in range(1, frames + 1))

    def remove(self) -> None:
        """Remove the frames, and the folder where it holds nothing else."""
        for file in self.path.iterdir():
            if file.name == ABOUT or NAME.fullmatch(file.name):
                file.unlink()
        if not any(self.path.iterdir()):
            self.path.rmdir()

    def _file(self, number: int) -> Path:
        return self.path / f"frame-{number:05}.png"

    def _read(self, number: int) -> NDArray[np.uint8]:
        file = self._file(number)
        try:
            return to_8_bit(decode(file.read_bytes()).rgb)
        except PictureError as error:
            raise PictureError(f"{file}: {error} Remove it; the zoom goes on from the frame before.") from None

    def _refuse_strangers(self) -> None:
        if any(self.path.iterdir()):
            raise CommandError(f"{self.path} is a folder with other files in it; name a new one.", ExitCode.USAGE)
