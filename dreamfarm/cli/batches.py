"""Batches on the command line: folders and sweeps, and how a batch stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dreamfarm.batch_calls import BELOW
from dreamfarm.cli.dream_options import parse_layers
from dreamfarm.cli.errors import CommandError, ExitCode
from dreamfarm.cli.output import counts_text, duration_text, print_note
from dreamfarm.errors import FarmError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dreamfarm.client import Farm
    from farm.batch_schema import BatchView

Source = Path | str
"""A picture: a file, or a URL; or several: s3: and a prefix in the farm's store."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp"})


def checked_source(text: str) -> Source:
    """Return what was named: a URL, a prefix in the farm's store, or a file or folder that is there."""
    if text.lower().startswith(("http://", "https://", BELOW)):
        return text
    if not Path(text).exists():
        raise typer.BadParameter(f"Path {text!r} does not exist.", param_hint="PICTURES")
    return Path(text)


def is_several(source: Source) -> bool:
    """Tell whether a source may be more than one picture."""
    return source.is_dir() if isinstance(source, Path) else source.startswith(BELOW)


def pictures_in(sources: Iterable[Source]) -> list[Source]:
    """Return the files and URLs, and every picture in and below the folders, each once."""
    found: dict[Source, None] = {}
    for path in sources:
        folder = isinstance(path, Path) and path.is_dir()
        inside = _pictures_below(Path(path)) if folder else [path]
        if not inside:
            raise CommandError(f"{path} holds no pictures ({', '.join(sorted(SUFFIXES))}).", ExitCode.USAGE)
        found.update(dict.fromkeys(inside))
    return list(found)


def _pictures_below(folder: Path) -> list[Source]:
    return [*sorted(one for one in folder.rglob("*") if one.suffix.lower() in SUFFIXES)]


def parse_sweep(texts: Iterable[str]) -> dict[str, Any]:
    """Read `step_size=0.01,0.02`: a list of values; lists joined by `;` go in step."""
    sweep: dict[str, Any] = {"product": {}, "zip": []}
    for text in texts:
        group = dict(map(_named_list, text.split(";")))
        if len(group) > 1:
            sweep["zip"].append(group)
        else:
            sweep["product"].update(group)
    return sweep


def _named_list(text: str) -> tuple[str, list[Any]]:
    name, separator, values = (part.strip() for part in text.partition("="))
    if not (name and separator and values):
        raise typer.BadParameter(f"{text!r} is no sweep; write for example step_size=0.01,0.02,0.04")
    name = name.replace("-", "_")
    return name, [_value(name, value.strip()) for value in values.split(",")]


def _value(name: str, text: str) -> Any:
    if name == "layers":
        return parse_layers(text)
    try:
        return json.loads(text)
    except ValueError:
        return text


def tell(batch: BatchView) -> None:
    """Say in a line how a batch stands."""
    left = f"; {duration_text(batch.eta_s)} left" if batch.eta_s else ""
    print_note(f"{batch.id}: {batch.total} jobs, {counts_text(batch)}{left}")
    for code, n in batch.failures.items():
        print_note(f"  {n} failed: {code}", style="red")


def batch_code(batch: BatchView) -> ExitCode:
    """Return how a command that waited for a batch ends."""
    if batch.counts.get("failed"):
        return ExitCode.FAILED
    return ExitCode.CANCELED if batch.counts.get("canceled") else ExitCode.OK


def find_batch(farm: Farm, wanted: str) -> BatchView | None:
    """Return the batch of this id; None where there is none."""
    try:
        return farm.batch(wanted)
    except FarmError as error:
        if error.status == 404:  # noqa: PLR2004  # not found
            return None
        raise
