"""Networks as data: what a network computes, node by node, without the library that computes it.

The catalog reads shapes and receptive fields off it; the engine runs it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Op = Literal["conv", "max", "avg", "concat"]
Padding = Literal["same", "valid"]
Activation = Literal["relu", "linear"]

SOURCE = "image"


@dataclass(frozen=True)
class InputMapping:
    """How the engine's images, RGB in [-1, 1], become what a network takes.

    y[c] = (x[order[c]] + 1) * scale - mean[c]
    """

    order: Literal["rgb", "bgr"] = "rgb"
    scale: float | tuple[float, float, float] = 1.0
    mean: tuple[float, float, float] = (1.0, 1.0, 1.0)


class Window(NamedTuple):
    """How a convolution or a pool slides along one axis."""

    kernel: int
    stride: int
    padding: Padding
    added: int = 0
    """Cells put around the axis before, or cut off where negative."""

    def size(self, size: int) -> int:
        """Return the number of positions along an axis of `size` cells."""
        size += self.added
        reach = 0 if self.padding == "same" else self.kernel - 1
        return max(0, -(-(size - reach) // self.stride))


@dataclass(frozen=True)
class Node:
    """One operation; `inputs` name other nodes, or `SOURCE`."""

    name: str
    op: Op
    inputs: tuple[str, ...]
    channels: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padding: Padding = "same"
    activation: Activation = "relu"


@dataclass
class Graph:
    """Nodes in an order in which they can be computed."""

    nodes: dict[str, Node] = field(default_factory=dict)

    def conv(
        self,
        x: str,
        channels: int,
        kernel: int | tuple[int, int],
        *,
        stride: int = 1,
        padding: Padding = "same",
        activation: Activation = "relu",
        name: str = "",
    ) -> str:
        """Add a convolution with bias and activation; return its name."""
        window = (kernel, kernel) if isinstance(kernel, int) else kernel
        return self._add(Node(name or self._next("conv"), "conv", (x,), channels, window, stride, padding, activation))

    def pool(self, x: str, op: Literal["max", "avg"], kernel: int, *, stride: int, padding: Padding) -> str:
        """Add a pool; an average leaves padding out of its count."""
        window = (kernel, kernel)
        return self._add(Node(self._next(op), op, (x,), self.channels(x), window, stride, padding))

    def concat(self, inputs: list[str], *, name: str = "") -> str:
        """Add a concatenation along channels."""
        channels = sum(self.channels(x) for x in inputs)
        return self._add(Node(name or self._next("concat"), "concat", tuple(inputs), channels))

    def channels(self, name: str) -> int:
        """Return a node's number of channels."""
        return 3 if name == SOURCE else self.nodes[name].channels

    def parameters(self) -> int:
        """Return the number of weights and biases, batch normalisation folded."""
        convolutions = [node for node in self.nodes.values() if node.op == "conv"]
        return sum(
            node.channels * (self.channels(node.inputs[0]) * node.kernel[0] * node.kernel[1] + 1)
            for node in convolutions
        )

    def needed_for(self, targets: list[str]) -> list[Node]:
        """Return the nodes that the targets depend on, in order: nothing past the deepest one."""
        wanted = set(targets)
        for node in reversed(self.nodes.values()):
            if node.name in wanted:
                wanted.update(node.inputs)
        return [node for node in self.nodes.values() if node.name in wanted]

    def windows(self, name: str) -> tuple[Window, ...]:
        """Return what changes an axis' size on the way from the image to a node."""
        found: list[Window] = []
        while name != SOURCE:
            node = self.nodes[name]
            if node.stride > 1 or (node.padding == "valid" and max(node.kernel) > 1):
                found.append(Window(node.kernel[0], node.stride, node.padding))
            name = node.inputs[0]
        return tuple(reversed(found))

    def reach(self, name: str) -> tuple[int, int, int]:
        """Return a node's receptive field (height, width) and stride, in px of the image."""
        reached = {SOURCE: (1, 1, 1)}
        for node in self.needed_for([name]):
            height, width, stride = (max(sizes) for sizes in zip(*(reached[x] for x in node.inputs), strict=True))
            rows, columns = node.kernel
            reached[node.name] = (height + (rows - 1) * stride, width + (columns - 1) * stride, stride * node.stride)
        return reached[name]

    def _add(self, node: Node) -> str:
        self.nodes[node.name] = node
        return node.name

    def _next(self, prefix: str) -> str:
        return f"{prefix}_{sum(name.startswith(f'{prefix}_') for name in self.nodes)}"
