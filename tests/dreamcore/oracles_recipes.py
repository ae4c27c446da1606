"""The published recipes, slow and plain; shares nothing with the engine.

Images are (H, W, 3) float32 in [-1, 1], so that roundings are of the engine's size; lengths given in levels of 0..255
are divided by 127.5. `features` maps a batch to {layer: activation}; `shifts(octave, step)` tells what the dice said.
All return levels in 0..255 before they are cut to whole ones.
"""

import math

import numpy as np
import tensorflow as tf


def to_range(image):
    return image.astype(np.float32) / np.float32(127.5) - np.float32(1)


def to_levels(x):
    return (x.astype(np.float64) + 1) * 127.5


def gradient_of(objective, pixels, features):
    """d(objective of the activations)/d(pixels)."""
    x = tf.constant(pixels[None], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = objective(features(x))
    return tape.gradient(value, x)[0].numpy()


def rolled_gradient(objective, pixels, features, shift):
    rows, columns = (int(s) for s in shift)
    turned = np.roll(pixels, (rows, columns), (0, 1))
    return np.roll(gradient_of(objective, turned, features), (-rows, -columns), (0, 1))


def zoom_corner_aligned(image, size):
    """`scipy.ndimage.zoom(order=1)`, one output pixel after another along each axis."""
    for axis, length in enumerate(size):
        old = image.shape[axis]
        lines = []
        for i in range(length):
            place = i * (old - 1) / (length - 1)
            low = min(math.floor(place), old - 2)
            share = place - low
            lines.append((1 - share) * image.take(low, axis) + share * image.take(low + 1, axis))
        image = np.stack(lines, axis)
    return image.astype(np.float32)


def resize_half_pixel(image, size):
    """Bilinear, sample centres on half pixels, no antialias."""
    return tf.image.resize(image, size).numpy()


def article(image, features, layers, *, octaves, steps, step_size=0.01):
    """Sum of ||a||^2 / d over whole layers; else as the Keras example."""

    def objective(found):
        return sum(tf.reduce_sum(found[layer] ** 2) / tf.size(found[layer], tf.float32) for layer in layers)

    original = to_range(image)
    sizes = [tuple(int(side / 1.4**i) for side in image.shape[:2]) for i in reversed(range(octaves))]
    x = shrunk = resize_half_pixel(original, sizes[0])
    for size in sizes:
        x = resize_half_pixel(x, size)
        for _ in range(steps):
            g = gradient_of(objective, x, features)
            x = x + step_size * g / max(np.abs(g).mean(), 1e-6)
        here = resize_half_pixel(original, size)
        x = x + here - resize_half_pixel(shrunk, size)
        shrunk = here
    return to_levels(x)


def google2015(image, features, layer, *, octaves, steps, shifts, step_size=1.5 / 127.5):
    """The notebook of 2015."""

    def objective(found):
        return 0.5 * tf.reduce_sum(found[layer] ** 2)

    bases = [to_range(image)]
    while len(bases) < octaves:
        last = bases[-1]
        bases.append(zoom_corner_aligned(last, [round(side / 1.4) for side in last.shape[:2]]))
    detail = np.zeros_like(bases[-1])
    for octave, base in enumerate(reversed(bases)):
        if octave > 0:
            detail = zoom_corner_aligned(detail, base.shape[:2])
        x = base + detail
        for step in range(steps):
            rows, columns = (int(s) for s in shifts(octave, step))
            x = np.roll(x, (rows, columns), (0, 1))
            g = gradient_of(objective, x, features)
            x = x + step_size / np.abs(g).mean() * g
            x = np.roll(x, (-rows, -columns), (0, 1))
            x = np.clip(x, -1, 1)
        detail = x - base
    return to_levels(x)


def tf_tutorial(image, features, layers, *, octaves, steps, shifts, step_size=0.01):
    """The octave form with the tiled form's roll, the whole picture being one tile."""

    def objective(found):
        return sum(tf.reduce_mean(found[layer]) for layer in layers)

    x = to_range(image)
    for octave, n in enumerate(octaves):
        x = resize_half_pixel(x, [int(side * 1.3**n) for side in image.shape[:2]])
        for step in range(steps):
            g = rolled_gradient(objective, x, features, shifts(octave, step))
            g = g / (g.std() + 1e-8)
            x = np.clip(x + step_size * g, -1, 1)
    return to_levels(x)


KERNEL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256


def lapnorm_gradient(g, splits):
    k = tf.constant(np.einsum("ij,cd->ijcd", KERNEL, np.eye(3)), tf.float32)
    image, levels = tf.constant(g[None], tf.float32), []
    for _ in range(splits):
        low = tf.nn.conv2d(image, k, 2, "SAME")
        levels.append(image - tf.nn.conv2d_transpose(low, k * 4, tf.shape(image), 2))
        image = low
    levels = [level / max(math.sqrt(np.mean(level.numpy() ** 2)), 1e-10) for level in [*levels, image]]
    image = levels.pop()
    while levels:
        level = levels.pop()
        image = tf.nn.conv2d_transpose(image, k * 4, tf.shape(level), 2) + level
    return image[0].numpy()


def lapnorm(image, features, layer, *, octaves, steps, shifts, step_size=1 / 127.5):
    """Octaves of the older notebook's dream, steps of its Laplacian normalisation."""

    def objective(found):
        return tf.reduce_mean(found[layer] ** 2)

    x, details = to_range(image), []
    for _ in range(octaves - 1):
        low = resize_half_pixel(x, [int(side / 1.4) for side in x.shape[:2]])
        details.append(x - resize_half_pixel(low, x.shape[:2]))
        x = low
    for octave in range(octaves):
        if octave > 0:
            detail = details[-octave]
            x = resize_half_pixel(x, detail.shape[:2]) + detail
        for step in range(steps):
            g = rolled_gradient(objective, x, features, shifts(octave, step))
            x = x + step_size * lapnorm_gradient(g, 4)
    return to_levels(x)


def blurred_nine(g, sigma):
    """A normalised 9x9 Gaussian, sample after sample; edges mirrored, not doubled."""
    offsets = range(-4, 5)
    weights = np.array([[math.exp(-(r * r + c * c) / (2 * sigma**2)) for c in offsets] for r in offsets])
    weights /= weights.sum()
    padded = np.pad(g.astype(np.float64), ((4, 4), (4, 4), (0, 0)), mode="reflect")
    height, width = g.shape[:2]
    total = np.zeros((height, width, 3))
    for row in range(9):
        for column in range(9):
            total += weights[row, column] * padded[row : row + height, column : column + width]
    return total


def smoothed(image, features, layers, *, octaves, steps, shifts, step_size=0.04):
    """Blurs that grow from step to step, no detail put back."""

    def objective(found):
        return sum(tf.reduce_mean(found[layer] ** 2) for layer in layers) / len(layers)

    x = to_range(image)
    for octave, i in enumerate(reversed(range(octaves))):
        x = resize_half_pixel(x, [round(side / 1.8**i) for side in image.shape[:2]])
        for step in range(steps):
            g = rolled_gradient(objective, x, features, shifts(octave, step))
            sigma = 2 * (step + 1) / steps + 0.5
            g = sum(blurred_nine(g, sigma * share) for share in (0.5, 1, 2)) / 3
            g = (g - g.mean()) / g.std()
            x = np.clip(x + step_size * g, -1, 1).astype(np.float32)
    return to_levels(x)
