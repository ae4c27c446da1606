"""What differs between the libraries that can compute a dream; everything else is written once, in `keras.ops`."""

from dreamcore.backend.tensorflow import (
    compiled,
    describe_backend,
    describe_device,
    resize_bilinear,
    traces,
    value_and_gradient,
)

__all__ = ["compiled", "describe_backend", "describe_device", "resize_bilinear", "traces", "value_and_gradient"]
