"""All that is random in a dream, as pure functions of seed, octave and step. Imports no TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOISE_STD = 0.1


def random_shift(seed: int, octave: int, step: int, *, jitter: int, end: bool = True) -> NDArray[np.float32]:
    """Return a shift (rows, columns) in px, uniform in [-jitter, jitter], or below `jitter` where that is no `end`.

    A pure function of its arguments.
    """
    numbers = np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, octave, step]))
    return numbers.integers(-jitter, jitter, size=2, endpoint=end or not jitter).astype(np.float32)


def random_origin(seed: int, octave: int, step: int, *, size: tuple[int, int]) -> tuple[int, int]:
    """Return where rolled tiles begin (rows, columns), px, uniform over an image; a pure function of its arguments."""
    numbers = np.random.Generator(np.random.Philox(key=seed, counter=[0, 2, octave, step]))
    row, column = numbers.integers(0, size, size=2)
    return int(row), int(column)


def random_image(seed: int, height: int, width: int) -> NDArray[np.float32]:
    """Return (1, height, width, 3) of coloured noise around mid-grey; a pure function of its arguments."""
    numbers = np.random.Generator(np.random.Philox(key=seed, counter=[0, 1, 0, 0]))
    return numbers.normal(0, NOISE_STD, (1, height, width, 3)).astype(np.float32)
