"""What differs between the libraries that can compute a dream; everything else is written once, in `keras.ops`.

`ops` comes from here, so that a library is set up before Keras loads it.
"""

from dreamcore.backend.tensorflow import (
    STATIC_SHAPES,
    compiled,
    describe_backend,
    describe_device,
    resize_bilinear,
    rolled,
    traces,
    value_and_gradient,
)

from keras import ops  # isort: skip  # after the module above has set its library up

__all__ = [
    "STATIC_SHAPES",
    "compiled",
    "describe_backend",
    "describe_device",
    "ops",
    "resize_bilinear",
    "rolled",
    "traces",
    "value_and_gradient",
]
