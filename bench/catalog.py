"""Writes down what Keras knows of its convolutional networks: `python -m bench.catalog [NAME ...]`.

The files in ``dreamcore/networks/data`` let the api and the command line speak of layers without TensorFlow.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import keras

from dreamcore.class_heads import class_head
from dreamcore.keras_applications import anywhere
from dreamcore.layer_table import describe, describe_classes
from dreamcore.networks.applications import APPLICATIONS

FOLDER = Path(__file__).parents[1] / "dreamcore" / "networks" / "data"


def main(names: list[str]) -> None:
    """Write the files of these networks, or of all."""
    for name in names or APPLICATIONS:
        about = described_anew(name)
        text = json.dumps(about, separators=(",", ":")).replace('],["', '],\n["')
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        print(f"{name}: {len(about['layers'])} layers, {about['parameters']:,} parameters")  # a command


def described_anew(name: str) -> dict[str, Any]:
    """Return what Keras says of a network of its own."""
    side = APPLICATIONS[name].built_px
    build = getattr(keras.applications, APPLICATIONS[name].builder)
    built = build(weights=None, include_top=False, input_shape=(side, side, 3))
    bare = anywhere(built, side)
    classes = class_head(build(weights=None, include_top=True, classifier_activation=None))
    return describe(bare) | {"parameters": built.count_params(), "classes": describe_classes(bare, classes)}


if __name__ == "__main__":
    main(sys.argv[1:])
