"""Dreaming on TensorFlow."""

from __future__ import annotations

import os
from functools import wraps
from typing import TYPE_CHECKING, Any

# Read once, when TensorFlow loads: its oneDNN kernels are off by default on some processors and 1.5 times as fast.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np
import tensorflow as tf
from tensorflow.python.client import device_lib

from dreamcore.processor import processor, usable_cores

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Tensor = Any

# Whether a compiled function is made anew for each shape.
STATIC_SHAPES = False

REVERSED = np.eye(3, dtype=np.float32)[::-1][None, None]


def value_and_gradient(function: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    """Return f(x), (N,), for an f that values each of N images by itself, and each value's gradient by its image."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        value = function(x)
    return value, tape.gradient(value, x)


def rolled(x: Tensor, shifts: Tensor) -> Tensor:
    """Roll each of (N, h, w, C) by its own (rows, columns) of (N, 2) int32."""
    if _on_card():
        return _gathered(x, shifts)
    still = tf.reduce_all(shifts == 0)
    there = tf.cond(still, lambda: tf.identity(x), lambda: _rolled_here(x, shifts))
    return tf.ensure_shape(there, x.shape)


def _rolled_here(x: Tensor, shifts: Tensor) -> Tensor:
    """Roll a single image by the processor's own operation, which moves whole rows."""
    single = tf.equal(tf.shape(x)[0], 1)
    return tf.cond(single, lambda: tf.roll(x, shifts[0], (1, 2)), lambda: _gathered(x, shifts))


def _gathered(x: Tensor, shifts: Tensor) -> Tensor:
    count, height, width, channels = tf.unstack(tf.shape(x))
    rows = (tf.range(height)[None] - shifts[:, :1]) % height
    columns = (tf.range(width)[None] - shifts[:, 1:]) % width
    cells = (tf.range(count)[:, None, None] * height + rows[:, :, None]) * width + columns[:, None, :]
    return tf.gather(tf.reshape(x, (-1, channels)), cells)


def turned(x: Tensor) -> Tensor:
    """Return (N, h, w, 3) float32 with the channels in reverse.

    A processor multiplies by ones and zeros, which changes no bit, several times as fast as it reverses.
    """
    if _on_card():
        return tf.reverse(x, (-1,))
    return tf.nn.conv2d(x, tf.constant(REVERSED), 1, "SAME")


def _on_card() -> bool:
    return bool(tf.config.list_physical_devices("GPU"))


def resize_bilinear(x: Tensor, height: Tensor, width: Tensor) -> Tensor:
    """Resize (N, h, w, C) to a size that may be known only when the compiled function runs."""
    return tf.image.resize(x, (height, width))


def compiled(function: Callable[..., Any], *shapes: tuple[int | None, ...], tf32: bool = False) -> Callable[..., Any]:
    """Trace a function of float32 tensors once, for all sizes of the axes that are None.

    Arrays that the function captures are frozen into it as constants. With `tf32` a card that can multiplies
    numbers cut to 19 bits, as fast as it goes; else all 32 count.
    """
    signature = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
    traced = tf.function(function, input_signature=signature, autograph=False, jit_compile=False)

    @wraps(traced)
    def run(*tensors: Tensor) -> Any:
        tf.config.experimental.enable_tensor_float_32_execution(tf32)
        return traced(*tensors)

    return run


def cache_compilations(folder: Path, *, most_gb: float = 8) -> None:
    """Do nothing: a function is traced once for all sizes, in about a second, and there is nothing to keep."""


def traces(function: Callable[..., Any]) -> int:
    """Return how often a compiled function was traced."""
    return int(function.__wrapped__.experimental_get_tracing_count())  # type: ignore[attr-defined]


def accelerator_bytes() -> float | None:
    """Return the memory that the library may use of the first graphics card, in bytes; None where there is none."""
    found = [each.memory_limit for each in device_lib.list_local_devices() if each.device_type == "GPU"]
    return float(found[0]) if found else None


def describe_backend() -> str:
    """Return the library and its version."""
    return f"tensorflow {tf.__version__}"


def describe_device() -> str:
    """Return what is computed on, for people: the graphics card's name, or the processor's and its threads."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return f"GPU: {tf.config.experimental.get_device_details(gpus[0]).get('device_name', gpus[0].name)}"
    threads = tf.config.threading.get_intra_op_parallelism_threads() or usable_cores()
    return f"CPU: {processor()}, {threads} threads"
