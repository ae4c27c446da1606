"""What becomes of a gradient before the image moves along it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dreamcore.backend import ops, resize_bilinear

if TYPE_CHECKING:
    from numpy.typing import NDArray

Tensor = Any

LEAST_STD = 1e-8
LEAST_MEAN = 1e-6
TINY = 1e-12
NEIGHBOURHOOD_PX = 64
GLOBAL_SHARE = 0.1


def smoothed(gradient: Tensor, sigma_px: float) -> Tensor:
    """Blur a gradient by a Gaussian, edges mirrored: single pixels' flicker goes, shapes stay.

    Parameters
    ----------
    gradient : (N, H, W, 3) float32
    sigma_px
        Standard deviation; 0 leaves the gradient as it is.
    """
    if not sigma_px:
        return gradient
    kernel = gaussian(sigma_px)
    reach = len(kernel) // 2
    padded = ops.pad(gradient, [[0, 0], [reach, reach], [reach, reach], [0, 0]], mode="reflect")
    rows = np.tile(kernel[:, None, None, None], (1, 1, 3, 1))
    columns = np.tile(kernel[None, :, None, None], (1, 1, 3, 1))
    return ops.depthwise_conv(ops.depthwise_conv(padded, rows), columns)


def smoothed_thrice(gradient: Tensor, sigmas_px: Tensor) -> Tensor:
    """Average three blurs, at half of a standard deviation, at it, and at twice it; edges mirrored.

    Parameters
    ----------
    gradient : (N, H, W, 3) float32
    sigmas_px : (N,) float32
        Known only when the compiled function runs. Kernels have 9x9 samples, whatever they are.

    References
    ----------
    .. [1] The recipe "smoothed" in `docs/recipes.md`.
    """
    kernels = ops.mean(ops.stack([_nine_samples(sigmas_px * share) for share in (0.5, 1.0, 2.0)]), axis=0)
    padded = ops.pad(gradient, [[0, 0], [4, 4], [4, 4], [0, 0]], mode="reflect")
    count, height, width = ops.shape(gradient)[:3]
    side_by_side = ops.reshape(ops.transpose(padded, (1, 2, 0, 3)), (1, height + 8, width + 8, count * 3))
    blurred = ops.depthwise_conv(side_by_side, ops.repeat(kernels, 3, axis=2)[..., None])
    return ops.transpose(ops.reshape(blurred, (height, width, count, 3)), (2, 0, 1, 3))


def _nine_samples(sigmas_px: Tensor) -> Tensor:
    """Return (9, 9, N) samples of Gaussians, each with the sum 1."""
    samples = ops.exp(-0.5 * ops.square(np.arange(-4, 5, dtype=np.float32)[:, None] / sigmas_px))
    samples = samples / ops.sum(samples, axis=0)
    return samples[:, None] * samples[None, :]


def gaussian(sigma_px: float) -> NDArray[np.float32]:
    """Return a Gaussian's samples out to three standard deviations, their sum 1."""
    reach = max(1, round(3 * sigma_px))
    samples = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_px) ** 2)
    kernel: NDArray[np.float32] = (samples / samples.sum()).astype(np.float32)
    return kernel


def unwrapped(gradient: Tensor, shifts: Tensor) -> Tensor:
    """Drop the gradient of pixels that a shift moved across an edge: it tells of the other side's surroundings.

    Parameters
    ----------
    gradient : (N, H, W, 3) float32
        Of the images as they lie when they are not shifted.
    shifts : (N, 2) int32
        Rows and columns, in px, that each image was shifted by.
    """
    height, width = ops.shape(gradient)[1:3]
    rows, columns = _stayed(height, shifts[:, :1]), _stayed(width, shifts[:, 1:])
    return gradient * rows[:, :, None, None] * columns[:, None, :, None]


def _stayed(length: Tensor, shifts: Tensor) -> Tensor:
    moved = ops.arange(0, length, dtype="int32")[None] + shifts
    return ops.cast(ops.logical_and(moved >= 0, moved < length), "float32")


def normalised(gradient: Tensor, rule: str) -> Tensor:
    """Scale each image's gradient, so that steps are as long on steep objectives as on flat ones.

    std       g'[n] = g[n] / (std(g[n]) + 1e-8)
    centred   g'[n] = (g[n] - mean(g[n])) / max(std(g[n]), 1e-12)
    mean-abs  g'[n] = g[n] / max(mean(|g[n]|), 1e-6)
    l2        g'[n] = g[n] / (sqrt(mean(g[n]^2)) + 1e-8), its Euclidean length by the root of its number of elements
    local     g'[n] = std rule of `evened(g[n])`
    none      g'[n] = g[n]

    Parameters
    ----------
    gradient : (N, H, W, 3) float32
        d(objective)/d(image), of any scale.
    rule
        One of these.

    Returns
    -------
    (N, H, W, 3) float32, dimensionless. Images never influence each other.

    References
    ----------
    .. [1] Mordvintsev, Olah, Tyka, "Inceptionism: Going Deeper into Neural Networks", 2015, and its notebook's step.
    """
    if rule == "none":
        return gradient
    if rule == "mean-abs":
        return gradient / ops.maximum(_mean(ops.abs(gradient)), LEAST_MEAN)
    if rule == "l2":
        return gradient / (ops.sqrt(_mean(ops.square(gradient))) + LEAST_STD)
    if rule == "centred":
        return (gradient - _mean(gradient)) / ops.maximum(ops.std(gradient, axis=(1, 2, 3), keepdims=True), TINY)
    even = evened(gradient) if rule == "local" else gradient
    return even / (ops.std(even, axis=(1, 2, 3), keepdims=True) + LEAST_STD)


def _mean(x: Tensor) -> Tensor:
    return ops.mean(x, axis=(1, 2, 3), keepdims=True)


def greyed(gradient: Tensor) -> Tensor:
    """Average a gradient over red, green and blue.

    Adding the same to all three changes Y of Y'IQ alone: I and Q, the colours, stay.
    """
    return ops.repeat(ops.mean(gradient, axis=-1, keepdims=True), 3, axis=-1)


def evened(gradient: Tensor) -> Tensor:
    """Divide a gradient by its strength nearby, so that the whole image dreams and not its strongest spot alone.

    g'[n, y, x] = g[n, y, x] / (rms of g[n] in about 64 px around (y, x) + 0.1 * rms of g[n])

    Parameters
    ----------
    gradient : (N, H, W, 3) float32

    Returns
    -------
    (N, H, W, 3) float32, dimensionless.
    """
    power = ops.mean(ops.square(gradient), axis=-1, keepdims=True)
    coarse = ops.average_pool(power, NEIGHBOURHOOD_PX, NEIGHBOURHOOD_PX // 2, "same")
    height, width = ops.shape(gradient)[1:3]
    nearby = resize_bilinear(ops.average_pool(coarse, 3, 1, "same"), height, width)
    overall = ops.mean(power, axis=(1, 2, 3), keepdims=True)
    return gradient / (ops.sqrt(nearby) + GLOBAL_SHARE * ops.sqrt(overall) + LEAST_STD**2)
