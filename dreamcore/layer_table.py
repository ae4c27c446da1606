"""What Keras knows of a convolutional network's layers: kinds, channels, strides, receptive fields, costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import keras

from dreamcore.keras_network import foldable, last_features, lasting_names
from dreamcore.networks.applications import WHOLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dreamcore.class_heads import ClassHead

KINDS = {
    "Activation": "activation",
    "ReLU": "activation",
    "Add": "add",
    "Concatenate": "concat",
    "Conv2D": "convolution",
    "MaxPooling2D": "pool",
    "AveragePooling2D": "pool",
}
MORE_KINDS = {
    **KINDS,
    "LeakyReLU": "activation",
    "PReLU": "activation",
    "ELU": "activation",
    "BatchNormalization": "normalisation",
    "LayerNormalization": "normalisation",
    "GroupNormalization": "normalisation",
    "DepthwiseConv2D": "convolution",
    "SeparableConv2D": "convolution",
    "Multiply": "multiply",
}
"""With those that networks outside Keras Applications dream well with."""

FAVOURITE_STRIDE = 16
IMAGE_RANK = 4


class Reach(NamedTuple):
    """How an operation sees the image; None in the place of one that sees the whole image."""

    field: int
    stride: int
    windows: tuple[tuple[int, int, str, int], ...]


def describe(model: keras.Model, kinds: Mapping[str, str] = KINDS) -> dict[str, Any]:
    """Return parameters, default layers, the ways that sizes change, and a row for each layer of these kinds.

    A row: name, kind, channels, stride (px), receptive field (px), index of its way, multiply-adds per px of image.
    """
    reached = reaches(model)
    hidden = foldable(model)
    seeing = [(layer, reached[layer.name]) for layer in model.layers if _is_shown(layer, hidden, kinds)]
    shown = [(layer, reach) for layer, reach in seeing if reach]
    ways = sorted({reach.windows for _, reach in shown})
    costs, names = _costs(model, reached), lasting_names(model)
    rows = [[names[layer.name], *_facts(layer, reach, ways, costs, kinds)] for layer, reach in shown]
    return {"parameters": model.count_params(), "default_layers": _favourites(rows), "ways": ways, "layers": rows}


def describe_classes(bare: keras.Model, head: ClassHead) -> dict[str, Any]:
    """Return the facts of a network's classes, as its head makes them of what the network without it answers."""
    reached = reaches(bare)
    last = last_features(bare).name
    reach = cast("Reach", reached[last])
    windows = [*reach.windows, *([(head.window, 1, "valid", 0)] if head.window > 1 else [])]
    return {
        "kind": WHOLE if head.pooled else "classes",
        "count": head.layers[-1].output.shape[-1],
        "stride": reach.stride,
        "field": reach.field + (head.window - 1) * reach.stride,
        "windows": windows,
        "cost": round(_costs(bare, reached)[last] + sum(map(_weights, head.layers)) / reach.stride**2),
    }


def reaches(model: keras.Model) -> dict[str, Reach | None]:
    """Return each operation's reach; a branch that pools over the whole image is left out where it joins another."""
    found: dict[str, Reach | None] = {}
    for operation in model.operations:
        if isinstance(operation, keras.layers.InputLayer):
            found[operation.name] = Reach(1, 1, ())
            continue
        before = [reach for reach in (found[parent] for parent in _parents(operation)) if reach]
        found[operation.name] = _after(operation, before)
    return found


def _after(operation: Any, before: list[Reach]) -> Reach | None:
    if isinstance(operation, keras.Sequential):
        for layer in operation.layers:
            before = [reach for reach in [_after(layer, before)] if reach]
        return before[0] if before else None
    if not before or "Global" in type(operation).__name__ or len(operation.output.shape) != IMAGE_RANK:
        return None
    field, stride = max(reach.field for reach in before), max(reach.stride for reach in before)
    kernel, step, window = _window(operation)
    windows = before[0].windows + ((window,) if window else ())
    return Reach(field + (kernel - 1) * stride, stride * step, windows)


def _window(operation: Any) -> tuple[int, int, tuple[int, int, str, int] | None]:
    """Return kernel, stride, and what happens to the size of an axis, if anything."""
    padding: Any = getattr(operation, "padding", None)
    if isinstance(operation, keras.layers.ZeroPadding2D):
        return 1, 1, (1, 1, "valid", sum(padding[0]))
    if isinstance(operation, keras.layers.Cropping2D):
        return 1, 1, (1, 1, "valid", -sum(operation.cropping[0]))
    kernel = getattr(operation, "kernel_size", None) or getattr(operation, "pool_size", None)
    if kernel is None:
        return 1, 1, None
    size = (max(kernel) - 1) * max(getattr(operation, "dilation_rate", (1,))) + 1
    step = operation.strides[0]
    changes = step > 1 or (padding == "valid" and size > 1)
    return size, step, (kernel[0], step, padding, 0) if changes else None


def _parents(operation: Any) -> list[str]:
    nodes = operation._inbound_nodes[0].parent_nodes  # noqa: SLF001  # Keras shows them nowhere else
    return [node.operation.name for node in nodes]


def _is_shown(layer: Any, hidden: dict[str, str], kinds: Mapping[str, str]) -> bool:
    return type(layer).__name__ in kinds and layer.name not in hidden


def _costs(model: keras.Model, reached: dict[str, Reach | None]) -> dict[str, float]:
    """Return for each operation the multiply-adds per px of image of all convolutions up to it."""
    before: dict[str, frozenset[str]] = {}
    own: dict[str, float] = {}
    for operation in model.operations:
        parents = [] if isinstance(operation, keras.layers.InputLayer) else _parents(operation)
        before[operation.name] = frozenset({operation.name}).union(*(before[parent] for parent in parents))
        reach = reached[operation.name]
        own[operation.name] = _weights(operation) / reach.stride**2 if reach else 0.0
    return {name: sum(own[one] for one in names) for name, names in before.items()}


def _weights(operation: Any) -> float:
    kernels = [weight for weight in getattr(operation, "weights", []) if "kernel" in weight.name]
    return float(sum(weight.numpy().size for weight in kernels))


def _facts(layer: Any, reach: Reach, ways: list[Any], costs: dict[str, float], kinds: Mapping[str, str]) -> list[Any]:
    kind = kinds[type(layer).__name__]
    channels = layer.output.shape[-1]
    return [kind, channels, reach.stride, reach.field, ways.index(reach.windows), round(costs[layer.name])]


def _favourites(rows: list[list[Any]]) -> dict[str, float]:
    """Return two layers of the middle depth, where dreams have eyes and animals; nothing where there are no layers."""
    if not rows:
        return {}
    kinds = {row[1] for row in rows}
    liked = next((kind for kind in ("concat", "add", "activation", "convolution") if kind in kinds), rows[0][1])
    deep = [row[0] for row in rows if row[1] == liked and row[3] == FAVOURITE_STRIDE] or [row[0] for row in rows]
    return {deep[len(deep) // 2]: 1.0, deep[-1]: 1.0}
