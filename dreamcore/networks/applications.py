"""The convolutional networks of Keras Applications, as data: their names, what they take, their layers.

What Keras knows of them is in ``data/``, written by `python -m bench.catalog`. Imports no TensorFlow.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from dreamcore.graph import InputMapping

if TYPE_CHECKING:
    from collections.abc import Mapping

CAFFE = InputMapping("bgr", 127.5, (103.939, 116.779, 123.68))
PLAIN = InputMapping()
TORCH = InputMapping("rgb", (0.5 / 0.229, 0.5 / 0.224, 0.5 / 0.225), (0.485 / 0.229, 0.456 / 0.224, 0.406 / 0.225))
LEVELS = InputMapping("rgb", 127.5, (0.0, 0.0, 0.0))

CLASSES = "predictions"
"""What the layer of the classes is called, whatever Keras calls it."""
WHOLE = "verdict"
"""Kind of the layers each of whose cells answers for the whole picture."""


class Application(NamedTuple):
    """A network that Keras builds: by which name, from what input, of how many px at least.

    `built_px` is the side of the pictures that it must be built for; None where Keras builds it for any size.
    """

    builder: str
    mapping: InputMapping
    min_size: int = 32
    built_px: int | None = None


APPLICATIONS: Mapping[str, Application] = {
    "vgg16": Application("VGG16", CAFFE),
    "vgg19": Application("VGG19", CAFFE),
    "resnet50": Application("ResNet50", CAFFE),
    "resnet101": Application("ResNet101", CAFFE),
    "resnet152": Application("ResNet152", CAFFE),
    "resnet50_v2": Application("ResNet50V2", PLAIN),
    "resnet101_v2": Application("ResNet101V2", PLAIN),
    "resnet152_v2": Application("ResNet152V2", PLAIN),
    "inception_resnet_v2": Application("InceptionResNetV2", PLAIN, 75),
    "xception": Application("Xception", PLAIN, 71),
    "mobilenet": Application("MobileNet", PLAIN),
    "mobilenet_v2": Application("MobileNetV2", PLAIN),
    "mobilenet_v3_small": Application("MobileNetV3Small", LEVELS),
    "mobilenet_v3_large": Application("MobileNetV3Large", LEVELS),
    "densenet121": Application("DenseNet121", TORCH),
    "densenet169": Application("DenseNet169", TORCH),
    "densenet201": Application("DenseNet201", TORCH),
    "nasnet_mobile": Application("NASNetMobile", PLAIN, built_px=224),
    "nasnet_large": Application("NASNetLarge", PLAIN, built_px=331),
    **{f"efficientnet_b{size}": Application(f"EfficientNetB{size}", LEVELS) for size in range(8)},
    **{f"efficientnet_v2_b{size}": Application(f"EfficientNetV2B{size}", LEVELS) for size in range(4)},
    **{f"efficientnet_v2_{size.lower()}": Application(f"EfficientNetV2{size}", LEVELS) for size in "SML"},
    **{
        f"convnext_{size.lower()}": Application(f"ConvNeXt{size}", LEVELS)
        for size in ("Tiny", "Small", "Base", "Large", "XLarge")
    },
}


@cache
def described(name: str) -> dict[str, Any]:
    """Return what Keras says of a network: parameters, default layers, and for each layer a row of facts."""
    text = files("dreamcore.networks").joinpath("data", f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found
