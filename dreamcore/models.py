"""Networks with their weights, ready to dream with."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamcore import catalog
from dreamcore.ascent import StepRules, compile_features, compile_move, compile_step, compile_tile
from dreamcore.errors import WeightsError
from dreamcore.own_models import is_model_file
from dreamcore.runs import Run
from dreamcore.weights import Weights, load_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dreamcore.catalog import ModelSpec


class Model:
    """A network and its weights; compiled functions are made once and kept."""

    def __init__(self, spec: ModelSpec, weights: Weights) -> None:
        self.spec = spec
        self.weights = weights
        self._steps: dict[StepRules, Callable[..., Any]] = {}
        self._halves: dict[StepRules, tuple[Callable[..., Any], Callable[..., Any]]] = {}
        self._runs: dict[StepRules, Run] = {}
        self._features: dict[tuple[str, ...], Callable[..., Any]] = {}

    @property
    def name(self) -> str:
        """The model's name in the catalog."""
        return self.spec.name

    @property
    def weights_sha256(self) -> str:
        """SHA-256 of the weights' file, or of the arrays where there is none."""
        return self.weights.sha256

    def check_classes(self, layers: Sequence[str]) -> None:
        """Raise `WeightsError` where one of the layers are the classes, and their weights can't be had."""
        wanted = self.spec.class_layer
        arrays = self.weights.arrays
        if wanted in layers and isinstance(arrays, Mapping) and wanted not in arrays:
            raise WeightsError(
                f"The weights of {self.name} end before its classes. Give it the file that has them too, in place of "
                "the one that is called notop."
            )
        if wanted in layers and not isinstance(arrays, Mapping):
            _ = arrays.classes  # loaded by now, for inside a compiled function it is too late

    def step(self, rules: StepRules) -> Callable[..., Any]:
        """Return the compiled step for these rules; see `dreamcore.ascent.compile_step`."""
        if rules not in self._steps:
            self._steps[rules] = compile_step(self.spec, self.weights.arrays, rules)
        return self._steps[rules]

    def run(self, rules: StepRules) -> Run:
        """Return the step's repetition in one compiled call."""
        if rules not in self._runs:
            self._runs[rules] = Run(self.spec, self.weights.arrays, rules)
        return self._runs[rules]

    def step_halves(self, rules: StepRules) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """Return the step in two: `dreamcore.ascent.compile_tile` and `compile_move`."""
        if rules not in self._halves:
            tile = compile_tile(self.spec, self.weights.arrays, rules)
            self._halves[rules] = tile, compile_move(rules)
        return self._halves[rules]

    def features(self, layers: tuple[str, ...]) -> Callable[..., Any]:
        """Return the compiled activations of these layers; see `dreamcore.ascent.compile_features`."""
        if layers not in self._features:
            self.check_classes(layers)
            self._features[layers] = compile_features(self.spec, self.weights.arrays, layers)
        return self._features[layers]


def load_model(name: str | Path, weights: str | Path = "imagenet", *, weights_dir: str | Path | None = None) -> Model:
    """Load a network; the same arguments give the same object again.

    Parameters
    ----------
    name
        From the catalog: `dreamcore.catalog.MODELS`; or the path of a whole Keras model, ``.keras`` or ``.h5``, which
        is in the catalog from then on, under the file's name.
    weights
        "imagenet"; "random", always the same ones; or the path of a file of weights.
    weights_dir
        Folder where ImageNet weights are looked for first.

    Raises
    ------
    ValueError
        The catalog holds no such model.
    ModelFileError
        The file holds no network that can be dreamt with.
    WeightsError
        The weights can't be had, or are not what they should be; the message names the ways to provide them.
    """
    spec = _of_file(Path(name)) if is_model_file(str(name)) else catalog.get_model(str(name))
    return _load(spec.name, spec.file_sha256, str(weights), None if weights_dir is None else str(weights_dir))


def _of_file(path: Path) -> ModelSpec:
    from dreamcore.model_files import add_file  # noqa: PLC0415  # loads Keras, which few models need

    return add_file(path)


@lru_cache(maxsize=8)
def _load(name: str, _file_sha256: str | None, weights: str, weights_dir: str | None) -> Model:
    spec = catalog.get_model(name)
    return Model(spec, load_weights(spec, weights, weights_dir=Path(weights_dir) if weights_dir else None))
