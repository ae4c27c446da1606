"""Where a dream is written; what lies there already, and what an interrupted one left."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from dreamcore.errors import DreamError
from dreamcore.version import __version__
from dreamfarm.cli.again import recipe_in
from dreamfarm.cli.errors import CommandError, ExitCode
from dreamfarm.cli.results import folder_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dreamcore.params import DreamParams
    from dreamcore.recipe import Recipe
    from farm.schema import ResultFormat

FORMATS: dict[str, ResultFormat] = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}
ENDINGS: dict[ResultFormat, str] = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}


@dataclass(frozen=True)
class Wanted:
    """All that a dream depends on, but the device."""

    params: DreamParams
    input_sha256: str
    guides_sha256: tuple[str, ...]
    masks_sha256: tuple[str, ...]
    weights_sha256: str

    def is_made_by(self, recipe: Recipe) -> bool:
        """Tell whether a recipe, followed by this engine, makes this dream."""
        same = all(getattr(recipe, name) == value for name, value in vars(self).items())
        return same and recipe.engine_version == __version__


@dataclass(frozen=True)
class Target:
    """Where dreams are written.

    Parameters
    ----------
    output : a file, or a folder; None: beside each picture.
    format : of the file.
    """

    output: Path | None
    format: ResultFormat
    is_file: bool

    @classmethod
    def chosen(cls, output: Path | None, kind: ResultFormat | None, *, several: bool) -> Target:
        """Return where dreams go and in which format, which the name and --format must agree on."""
        named = FORMATS.get(output.suffix.lower()) if output else None
        if output is None or several or output.is_dir() or not output.suffix:
            if several and named:
                detail = f"{output} is one file, and there are several pictures: name a folder."
                raise CommandError(detail, ExitCode.USAGE)
            return cls(folder_for(output) if output else None, kind or "png", is_file=False)
        if named is None or (kind and named != kind):
            raise CommandError(f"{output}: name a .png, .jpg or .webp file that agrees with --format.", ExitCode.USAGE)
        if not output.parent.is_dir():
            raise CommandError(f"{output}: there is no folder {output.parent}.", ExitCode.USAGE)
        return cls(output, named, is_file=True)

    def place(self, picture: Path, wanted: Wanted) -> tuple[Path, bool]:
        """Return the file to write a picture's dream to, and whether this very dream lies there already.

        Other dreams are left where they are, unless their file was named.
        """
        for path in self._names(picture):
            is_there = path.exists() and _is_made(path, wanted)
            if is_there or self.is_file or not path.exists():
                return path, is_there
        raise AssertionError  # the names have no end

    def _names(self, picture: Path) -> Iterator[Path]:
        if self.is_file and self.output:
            yield self.output
            return
        folder = self.output or picture.parent
        for number in count(1):
            again = f"-{number}" if number > 1 else ""
            yield folder / f"{picture.stem}-dream{again}{ENDINGS[self.format]}"


def checkpoint_file(target: Path) -> Path:
    """Return where an interrupted dream leaves what it got to."""
    return target.with_name(f".{target.name}.checkpoint")


def _is_made(path: Path, wanted: Wanted) -> bool:
    try:
        recipe = recipe_in(path)
    except DreamError:
        return False  # no picture, or a damaged one
    return recipe is not None and wanted.is_made_by(recipe)
