"""Pictures in the terminal: by its own protocol where it has one, as coloured half-blocks else."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from PIL import Image
from rich.console import Console
from rich.segment import Segments

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

SHARE = 0.6
"""Of the terminal's height, what a picture may take."""
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif"})
LEAST_ROWS = 4
MARGIN_ROWS = 6
# It says so, with a stack trace, where a terminal doesn't tell how large its characters are.
logging.getLogger("textual_image").setLevel(logging.ERROR)

ENOUGH_COLOURS = frozenset({"truecolor", "256"})


def can_show(console: Console) -> bool:
    """Tell whether pictures can be seen there; the terminal is asked, so not while anything is drawn."""
    streams = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    if not (console.is_terminal and console.color_system in ENOUGH_COLOURS):
        return False
    if not all(stream is not None and stream.isatty() for stream in streams):
        return False
    _library()
    return True


def half_blocks(image: Image.Image, console: Console) -> RenderableType:
    """Return a picture as text, two pixels to a character, no higher than a live display may be."""
    drawn = _library().HalfcellImage(image, width="auto", height="auto")
    return Segments(list(console.render(drawn, console.options.update(height=_rows(console)))))


def show_file(path: Path, console: Console) -> None:
    """Print a picture as well as the terminal can."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    console.print(_library().Image(image, width="auto", height="auto"), height=_rows(console))


def present(path: Path, *, wanted: bool = True) -> None:
    """Show a result where it is a picture, the terminal can, and it is wanted."""
    console = Console(stderr=True)
    if wanted and path.suffix.lower() in PICTURES and can_show(console):
        show_file(path, console)


def _library() -> Any:
    """Return what draws pictures; importing it asks the terminal what it knows and how large its characters are."""
    from textual_image import renderable  # noqa: PLC0415  # as said, so for terminals alone

    return renderable


def _rows(console: Console) -> int:
    return max(LEAST_ROWS, min(int(console.height * SHARE), console.height - MARGIN_ROWS))
