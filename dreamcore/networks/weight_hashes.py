"""What Keras says its files of ImageNet weights hash to: MD5, or SHA-256 for ConvNeXt."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dreamcore.catalog import ModelSpec

KNOWN = {
    "convnext_base": "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45",
    "convnext_large": "96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd",
    "convnext_small": "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab",
    "convnext_tiny": "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
    "convnext_xlarge": "de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05",
    "densenet121": "30ee3e1110167f948a6b9946edeeb738",
    "densenet169": "b8c4d4c20dd625c148057b9ff1c1176b",
    "densenet201": "c13680b51ded0fb44dff2d8f86ac8bb1",
    "efficientnet_b0": "50bc09e76180e00e4465e1a485ddc09d",
    "efficientnet_b1": "74c4e6b3e1f6a1eea24c589628592432",
    "efficientnet_b2": "111f8e2ac8aa800a7a99e3239f7bfb39",
    "efficientnet_b3": "af6d107764bb5b1abb91932881670226",
    "efficientnet_b4": "ebc24e6d6c33eaebbd558eafbeedf1ba",
    "efficientnet_b5": "38879255a25d3c92d5e44e04ae6cec6f",
    "efficientnet_b6": "9ecce42647a20130c1f39a5d4cb75743",
    "efficientnet_b7": "cbcfe4450ddf6f3ad90b1b398090fe4a",
    "efficientnet_v2_b0": "893217f2bb855e2983157299931e43ff",
    "efficientnet_v2_b1": "0e80663031ca32d657f9caa404b6ec37",
    "efficientnet_v2_b2": "1dfe2e7a5d45b6632553a8961ea609eb",
    "efficientnet_v2_b3": "f6abf7b5849ac99a89b50dd3fd532856",
    "efficientnet_v2_l": "b0b66b5c863aef5b46e8608fe1711615",
    "efficientnet_v2_m": "1b8dc055df72dde80d614482840fe342",
    "efficientnet_v2_s": "af0682fb74e8c54910f2d4393339c070",
    "inception_resnet_v2": "d19885ff4a710c122648d3b5c3b684e4",
    "mobilenet_v3_large": "07fb09a5933dd0c8eaafa16978110389",
    "mobilenet_v3_small": "d3e8ec802a04aa4fc771ee12a9a9b836",
    "nasnet_large": "d81d89dc07e6e56530c4e77faddd61b5",
    "nasnet_mobile": "1ed92395b5b598bdda52abe5c0dbfd63",
    "resnet101": "88cf7a10940856eca736dc7b7e228a21",
    "resnet101_v2": "c0ed64b8031c3730f411d2eb4eea35b5",
    "resnet152": "ee4c566cf9a93f14d82f913c2dc6dd0c",
    "resnet152_v2": "ed17cf2e0169df9d443503ef94b23b33",
    "resnet50": "4d473c1dd8becc155b73f8504c6f6626",
    "resnet50_v2": "fac2f116257151a9d068a22e544a4917",
    "vgg16": "6d6bbae143d832006294945121d1f1fc",
    "vgg19": "253f8cb515780f3b799900260a226db6",
    "xception": "b0042744bf5b25fce3cb969f33bebb97",
}
"""Of files without the classifier."""

KNOWN_WITH_CLASSES = {
    "convnext_base": "52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6",
    "convnext_large": "070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6",
    "convnext_small": "ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c",
    "convnext_tiny": "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
    "convnext_xlarge": "c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee",
    "densenet121": "9d60b8095a5708f2dcce2bca79d332c7",
    "densenet169": "d699b8f76981ab1b30698df4c175e90b",
    "densenet201": "1ceb130c1ea1b78c3bf6114dbdfd8807",
    "efficientnet_b0": "902e53a9f72be733fc0bcb005b3ebbac",
    "efficientnet_b1": "1d254153d4ab51201f1646940f018540",
    "efficientnet_b2": "b15cce36ff4dcbd00b6dd88e7857a6ad",
    "efficientnet_b3": "ffd1fdc53d0ce67064dc6a9c7960ede0",
    "efficientnet_b4": "18c95ad55216b8f92d7e70b3a046e2fc",
    "efficientnet_b5": "ace28f2a6363774853a83a0b21b9421a",
    "efficientnet_b6": "165f6e37dce68623721b423839de8be5",
    "efficientnet_b7": "8c03f828fec3ef71311cd463b6759d99",
    "efficientnet_v2_b0": "21ecbf6da12460d5c40bb2f29ceb2188",
    "efficientnet_v2_b1": "069f0534ff22adf035c89e2d9547a9dc",
    "efficientnet_v2_b2": "424e49f28180edbde1e94797771950a7",
    "efficientnet_v2_b3": "1f1fc43bd98a6e4fd8fdfd551e02c7a0",
    "efficientnet_v2_l": "27e6d408b53c7ebc868fefa357689935",
    "efficientnet_v2_m": "a3bf6aa3276309f4fc6a34aa114c95cd",
    "efficientnet_v2_s": "e1d88a8495beba45748fedd0cecbe016",
    "inception_resnet_v2": "e693bd0210a403b3192acc6073ad2e96",
    "mobilenet_v3_large": "59e551e166be033d707958cf9e29a6a7",
    "mobilenet_v3_small": "8768d4c2e7dee89b9d02b2d03d65d862",
    "nasnet_large": "11577c9a518f0070763c2b964a382f17",
    "nasnet_mobile": "020fb642bf7360b370c678b08e0adf61",
    "resnet101": "f1aeb4b969a6efcfb50fad2f0c20cfc5",
    "resnet101_v2": "6343647c601c52e1368623803854d971",
    "resnet152": "100835be76be38e30d865e96f2aaae62",
    "resnet152_v2": "a49b44d1979771252814e80f8ec446f9",
    "resnet50": "2cb95161c43110f7111970584f804107",
    "resnet50_v2": "3ef43a0b657b3be2300d5770ece849e0",
    "vgg16": "64373286793e3c8b2b4e3219cbf3544b",
    "vgg19": "cbe5617147190e668d6c5d5026f83318",
    "xception": "0a58e3b7378bc2990ea3b43d5981f1f6",
}


def weights_id(model: ModelSpec) -> str | None:
    """Return what tells a model's weights from others, within one version of the engine; None where nothing does.

    That is the hash that their file is checked by. The networks that the engine runs itself have theirs in
    `dreamcore.weights`, so the version says it all.
    """
    if model.file_sha256 is not None:
        return model.file_sha256
    return "checked" if model.graph is not None else KNOWN.get(model.name)


def algorithm_of(digest: str) -> str:
    """Return the name of the hash that has so many digits."""
    return "sha256" if len(digest) == 64 else "md5"  # noqa: PLR2004  # 256 bits
