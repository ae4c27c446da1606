"""The models one can dream with, and their layers: names, kinds and shapes, as data. Imports no TensorFlow."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from dreamcore.graph import InputMapping, Window
from dreamcore.networks import inception_v3, squeezenet
from dreamcore.networks.applications import APPLICATIONS, CLASSES, described

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from dreamcore.graph import Graph


SHOWN = 40
"""Names that an error message lists at most."""


@dataclass(frozen=True)
class LayerSpec:
    """A layer that can be dreamt with.

    `stride` and `receptive_field` are in px of the image; the field is the longer side of what one cell sees.
    """

    name: str
    kind: str
    channels: int
    stride: int
    receptive_field: int
    windows: tuple[Window, ...]
    multiply_adds: float = 0.0
    """Of all convolutions up to it, per px of the image."""

    def shape(self, height: int, width: int) -> tuple[int, int, int]:
        """Return (height, width, channels) of the activation of an image of this size."""
        for window in self.windows:
            height, width = window.size(height), window.size(width)
        return height, width, self.channels


@dataclass(frozen=True)
class ModelSpec:
    """A network; `min_size` is the shortest side of an image that it takes, in px."""

    name: str
    title: str
    mapping: InputMapping
    min_size: int
    default_layers: Mapping[str, float]
    layers: tuple[LayerSpec, ...]
    parameters: int
    graph: Graph | None = None
    """None where Keras runs the network."""
    class_layer: str | None = None
    """The layer that has a channel for each class of ImageNet, where there is one."""
    file: Path | None = None
    """The whole network, where it is a user's own."""
    file_sha256: str | None = None

    @property
    def nodes(self) -> Graph:
        """The network node by node.

        Raises
        ------
        ValueError
            Keras runs it as a whole.
        """
        if self.graph is None:
            raise ValueError(f"{self.name} is run by Keras, as a whole.")
        return self.graph

    def layer(self, name: str) -> LayerSpec:
        """Return a layer.

        Raises
        ------
        ValueError
            There is none of that name; the message names the nearest ones and all.
        """
        self.check_layers([name])
        return next(layer for layer in self.layers if layer.name == name)

    def check_layers(self, names: Iterable[str]) -> None:
        """Raise `ValueError` for a layer that is not the model's, naming the nearest ones and all."""
        known = [layer.name for layer in self.layers]
        for name in names:
            if name not in known:
                raise ValueError(f"{self.name} has no layer {name!r}. {_choices(name, known, 'Layers')}")

    def least_side(self, layers: Iterable[str], *, cells: int = 1) -> int:
        """Return the shortest side, in px, at which each layer's activation has `cells` along it."""
        specs = [self.layer(name) for name in layers]
        side = self.min_size
        while any(spec.shape(side, side)[0] < cells for spec in specs):
            side += 1
        return side


def get_model(name: str) -> ModelSpec:
    """Return a model of the catalog.

    Raises
    ------
    ValueError
        There is none of that name; the message names the nearest ones and all.
    """
    if name not in MODELS:
        raise ValueError(f"There is no model {name!r}. {_choices(name, list(MODELS), 'Models')}")
    return MODELS[name]


def _choices(wrong: str, known: list[str], kind: str) -> str:
    close = difflib.get_close_matches(wrong, known, n=3, cutoff=0.5)
    guess = f"Did you mean {' or '.join(map(repr, close))}? " if close else ""
    more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return f"{guess}{kind}: {', '.join(known[:SHOWN])}{more}."


def _layer(graph: Graph, name: str, kind: str) -> LayerSpec:
    height, width, stride = graph.reach(name)
    return LayerSpec(
        name=name,
        kind=kind,
        channels=graph.channels(name),
        stride=stride,
        receptive_field=max(height, width),
        windows=graph.windows(name),
    )


def _squeezenet() -> ModelSpec:
    graph = squeezenet.build()
    kinds = {"conv1": "convolution", **dict.fromkeys(squeezenet.FIRES, "fire"), "conv10": "convolution"}
    return ModelSpec(
        name="squeezenet",
        title="SqueezeNet 1.1, ImageNet",
        mapping=InputMapping("bgr", 127.5, (103.939, 116.779, 123.68)),
        min_size=32,
        default_layers={"fire8": 1.0, "fire9": 1.0},
        layers=tuple(_layer(graph, name, kind) for name, kind in kinds.items()),
        parameters=graph.parameters(),
        graph=graph,
        class_layer="conv10",
    )


def _inception_v3() -> ModelSpec:
    graph = inception_v3.build()
    names = [name for name in graph.nodes if name.startswith(("mixed", inception_v3.CLASSES))]
    return ModelSpec(
        name="inception_v3",
        title="Inception v3, ImageNet",
        mapping=InputMapping(),
        min_size=75,
        default_layers={"mixed4": 1.0, "mixed5": 1.5, "mixed6": 2.0, "mixed7": 2.5},
        layers=tuple(_layer(graph, name, "inception") for name in names),
        parameters=graph.parameters(),
        graph=graph,
        class_layer=inception_v3.CLASSES,
    )


def _application(name: str) -> ModelSpec:
    own, about = APPLICATIONS[name], described(name)
    ways = [tuple(Window(*window) for window in way) for way in about["ways"]]
    return ModelSpec(
        name=name,
        title=f"{own.builder}, ImageNet",
        mapping=own.mapping,
        min_size=own.min_size,
        default_layers=about["default_layers"],
        layers=(*(_described(row, ways) for row in about["layers"]), _classes(about["classes"])),
        parameters=about["parameters"],
        class_layer=CLASSES,
    )


def _classes(facts: Mapping[str, Any]) -> LayerSpec:
    windows = tuple(Window(*window) for window in facts["windows"])
    return LayerSpec(CLASSES, facts["kind"], facts["count"], facts["stride"], facts["field"], windows, facts["cost"])


def _described(row: list[Any], ways: list[tuple[Window, ...]]) -> LayerSpec:
    name, kind, channels, stride, field, way, multiply_adds = row
    return LayerSpec(name, kind, channels, stride, field, ways[way], multiply_adds)


class _Models(Mapping[str, ModelSpec]):
    """The models by name; each is read when it is first asked for."""

    def __init__(self) -> None:
        self._makers: dict[str, Callable[[], ModelSpec]] = {"squeezenet": _squeezenet, "inception_v3": _inception_v3}
        self._makers |= {name: partial(_application, name) for name in APPLICATIONS}
        self._made: dict[str, ModelSpec] = {}

    def __getitem__(self, name: str) -> ModelSpec:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def add(self, spec: ModelSpec) -> None:
        """Add a user's own model; that of the same file again takes its place.

        Raises
        ------
        ValueError
            The name is another model's.
        """
        if spec.name in self._makers and self[spec.name].file != spec.file:
            raise ValueError(f"There is a model {spec.name!r} already. Give {spec.file} another name.")
        self._makers[spec.name] = lambda: spec
        self._made[spec.name] = spec

    def remove(self, name: str) -> None:
        """Take a user's own model out again."""
        if self[name].file is None:
            raise ValueError(f"{name!r} is not one of your own models.")
        del self._makers[name], self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


MODELS = _Models()
