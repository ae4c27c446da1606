"""The pictures of a sweep as one picture with labelled axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Mapping

CELL_PX = 256
GAP_PX = 8
LABEL_PX = 14
TOP_PX = 2 * LABEL_PX
SIDE_PX = 180
PAPER = "white"
INK = (40, 40, 40)
MISSING = (225, 225, 225)


@dataclass(frozen=True)
class Grid:
    """How many columns a sheet has, and what its columns and rows are called."""

    columns: tuple[str, ...]
    rows: tuple[str, ...]


def grid_of(sweep: Mapping[str, Any], inputs: list[str]) -> Grid:
    """Return the grid of a sweep: its last list across, the pictures and all other lists down."""
    lists = [[f"{name}={_short(value)}" for value in values] for name, values in sweep.get("product", {}).items()]
    lists += [_group(group) for group in sweep.get("zip", [])]
    *down, across = lists or [[""]]
    rows = inputs
    for labels in down:
        rows = [f"{row}  {label}".strip() for row in rows for label in labels]
    return Grid(tuple(across), tuple(rows))


def contact_sheet(grid: Grid, pictures: Mapping[int, Image.Image]) -> Image.Image:
    """Draw pictures by their number, row by row; the place of one that is missing stays grey."""
    pitch = CELL_PX + GAP_PX
    size = (SIDE_PX + pitch * len(grid.columns), TOP_PX + pitch * len(grid.rows))
    sheet = Image.new("RGB", size, PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(LABEL_PX)
    for column, label in enumerate(grid.columns):
        draw.text((SIDE_PX + column * pitch, GAP_PX), _cut(label, CELL_PX, font), INK, font)
    for row, label in enumerate(grid.rows):
        draw.text((GAP_PX, TOP_PX + row * pitch), _cut(label, SIDE_PX - 2 * GAP_PX, font), INK, font)
    for number in range(len(grid.columns) * len(grid.rows)):
        row, column = divmod(number, len(grid.columns))
        sheet.paste(_cell(pictures.get(number)), (SIDE_PX + column * pitch, TOP_PX + row * pitch))
    return sheet


def _group(group: Mapping[str, list[Any]]) -> list[str]:
    steps = zip(*group.values(), strict=True)
    return [", ".join(f"{name}={_short(value)}" for name, value in zip(group, step, strict=True)) for step in steps]


def _short(value: Any) -> str:
    return "+".join(value) if isinstance(value, dict) else str(value)


def _cut(text: str, width_px: int, font: Any) -> str:
    if font.getlength(text) <= width_px:
        return text
    while text and font.getlength(f"{text}…") > width_px:
        text = text[:-1]
    return f"{text}…"


def _cell(picture: Image.Image | None) -> Image.Image:
    cell = Image.new("RGB", (CELL_PX, CELL_PX), PAPER if picture else MISSING)
    if picture is not None:
        small = picture.convert("RGB")
        small.thumbnail((CELL_PX, CELL_PX), Image.Resampling.LANCZOS)
        cell.paste(small, ((CELL_PX - small.width) // 2, (CELL_PX - small.height) // 2))
    return cell
