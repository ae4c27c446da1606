"""Dreaming on JAX, without TensorFlow."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

# Read once, when Keras loads.
os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
from jax import numpy as jnp

from dreamcore.processor import processor, usable_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Tensor = Any

# Whether a compiled function is made anew for each shape.
STATIC_SHAPES = True


def value_and_gradient(function: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    """Return f(x), (N,), for an f that values each of N images by itself, and each value's gradient by its image."""

    def total(x: Tensor) -> tuple[Tensor, Tensor]:
        values = function(x)
        return jnp.sum(values), values

    (_, values), gradient = jax.value_and_grad(total, has_aux=True)(x)
    return values, gradient


def rolled(x: Tensor, shifts: Tensor) -> Tensor:
    """Roll each of (N, h, w, C) by its own (rows, columns) of (N, 2) int32."""
    return jax.vmap(lambda image, shift: jnp.roll(image, shift, axis=(0, 1)))(x, shifts)


def turned(x: Tensor) -> Tensor:
    """Return (N, h, w, 3) float32 with the channels in reverse."""
    return x[..., ::-1]


def resize_bilinear(x: Tensor, height: Tensor, width: Tensor) -> Tensor:
    """Resize (N, h, w, C); samples lie on half pixels, nothing is smoothed."""
    return jax.image.resize(x, (x.shape[0], height, width, x.shape[3]), "bilinear", antialias=False)


def compiled(function: Callable[..., Any], *shapes: tuple[int | None, ...], tf32: bool = False) -> Callable[..., Any]:
    """Compile a function of float32 tensors, once for each size that it meets, whatever `shapes` leaves open.

    With `tf32` a card that can multiplies numbers cut to 19 bits, as fast as it goes; else all 32 count.
    """
    del shapes

    def precise(*tensors: Tensor) -> Any:
        with jax.default_matmul_precision("tensorfloat32" if tf32 else "float32"):
            return function(*tensors)

    return jax.jit(precise)


def cache_compilations(folder: Path, *, most_gb: float = 8) -> None:
    """Keep compiled functions in a folder, for processes to come.

    Each holds its network's weights, and there is one for every size. What is more than `most_gb` now, the longest
    unused first, is deleted.
    """
    _prune(folder, most_gb * 1e9)
    values = {
        "jax_compilation_cache_dir": str(folder),
        "jax_persistent_cache_min_compile_time_secs": 0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    for name, value in values.items():
        jax.config.update(name, value)  # type: ignore[no-untyped-call]  # JAX leaves it untyped


def _prune(folder: Path, most_bytes: float) -> None:
    kept = 0
    for file, stat in sorted(_files(folder), key=lambda each: each[1].st_atime, reverse=True):
        kept += stat.st_size
        if kept > most_bytes:
            file.unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for file in folder.glob("*-cache"):
        with suppress(FileNotFoundError):  # another process deletes, too
            yield file, file.stat()


def traces(function: Callable[..., Any]) -> int:
    """Return for how many sizes a compiled function was made."""
    return int(function._cache_size())  # type: ignore[attr-defined]  # noqa: SLF001  # JAX has no public count


def accelerator_bytes() -> float | None:
    """Return the memory that the library may use of the first accelerator, in bytes; None where there is none."""
    device = jax.devices()[0]
    stats = None if device.platform == "cpu" else device.memory_stats()
    return float(stats["bytes_limit"]) if stats else None


def describe_backend() -> str:
    """Return the library and its version."""
    return f"jax {jax.__version__}"


def describe_device() -> str:
    """Return what is computed on, for people: the accelerator's name, or the processor's and its threads."""
    device = jax.devices()[0]
    if device.platform == "cpu":
        return f"CPU: {processor()}, {usable_cores()} threads"
    return f"{device.platform.upper()}: {device.device_kind}"
