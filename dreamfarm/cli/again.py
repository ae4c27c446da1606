"""`--again`: a result's recipe read back, and the pictures that it was made of found by their SHA-256."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from dreamcore.pictures import read_recipe
from dreamcore.recipe import Recipe
from dreamfarm.cli.batches import SUFFIXES
from dreamfarm.cli.errors import CommandError, ExitCode, naming
from dreamfarm.cli.local import sha256_of
from dreamfarm.cli.output import print_note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

WHOLE_LOOKS = ("preset", "profile")
"""What fills in parameters that aren't given; a recipe gives all of them."""


class Earlier:
    """An earlier result, to be dreamt again.

    Parameters
    ----------
    file : the result.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.recipe = _recipe(file)

    def params(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return its parameters, changed; layers and terms of another network are not kept."""
        for name in WHOLE_LOOKS:
            if name in changes:
                detail = f"--{name} fills in what isn't given, and --again gives everything. Leave one of them out."
                raise CommandError(detail, ExitCode.USAGE)
        params = self.recipe.params.model_dump(mode="json")
        if changes.get("model", params["model"]) != params["model"]:
            params = {name: value for name, value in params.items() if name not in {"layers", "terms"}}
        return {**params, **changes}

    def picture(self) -> Path:
        """Return the picture that it was made from."""
        return self._found([self.recipe.input_sha256], "picture", "Name it before --again.")[0]

    def guides(self, given: Sequence[Path] | None) -> list[Path]:
        """Return the guides that were given, or else those that it was made with."""
        return list(given or self._found(self.recipe.guides_sha256, "guide", "Name it with --guide."))

    def masks(self, given: Sequence[Path] | None) -> list[Path]:
        """Return the masks that were given, or else those that it was made with."""
        return list(given or self._found(self.recipe.masks_sha256, "mask", "Name it with --mask."))

    def warn(self, pictures: Sequence[Path]) -> None:
        """Say so where it was made from another picture."""
        for picture in pictures:
            if sha256_of(picture) != self.recipe.input_sha256:
                print_note(f"{picture} is not the picture that {self.file} was made from.", style="yellow")

    def _found(self, wanted: Sequence[str], what: str, fix: str) -> list[Path]:
        if not wanted:
            return []
        beside = sorted(one for one in self.file.parent.iterdir() if one.suffix.lower() in SUFFIXES and one.is_file())
        found = {sha256_of(one): one for one in beside}
        for sha256 in wanted:
            if sha256 not in found:
                place = self.file.parent.resolve()
                detail = f"{self.file} was made with a {what} that is not in {place} (SHA-256 {sha256[:12]}…). {fix}"
                raise CommandError(detail, ExitCode.NOT_FOUND)
        return [found[sha256] for sha256 in wanted]


def recipe_in(file: Path) -> Recipe | None:
    """Return the recipe in a picture's file; None where there is none that is understood."""
    try:
        return Recipe.model_validate_json(read_recipe(file.read_bytes()) or "")
    except ValidationError:
        return None


def _recipe(file: Path) -> Recipe:
    with naming(file):
        recipe = recipe_in(file)
    if recipe is None:
        raise CommandError(f"{file} has no recipe: it is no dream, or a program has removed it.", ExitCode.USAGE)
    return recipe
