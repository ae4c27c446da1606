"""The undreamt picture at every octave's size, and how a dream goes from size to size."""

from __future__ import annotations

import operator
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from dreamcore.backend import ops
from dreamcore.given import to_range
from dreamcore.gradients import greyed
from dreamcore.noise import random_image
from dreamcore.resizing import resized

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from dreamcore.given import Pixels
    from dreamcore.octaves import Size
    from dreamcore.params import DreamParams
    from dreamcore.profiles import Profile

    Part = Callable[[slice], Any]

Tensor = Any

ALL = slice(None)
BAND_PX = 128


class Pyramid:
    """A picture's octaves, counted from 1.

    Images are (1, h, w, 3) float32: tensors, or, where they are to be `wide`, NumPy arrays made channel by channel, so
    that few copies of an image live at a time. The numbers are the same.

    Parameters
    ----------
    picture : (H, W, 3) uint8 or uint16
    params, profile
    sizes
        Of the octaves, smallest first.
    """

    def __init__(self, picture: Pixels, params: DreamParams, profile: Profile, sizes: Sequence[Size]) -> None:
        self.picture = picture
        self._params = params
        self._profile = profile
        self._sizes = sizes

    @property
    def detail(self) -> str:
        """When lost detail is put back: noise has lost none of the photo's."""
        return self._profile.detail if self._params.start == "photo" else "never"

    def original(self, channels: slice = ALL) -> Tensor:
        """Return the picture at its own size."""
        return to_range(self.picture[..., channels])

    def first(self, *, wide: bool) -> Tensor:
        """Return what the first octave starts from."""
        if self._params.start == "photo":
            image = self._summed([partial(self._base, 1)], octave=1, wide=wide)
        else:
            image = ops.convert_to_tensor(random_image(self._params.seed, *self._sizes[0]))
        return self._coloured(np.array(image) if wide else image, octave=1, wide=wide)

    def enlarged(self, image: Tensor, octave: int, *, wide: bool) -> Tensor:
        """Return a dream at the next octave's size, with the lost detail where the profile puts it back before."""
        if self.detail != "before":
            parts: list[Part] = [lambda part: self._resized(image[..., part], octave)]
        else:
            parts = [lambda part: self._regrown(image, octave, part), partial(self._base, octave)]
        return self._coloured(self._summed(parts, octave, wide=wide), octave, wide=wide)

    def finished(self, image: Tensor, octave: int, *, wide: bool) -> Tensor:
        """Return a dream at an octave's end, with the lost detail where the profile puts it back afterwards."""
        if self.detail != "after" or octave == 1:
            return image

        parts: list[Part] = [
            lambda part: image[..., part],
            partial(self._base, octave),
            lambda part: -self._resized(self._base(octave - 1, part), octave),
        ]
        return self._coloured(self._summed(parts, octave, wide=wide), octave, wide=wide)

    def at_full_size(self, image: Tensor) -> Tensor:
        """Return an image at the picture's own size."""
        height, width = self.picture.shape[:2]
        return self.resize(image, (height, width))

    def resize(self, image: Tensor, size: Size) -> Tensor:
        """Resize an image as the profile does."""
        return resized(image, size, kernel=self._profile.kernel, antialias=self._profile.antialias)

    def _coloured(self, image: Tensor, octave: int, *, wide: bool) -> Tensor:
        """Return the image, in the photo's colours where they are to stay."""
        if not self._params.keep_colors:
            return image
        photo = self._summed([partial(self._base, octave)], octave, wide=wide)
        if not wide:
            return photo + greyed(image - photo)
        for start in range(0, image.shape[1], BAND_PX):
            rows = slice(start, start + BAND_PX)
            photo[:, rows] += np.asarray(greyed(image[:, rows] - photo[:, rows]))
        return photo

    def _summed(self, parts: Sequence[Part], octave: int, *, wide: bool) -> Tensor:
        """Return the sum of images of an octave's size, each made of some channels at a time."""
        if not wide:
            return reduce(operator.add, (make(ALL) for make in parts))
        image: NDArray[np.float32] = np.zeros((1, *self._sizes[octave - 1], 3), np.float32)
        for channel in range(3):
            for make in parts:
                image[..., channel : channel + 1] += np.asarray(make(slice(channel, channel + 1)))
        return image

    def _regrown(self, image: Tensor, octave: int, channels: slice) -> Tensor:
        """Return what a dream added to the picture, at the next octave's size."""
        return self._resized(image[..., channels] - self._base(octave - 1, channels), octave)

    def _base(self, octave: int, channels: slice) -> Tensor:
        """Return the undreamt picture at an octave's size; in a pyramid "in turn" it is made from the next larger."""
        in_turn = self._profile.octave_rule.endswith("in-turn") and octave < len(self._sizes)
        return self._resized(self._base(octave + 1, channels) if in_turn else self.original(channels), octave)

    def _resized(self, image: Tensor, octave: int) -> Tensor:
        return self.resize(image, self._sizes[octave - 1])
