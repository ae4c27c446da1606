"""What the fuzzer begins with: sound files of every kind that is read, and those made to harm."""

from __future__ import annotations

import io
import json

import numpy as np
from PIL import Image, ImageCms

from dreamcore.checkpoint import Checkpoint
from dreamcore.params import DreamParams
from dreamcore.pictures import Picture, encode
from dreamcore.recipe import Recipe
from tests.hostile_pictures import corpus

SIZE = (13, 9)
LARGEST_BYTES = 8192
MODES = {
    "JPEG": ("RGB", "L", "CMYK"),
    "PNG": ("RGB", "RGBA", "L", "LA", "P", "1", "I;16"),
    "WEBP": ("RGB", "RGBA"),
    "GIF": ("L", "P", "1"),
    "TIFF": ("RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16", "F", "YCbCr", "LAB"),
    "BMP": ("RGB", "RGBA", "L", "P", "1"),
}
OPTIONS = {
    "JPEG": ({"progressive": True}, {"subsampling": 2}, {"comment": b"hello"}),
    "PNG": ({"transparency": (1, 2, 3)}, {"dpi": (72, 72)}),
    "WEBP": ({"lossless": True}, {"xmp": b"<x/>"}),
    "GIF": ({"interlace": 0}, {"transparency": 3}),
    "TIFF": tuple({"compression": name} for name in ("tiff_lzw", "packbits", "tiff_adobe_deflate", "jpeg")),
    "BMP": (),
}


def pictures():
    """Return pictures by name: each format, each kind of pixels that it holds, what comes with them, and bad ones."""
    found = {**_plain(), **_moving(), **_with_profiles(), **_deep()}
    return {**found, **{name: data for name, data in corpus().items() if 0 < len(data) <= LARGEST_BYTES}}


def recipes():
    """Return pictures with a recipe inside, with one that is none, and without."""
    texts = {"sound": _recipe().to_json(), "odd": "{", "markup": "<&>", "deep": "[" * 300, "empty": ""}
    made = {
        f"recipe-{name}-{kind}": encode(Picture(_noise()), format=kind, recipe=text)
        for name, text in texts.items()
        for kind in ("png", "jpeg", "webp")
    }
    xmp = b"<dreamfarm:recipe>\xff\xfe</dreamfarm:recipe>"
    made |= {f"recipe-bytes-{kind}": _saved(_image("RGB"), kind, xmp=xmp) for kind in ("JPEG", "WEBP")}
    return {**made, **_plain()}


def checkpoints():
    """Return checkpoints, and archives that are none."""
    image = np.linspace(-1, 1, 4 * 5 * 3, dtype=np.float32).reshape(4, 5, 3)
    states = {
        "begun": Checkpoint(1, 2, finished=False, image=image, losses=((1.0, 2.0),), fingerprint="f", memory=(image,)),
        "done": Checkpoint(2, 0, finished=True, image=image, losses=((1.0,), ()), fingerprint="f"),
    }
    made = {name: state.to_bytes() for name, state in states.items()}
    return {**made, **{f"array-{index}": _archive(image=array) for index, array in enumerate(_arrays())}}


def everything():
    """Return all of them."""
    return {**pictures(), **recipes(), **checkpoints()}


SEEDS = {"recipe": recipes, "checkpoint": checkpoints, "everything": everything}


def of(target):
    """Return a target's seeds by name."""
    return SEEDS.get(target, pictures)()


def _arrays():
    yield np.zeros(0, np.float32)
    yield np.zeros((2, 2, 3), ">f4")
    yield np.zeros((2, 2), np.float64)
    yield np.array("text")


def _archive(**arrays):
    about = {"version": 2, "octave": 1, "step": 1, "finished": False, "losses": [[1]], "fingerprint": "f"}
    out = io.BytesIO()
    np.savez(out, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays)
    return out.getvalue()


def _recipe():
    none = "0" * 64
    return Recipe(params=DreamParams(), input_sha256=none, weights_sha256=none, backend="b", device="d")


def _plain():
    found = {}
    for kind, modes in MODES.items():
        found |= {f"{kind}-{mode}": _saved(_image(mode), kind) for mode in modes}
        options = enumerate(OPTIONS[kind])
        found |= {f"{kind}-option-{number}": _saved(_image("RGB"), kind, **option) for number, option in options}
    return found


def _moving():
    frames = [_image("RGB", seed=seed) for seed in range(3)]
    kinds = ("GIF", "PNG", "WEBP", "TIFF")
    return {f"{kind}-moving": _saved(frames[0], kind, save_all=True, append_images=frames[1:]) for kind in kinds}


def _with_profiles():
    exif = Image.Exif()
    exif[0x0112] = 6
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    kinds = ("JPEG", "PNG", "WEBP")
    turned = {f"{kind}-turned": _saved(_image("RGB"), kind, exif=exif) for kind in kinds}
    return {**turned, **{f"{kind}-profile": _saved(_image("RGB"), kind, icc_profile=srgb) for kind in kinds}}


def _deep():
    """Return 16 bits per channel, which Pillow reads as 8 and PyAV as they are."""
    rgb = _noise().astype(np.uint16) * np.uint16(257)
    pngs = {"PNG-deep": encode(Picture(rgb)), "PNG-deep-alpha": encode(Picture(rgb, rgb[..., 0]))}
    return {**pngs, "TIFF-deep": _deep_tiff(rgb)}


def _deep_tiff(rgb):
    height, width, _ = rgb.shape
    at = 8 + rgb.nbytes
    fields = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, at), (259, 3, 1, 1), (262, 3, 1, 2)]
    fields += [(273, 4, 1, 8), (277, 3, 1, 3), (278, 4, 1, height), (279, 4, 1, rgb.nbytes)]
    entries = b"".join(b"%s%s%s%s" % tuple(map(_little, (2, 2, 4, 4), field)) for field in fields)
    head = b"II*\0" + _little(4, at + 6)
    return head + rgb.astype("<u2").tobytes() + _little(2, 16) * 3 + _little(2, len(fields)) + entries + bytes(4)


def _little(size, value):
    return value.to_bytes(size, "little")


def _noise(seed=1):
    return np.random.default_rng(seed).integers(0, 255, (SIZE[1], SIZE[0], 3), dtype=np.uint8)


def _image(mode, *, seed=1):
    image = Image.fromarray(_noise(seed))
    if mode in {"LAB", "I;16"}:
        size = SIZE[0] * SIZE[1] * (3 if mode == "LAB" else 2)
        return Image.frombytes(mode, SIZE, image.tobytes()[:size])
    return image.convert(mode)


def _saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
