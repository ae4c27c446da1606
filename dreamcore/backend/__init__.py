"""What differs between the libraries that can compute a dream; everything else is written once, in `keras.ops`.

Keras is told by its own variable, KERAS_BACKEND, which library to use, once per process; so is this package.
`ops` comes from here, so that a library is set up before Keras loads it.
"""

import os

from dreamcore.errors import DreamError

LIBRARIES = ("tensorflow", "jax")

chosen = os.environ.setdefault("KERAS_BACKEND", LIBRARIES[0])
if chosen == "tensorflow":
    from dreamcore.backend.tensorflow import (
        STATIC_SHAPES,
        accelerator_bytes,
        cache_compilations,
        compiled,
        describe_backend,
        describe_device,
        resize_bilinear,
        rolled,
        traces,
        turned,
        value_and_gradient,
    )
elif chosen == "jax":
    from dreamcore.backend.jax import (
        STATIC_SHAPES,
        accelerator_bytes,
        cache_compilations,
        compiled,
        describe_backend,
        describe_device,
        resize_bilinear,
        rolled,
        traces,
        turned,
        value_and_gradient,
    )
else:
    raise DreamError(
        f"KERAS_BACKEND is {chosen!r}; dreamcore runs on {' and '.join(LIBRARIES)}. Set it to one of them."
    )

from keras import ops  # noqa: E402  # after its library has been set up

__all__ = [
    "STATIC_SHAPES",
    "accelerator_bytes",
    "cache_compilations",
    "chosen",
    "compiled",
    "describe_backend",
    "describe_device",
    "ops",
    "resize_bilinear",
    "rolled",
    "traces",
    "turned",
    "value_and_gradient",
]
