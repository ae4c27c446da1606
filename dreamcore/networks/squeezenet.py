"""SqueezeNet 1.1.

References
----------
.. [1] Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", 2016, arXiv:1602.07360.
"""

from __future__ import annotations

from dreamcore.graph import SOURCE, Graph

FIRES = {
    "fire2": (16, 64),
    "fire3": (16, 64),
    "fire4": (32, 128),
    "fire5": (32, 128),
    "fire6": (48, 192),
    "fire7": (48, 192),
    "fire8": (64, 256),
    "fire9": (64, 256),
}
POOLED = {"fire3", "fire5"}


def build() -> Graph:
    """Build the graph; convolutions are named as their weights are."""
    graph = Graph()
    x = graph.conv(SOURCE, 64, 3, stride=2, name="conv1")
    x = graph.pool(x, "max", 3, stride=2, padding="valid")
    for name, (squeeze, expand) in FIRES.items():
        x = _fire(graph, x, name, squeeze=squeeze, expand=expand)
        if name in POOLED:
            x = graph.pool(x, "max", 3, stride=2, padding="valid")
    graph.conv(x, 1000, 1, activation="linear", name="conv10")
    return graph


def _fire(graph: Graph, x: str, name: str, *, squeeze: int, expand: int) -> str:
    x = graph.conv(x, squeeze, 1, name=f"{name}/squeeze1x1")
    narrow = graph.conv(x, expand, 1, name=f"{name}/expand1x1")
    wide = graph.conv(x, expand, 3, name=f"{name}/expand3x3")
    return graph.concat([narrow, wide], name=name)
