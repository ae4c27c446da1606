"""Inception v3, and its classes as a convolution: their mean over the picture is what the network says of it.

The convolutions are added in the order in which Keras' application makes its own, so that weights match by position.

References
----------
.. [1] Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2015, arXiv:1512.00567.
"""

from __future__ import annotations

from typing import NamedTuple

from dreamcore.graph import SOURCE, Graph


class Conv(NamedTuple):
    """Channels and kernel of one convolution in a chain."""

    channels: int
    kernel: int | tuple[int, int] = 1


ROW, COLUMN = (1, 7), (7, 1)
CLASSES = "predictions"


def build() -> Graph:
    """Build the graph."""
    graph = Graph()
    x = _stem(graph)
    for index, pooled in enumerate((32, 64, 64)):
        x = _module_35(graph, x, f"mixed{index}", pooled=pooled)
    x = _reduction_17(graph, x, "mixed3")
    for index, inner in enumerate((128, 160, 160, 192), start=4):
        x = _module_17(graph, x, f"mixed{index}", inner=inner)
    x = _reduction_8(graph, x, "mixed8")
    for index in range(2):
        x = _module_8(graph, x, f"mixed{9 + index}", inside=f"mixed9_{index}")
    graph.conv(x, 1000, 1, activation="linear", name=CLASSES)
    return graph


def _stem(graph: Graph) -> str:
    x = graph.conv(SOURCE, 32, 3, stride=2, padding="valid")
    x = graph.conv(x, 32, 3, padding="valid")
    x = graph.conv(x, 64, 3)
    x = graph.pool(x, "max", 3, stride=2, padding="valid")
    x = graph.conv(x, 80, 1, padding="valid")
    x = graph.conv(x, 192, 3, padding="valid")
    return graph.pool(x, "max", 3, stride=2, padding="valid")


def _chain(graph: Graph, x: str, *convs: Conv) -> str:
    for channels, kernel in convs:
        x = graph.conv(x, channels, kernel)
    return x


def _pooled(graph: Graph, x: str, channels: int) -> str:
    return graph.conv(graph.pool(x, "avg", 3, stride=1, padding="same"), channels, 1)


def _module_35(graph: Graph, x: str, name: str, *, pooled: int) -> str:
    return graph.concat(
        [
            _chain(graph, x, Conv(64)),
            _chain(graph, x, Conv(48), Conv(64, 5)),
            _chain(graph, x, Conv(64), Conv(96, 3), Conv(96, 3)),
            _pooled(graph, x, pooled),
        ],
        name=name,
    )


def _reduction_17(graph: Graph, x: str, name: str) -> str:
    straight = graph.conv(x, 384, 3, stride=2, padding="valid")
    double = _chain(graph, x, Conv(64), Conv(96, 3))
    double = graph.conv(double, 96, 3, stride=2, padding="valid")
    return graph.concat([straight, double, graph.pool(x, "max", 3, stride=2, padding="valid")], name=name)


def _module_17(graph: Graph, x: str, name: str, *, inner: int) -> str:
    return graph.concat(
        [
            _chain(graph, x, Conv(192)),
            _chain(graph, x, Conv(inner), Conv(inner, ROW), Conv(192, COLUMN)),
            _chain(graph, x, Conv(inner), Conv(inner, COLUMN), Conv(inner, ROW), Conv(inner, COLUMN), Conv(192, ROW)),
            _pooled(graph, x, 192),
        ],
        name=name,
    )


def _reduction_8(graph: Graph, x: str, name: str) -> str:
    straight = graph.conv(_chain(graph, x, Conv(192)), 320, 3, stride=2, padding="valid")
    seven = _chain(graph, x, Conv(192), Conv(192, ROW), Conv(192, COLUMN))
    seven = graph.conv(seven, 192, 3, stride=2, padding="valid")
    return graph.concat([straight, seven, graph.pool(x, "max", 3, stride=2, padding="valid")], name=name)


def _module_8(graph: Graph, x: str, name: str, *, inside: str) -> str:
    straight = _chain(graph, x, Conv(320))
    three = _split(graph, _chain(graph, x, Conv(384)), name=inside)
    double = _split(graph, _chain(graph, x, Conv(448), Conv(384, 3)))
    return graph.concat([straight, three, double, _pooled(graph, x, 192)], name=name)


def _split(graph: Graph, x: str, *, name: str = "") -> str:
    return graph.concat([graph.conv(x, 384, (1, 3)), graph.conv(x, 384, (3, 1))], name=name)
