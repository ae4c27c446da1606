"""What a dream's terms take besides the image: weights of channels and of cells, and what guides answer."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from dreamcore.answers import answers
from dreamcore.backend import ops
from dreamcore.confinement import resized_mask
from dreamcore.objectives import TermRule
from dreamcore.terms import Pick

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from dreamcore.models import Model
    from dreamcore.octaves import Size
    from dreamcore.terms import Aim

Tensor = Any

LOOKED_AT_PX = 512
"""Longer side at which a picture's strongest channels are looked for."""


def term_rules(aims: Sequence[Aim]) -> tuple[TermRule, ...]:
    """Return what a step is compiled for."""
    return tuple(TermRule(aim.layer, aim.kind, chosen=aim.channels is not None, placed=aim.is_placed) for aim in aims)


def term_weights(aims: Sequence[Aim]) -> NDArray[np.float32]:
    """Return the terms' weights for one image, (1, T)."""
    return np.array([[aim.weight for aim in aims]], np.float32)


class TermInputs:
    """Makes the terms' inputs for each octave of one dream.

    Where only some of a layer's elements count, each counts as much more as they are fewer: a term is the mean over
    what counts in it, except under profiles whose sums are divided by 2.

    Parameters
    ----------
    model, aims
    divisor, border
        Of the profile.
    photo
        Makes the undreamt picture, (1, H, W, 3) float32, where a term looks at it.
    guides : (1, H, W, 3) float32
        Each at its own size.
    resized
        Resizes such pictures.
    core_px
        Tells by what tiles a network goes over an image of a size; None for all at once.
    masks : (1, H, W, 1) float32
        How much terms that name them count where.
    """

    def __init__(
        self,
        model: Model,
        aims: Sequence[Aim],
        *,
        divisor: str,
        border: int,
        photo: Callable[[], Tensor],
        guides: Sequence[Tensor],
        masks: Sequence[Tensor],
        resized: Callable[[Tensor, Size], Tensor],
        core_px: Callable[[Size], int | None],
    ) -> None:
        self._model, self._aims, self._photo, self._guides = model, aims, photo, guides
        self._means, self._border = divisor != "two", border
        self._masks, self._resized, self._core_px = masks, resized, core_px

    @cached_property
    def aims(self) -> list[Aim]:
        """The terms with their channels picked."""
        return [aim._replace(channels=self._picked(aim, aim.channels)) for aim in self._aims]

    def at(self, size: Size) -> list[Tensor]:
        """Return the inputs of all terms for an image of a size, in the order of `TermRule.inputs`."""
        rules = term_rules(self._aims)
        return [self._made(name, aim, size) for aim, rule in zip(self.aims, rules, strict=True) for name in rule.inputs]

    @property
    def notices(self) -> list[str]:
        """Which channels were picked, for people."""
        return [
            f"The picture's {asked.channels.pick} channels of {asked.layer}: {', '.join(map(str, aim.channels or ()))}."
            for asked, aim in zip(self._aims, self.aims, strict=True)
            if isinstance(asked.channels, Pick) and not isinstance(aim.channels, Pick)
        ]

    def _made(self, name: str, aim: Aim, size: Size) -> Tensor:
        if name == "channels":
            return self._channels(aim)
        if name == "places":
            return self._places(aim, size)
        if name == "guide":
            return self._guide(aim, size)
        return self._guide_cells(aim)

    def _picked(self, aim: Aim, asked: tuple[int, ...] | Pick | None) -> tuple[int, ...] | None:
        """Return the channels to choose by their mean answers to the photo, looked at in a moderate size."""
        if not isinstance(asked, Pick):
            return asked
        least = self._model.spec.least_side([aim.layer])
        photo = self._photo()
        height, width = photo.shape[1:3]
        share = min(1.0, LOOKED_AT_PX / max(height, width))
        size = (max(least, round(height * share)), max(least, round(width * share)))
        answer = answers(self._model, aim.layer, self._resized(photo, size))
        return picked(np.asarray(answer)[0].mean(axis=(0, 1)), asked)

    def _channels(self, aim: Aim) -> NDArray[np.float32]:
        """Return the weights of a layer's channels, (1, C)."""
        there = self._model.spec.layer(aim.layer).channels
        chosen = list(cast("tuple[int, ...]", aim.channels))
        weights = np.zeros((1, there), np.float32)
        weights[:, chosen] = there / len(chosen) if self._means else 1
        return weights

    def _places(self, aim: Aim, size: Size) -> Tensor:
        """Return the weights of a layer's cells, (1, h, w, 1): of the one at a place, and within a mask."""
        rows, columns, _ = self._model.spec.layer(aim.layer).shape(*size)
        weights = np.ones((1, rows, columns, 1), np.float32)
        if aim.at is not None:
            row, column = (_cell(at, many, self._border) for at, many in zip(aim.at, (rows, columns), strict=True))
            weights = np.zeros_like(weights)
            weights[:, row, column] = rows * columns if self._means else 1
        if aim.mask is None:
            return weights
        return weights * resized_mask(self._masks[aim.mask], (rows, columns))

    def _guide(self, aim: Aim, size: Size) -> Tensor:
        """Return the mean answer of the guides that a term follows, resized to the image, (1, h, w, C)."""
        found = [self._answers(aim, self._resized(guide, size)) for guide in self._followed(aim)]
        return found[0] if len(found) == 1 else sum(found[1:], found[0]) / float(len(found))

    def _guide_cells(self, aim: Aim) -> Tensor:
        """Return the answers to the guides that a term follows, each at its own size, (1, G, C)."""
        found = [self._answers(aim, guide) for guide in self._followed(aim)]
        return ops.concatenate([ops.reshape(each, (1, -1, each.shape[-1])) for each in found], axis=1)

    def _answers(self, aim: Aim, image: Tensor) -> Tensor:
        height, width = image.shape[1:3]
        return answers(self._model, aim.layer, image, core_px=self._core_px((height, width)))

    def _followed(self, aim: Aim) -> Sequence[Tensor]:
        return self._guides if aim.guide is None else [self._guides[aim.guide]]


def picked(means: NDArray[np.float32], asked: Pick) -> tuple[int, ...]:
    """Return the channels whose answers are the largest, the smallest or nearest to the mean, the lower of equals.

    Channels that answer nothing at all come last: there is no direction in which they answer more.

    Parameters
    ----------
    means : (C,) float32
        Each channel's mean answer to a picture.
    """
    distance = {"strongest": -means, "weakest": means, "average": np.abs(means - means.mean())}[asked.pick]
    order = np.argsort(np.where(means == 0, np.inf, distance), kind="stable")
    return tuple(sorted(int(channel) for channel in order[: asked.count]))


def _cell(share: float, length: int, border: int) -> int:
    """Return the cell at a share of an axis, within the border."""
    return min(max(int(share * length), border), length - border - 1)
