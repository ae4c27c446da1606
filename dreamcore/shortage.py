"""What lack of memory looks like, whoever meets it: Python, NumPy, TensorFlow, JAX, their libraries. Imports none."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dreamcore.errors import OutOfMemoryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WORDS = (
    "ResourceExhaustedError",
    "RESOURCE_EXHAUSTED",
    "std::bad_alloc",
    "Unable to allocate",  # NumPy, where TensorFlow makes a TypeError of its MemoryError
    "Out of memory allocating",  # XLA on a processor, under INTERNAL
    "Status: 1, message",  # oneDNN's dnnl_out_of_memory, which TensorFlow hands on as AbortedError
    "CUDA_ERROR_OUT_OF_MEMORY",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
)


def ran_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory ran out."""
    text = f"{type(error).__name__} {error}"
    return isinstance(error, MemoryError) or any(word in text for word in WORDS)


@contextmanager
def shortage_named(shape: Sequence[int]) -> Iterator[None]:
    """Run the body on a picture (H, W, …); where memory runs out outside of its steps, say so.

    Raises
    ------
    OutOfMemoryError
        In place of whatever lack of memory the body raised.
    """
    try:
        yield
    except OutOfMemoryError:
        raise
    except Exception as error:
        if not ran_out_of_memory(error):
            raise
        raise OutOfMemoryError(
            f"A picture of {shape[1]}x{shape[0]} px needs more memory than there is, besides its steps. "
            "Make it smaller, or give the process more memory."
        ) from error
