"""One contestant in a process of its own: warms up, then times a step for each line it reads."""

from __future__ import annotations

import itertools
import sys
import time
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dreamcore.features import ConvWeights

WARM_UP_STEPS = 2
CONVOLUTION_CELLS, CONVOLUTION_CHANNELS = 64, 256
CONVOLUTION_OPERATIONS = 2 * 9 * (CONVOLUTION_CELLS * CONVOLUTION_CHANNELS) ** 2
BIAS_STD = 0.1
PICTURE_PX = 240 * 320


class Case(NamedTuple):
    """A network, what is maximised, and the image's height and width in px."""

    title: str
    model: str
    layers: dict[str, float]
    size: tuple[int, int]


CASES = {
    "squeezenet": Case("SqueezeNet fire8, 512x512", "squeezenet", {"fire8": 1.0}, (512, 512)),
    "inception": Case(
        "InceptionV3 mixed4-7, 400x600",
        "inception_v3",
        {"mixed4": 1.0, "mixed5": 1.5, "mixed6": 2.0, "mixed7": 2.5},
        (400, 600),
    ),
}


def dreamcore(case: Case) -> Callable[[], float]:
    """Return dreamcore's step."""
    return _dreamcore(case, "float32")


def dreamcore_bfloat16(case: Case) -> Callable[[], float]:
    """Return dreamcore's step with the network in bfloat16."""
    return _dreamcore(case, "bfloat16")


def _dreamcore(case: Case, precision: Literal["float32", "bfloat16"]) -> Callable[[], float]:
    from dreamcore import DreamParams  # noqa: PLC0415  # each contestant sets TensorFlow up by itself
    from dreamcore.course import Course  # noqa: PLC0415

    params = DreamParams(
        profile="keras",
        model=case.model,
        layers=case.layers,
        octaves=1,
        steps=1000,
        max_loss=None,
        precision=precision,
    )
    course = Course(_picture(case), params, guide=None, model=_biased(case.model))
    state = course.start(None)
    course.enter(state, 1)
    progress = course.ascend(state, lambda: False)
    return lambda: next(progress).loss


def _biased(name: str) -> Any:
    """Return a network with random kernels and biases: biases of zero would be computed away."""
    from dreamcore.catalog import get_model  # noqa: PLC0415
    from dreamcore.models import Model  # noqa: PLC0415
    from dreamcore.weights import Weights, random_weights  # noqa: PLC0415

    spec = get_model(name)
    weights = random_weights(spec)
    numbers = np.random.default_rng(1)
    arrays = {
        node: (kernel, numbers.normal(0, BIAS_STD, bias.shape).astype(np.float32))
        for node, (kernel, bias) in cast("Mapping[str, ConvWeights]", weights.arrays).items()
    }
    return Model(spec, Weights(arrays, weights.sha256))


def convolution(_: Case) -> Callable[[], float]:
    """Return one big 3x3 convolution: what the processor reaches at best."""
    import tensorflow as tf  # noqa: PLC0415  # with its own defaults

    side, channels = CONVOLUTION_CELLS, CONVOLUTION_CHANNELS
    x = tf.random.normal((1, side, side, channels))
    kernel = tf.constant(np.random.default_rng(0).standard_normal((3, 3, channels, channels), np.float32))
    run = tf.function(lambda x: tf.reduce_max(tf.nn.conv2d(x, kernel, 1, "SAME")))
    return lambda: float(run(x))


def one_size(_: Case) -> Callable[[], float]:
    """Return a dream on a picture that always has the same size."""
    return _dreams([240])


def twenty_sizes(_: Case) -> Callable[[], float]:
    """Return a dream on a picture that has another size each time, and about the same number of pixels."""
    return _dreams([*range(202, 282, 4)])


def _dreams(heights: list[int]) -> Callable[[], float]:
    from dreamcore import DreamParams, dream, load_model  # noqa: PLC0415

    model = load_model("squeezenet", "random")
    params = DreamParams(octaves=3)
    pictures = itertools.cycle(
        np.random.default_rng(height).integers(0, 256, (height, PICTURE_PX // height, 3), dtype=np.uint8)
        for height in heights
    )
    return lambda: dream(next(pictures), params, model=model).losses[-1][-1]


def eager(case: Case) -> Callable[[], float]:
    """Return the step of the Keras example, run eagerly."""
    return _keras_loop(case, lambda step: step)


def function(case: Case) -> Callable[[], float]:
    """Return the step of the Keras example under a plain `tf.function`."""
    import tensorflow as tf  # noqa: PLC0415  # with its own defaults

    return _keras_loop(case, tf.function)


def _keras_loop(case: Case, wrap: Callable[[Any], Any]) -> Callable[[], float]:
    import tensorflow as tf  # noqa: PLC0415  # with its own defaults

    features = NETWORKS[case.model](list(case.layers))
    image = tf.Variable(_picture(case)[None] / np.float32(127.5) - 1)

    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = 0.0
            for name, activation in features(x).items():
                count = tf.reduce_prod(tf.cast(tf.shape(activation), "float32"))
                loss += case.layers[name] * tf.reduce_sum(tf.square(activation[:, 2:-2, 2:-2, :])) / count
        gradient = tape.gradient(loss, x)
        return x + 0.01 * gradient / tf.maximum(tf.reduce_mean(tf.abs(gradient)), 1e-6), loss

    wrapped = wrap(step)

    def advance() -> float:
        moved, loss = wrapped(image.value())
        image.assign(moved)
        return float(loss)

    return advance


def _inception(layers: list[str]) -> Any:
    import keras  # noqa: PLC0415  # loads TensorFlow

    network = keras.applications.InceptionV3(weights=None, include_top=False)
    return keras.Model(network.inputs, {name: network.get_layer(name).output for name in layers})


def _squeezenet(layers: list[str]) -> Any:
    import keras  # noqa: PLC0415  # loads TensorFlow

    def fire(x: Any, name: str, squeeze: int) -> Any:
        x = keras.layers.Conv2D(squeeze, 1, activation="relu")(x)
        narrow = keras.layers.Conv2D(4 * squeeze, 1, activation="relu")(x)
        wide = keras.layers.Conv2D(4 * squeeze, 3, padding="same", activation="relu")(x)
        return keras.layers.Concatenate(name=name)([narrow, wide])

    source = x = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(64, 3, strides=2, padding="same", activation="relu")(x)
    x = keras.layers.MaxPooling2D(3, 2)(x)
    for index, squeeze in enumerate((16, 16, 32, 32, 48, 48, 64, 64), start=2):
        x = fire(x, f"fire{index}", squeeze)
        if index in {3, 5}:
            x = keras.layers.MaxPooling2D(3, 2)(x)
    network = keras.Model(source, x)
    return keras.Model(source, {name: network.get_layer(name).output for name in layers})


NETWORKS = {"inception_v3": _inception, "squeezenet": _squeezenet}
CONTESTANTS = {
    "dreamcore": dreamcore,
    "dreamcore_bfloat16": dreamcore_bfloat16,
    "eager": eager,
    "function": function,
    "convolution": convolution,
    "one_size": one_size,
    "twenty_sizes": twenty_sizes,
}


def _picture(case: Case) -> Any:
    return np.random.default_rng(0).integers(0, 256, (*case.size, 3), dtype=np.uint8)


def main() -> None:
    """Time one step for each line read; print its seconds."""
    contestant, case = sys.argv[1:]
    step = CONTESTANTS[contestant](CASES[case])
    for _ in range(WARM_UP_STEPS):
        step()
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        step()
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
