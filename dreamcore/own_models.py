"""A user's own networks: described in a file beside them, so that nobody needs TensorFlow to know their layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dreamcore.catalog import MODELS, LayerSpec, ModelSpec
from dreamcore.errors import ModelFileError
from dreamcore.graph import InputMapping, Padding, Window
from dreamcore.networks.applications import CAFFE, LEVELS, PLAIN, TORCH

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = (".keras", ".h5", ".hdf5")
NAME = r"^[a-z0-9][a-z0-9_.-]{0,63}$"

Input = Literal["-1..1", "0..1", "0..255", "caffe", "torch"]
"""What a network takes: RGB in a range, or as Keras' `preprocess_input` of this mode makes it."""

MAPPINGS: dict[Input, InputMapping] = {
    "-1..1": PLAIN,
    "0..1": InputMapping("rgb", 0.5, (0.0, 0.0, 0.0)),
    "0..255": LEVELS,
    "caffe": CAFFE,
    "torch": TORCH,
}

Count = Annotated[int, Field(ge=1)]
Row = tuple[str, str, Count, Count, Count, Annotated[int, Field(ge=0)], float]


class OwnModel(BaseModel):
    """What is known of the network in a file; kept beside it as `NAME.json`.

    `layers` and `ways` are as `dreamcore.layer_table.describe` returns them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    file: Annotated[str, Field(pattern=r"^[^/\\]+$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    input: Input
    parameters: Count
    default_layers: dict[str, float]
    ways: tuple[tuple[tuple[int, int, Padding, int], ...], ...]
    layers: Annotated[tuple[Row, ...], Field(min_length=1)]

    def spec(self, name: str, folder: Path) -> ModelSpec:
        """Return the catalog's entry for it."""
        ways = [tuple(Window(*window) for window in way) for way in self.ways]
        layers = tuple(LayerSpec(*row[:5], ways[row[5]], row[6]) for row in self.layers)
        return ModelSpec(
            name=name,
            title=f"{self.file}, your own",
            mapping=MAPPINGS[self.input],
            min_size=_least_side(layers),
            default_layers=self.default_layers,
            layers=layers,
            parameters=self.parameters,
            file=folder / self.file,
            file_sha256=self.sha256,
        )


def add_folder(folder: Path | None) -> None:
    """Add the networks of a folder, those that `dreamfarm models add` described, to the catalog.

    Raises
    ------
    ModelFileError
        A description is damaged, or its network's name is taken.
    """
    for about in sorted(folder.glob("*.json")) if folder else ():
        add(read(about), about.stem, about.parent)


def add(own: OwnModel, name: str, folder: Path) -> ModelSpec:
    """Add a described network to the catalog, and return its entry.

    Raises
    ------
    ModelFileError
        Its name is another network's.
    """
    spec = own.spec(name, folder.resolve())
    try:
        MODELS.add(spec)
    except ValueError as error:
        raise ModelFileError(str(error)) from error
    return spec


def read(about: Path) -> OwnModel:
    """Read a description.

    Raises
    ------
    ModelFileError
        It is damaged.
    """
    try:
        return OwnModel.model_validate_json(about.read_bytes())
    except (OSError, ValidationError) as error:
        raise ModelFileError(
            f"{about} doesn't describe a network ({error}). Make it anew with `dreamfarm models add`."
        ) from error


def is_model_file(name: str) -> bool:
    """Whether a model's name is that of a file."""
    return name.lower().endswith(SUFFIXES)


def _least_side(layers: tuple[LayerSpec, ...]) -> int:
    side = 1
    while any(min(layer.shape(side, side)) < 1 for layer in layers):
        side += 1
    return side
