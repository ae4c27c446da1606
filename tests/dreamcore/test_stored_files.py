"""Checkpoints and recipes, pinned: the version before this one has written some, and reads what this one writes."""

from __future__ import annotations

import base64
import io
import json
import zipfile
import zlib

import numpy as np
import pytest

from dreamcore.checkpoint import Checkpoint
from dreamcore.params import DreamParams
from dreamcore.pictures import Picture, encode, read_recipe
from dreamcore.recipe import Recipe

CHECKPOINT = zlib.decompress(
    base64.b85decode(
        "c-jl_W@gc4fB;1X)wzZD{zCyLg9t-rZen_>US2^ZBZB}#4^$b9p6nOu8xYCJP{vTLo|0OeT%>NLpl*|9qOPN$o|a!!Qk0k%pI?-c3KDlq%qdO"
        "<iWg@j7Ni3C8iqOwKxC|`qfo0r9^hhNXxI;RihTfzH@csRT!49l8|aPP)ZF}{N`pb{5qqFB9Dv9H)g!HMZy!UBkHn<>(h`_AbQmGZU^G^5)RY<"
        "$=M8fs9SZya@<z2%S!z*nW`3TMm4cCuf>M5RNn%+llv7-iS^#7k1DR==d6~r-sVP8i8pIh&Ir+uKsl`Bn=x9SdQym2ZJtNat9ffFPJ%iX-h?ex"
        "!qJpB#yb_=yr8EkGQf+`YBa<#OYQpb<CJ9ak1ZV(<Ej$~bYXc=Tm^N+{ZO4HmQnEwW2#Q!xyn!&PeG`Bp@MsS3W@Q5jGXvprApM;Q!~+1kmEEl"
    )
)
"""As version 0.1.0 has written it."""

PARAMS = {
    "preset": "none",
    "profile": "dreamfarm",
    "model": "squeezenet",
    "layers": {"fire8": 1.0, "fire9": 1.0},
    "terms": [],
    "octaves": 5,
    "octave_scale": 1.4,
    "steps": 15,
    "step_size": 0.025,
    "jitter": 16,
    "max_loss": None,
    "seed": 0,
    "objective": "l2",
    "normalise": "local",
    "smoothing": 0.8,
    "smoothing_growth": 0.0,
    "laplacian": 0,
    "optimiser": "ascent",
    "momentum": 0.9,
    "total_variation": 0.0,
    "l2_penalty": 0.0,
    "start": "photo",
    "keep_colors": False,
    "feather": 16.0,
    "precision": "float32",
    "tiling": "auto",
}
RECIPE = {
    "version": 1,
    "engine_version": "0.1.0",
    "params": PARAMS,
    "input_sha256": "0" * 64,
    "guides_sha256": ["2" * 64],
    "masks_sha256": ["3" * 64],
    "weights_sha256": "1" * 64,
    "backend": "keras 3",
    "device": "CPU",
}
MARKS = {
    "png": b"iTXtdreamfarm\0\0\0\0\0",
    "jpeg": b'xmlns:dreamfarm="urn:dreamfarm:1"><dreamfarm:recipe>',
    "webp": b'xmlns:dreamfarm="urn:dreamfarm:1"><dreamfarm:recipe>',
}


def checkpoint():
    image, memory = np.array([[[-1, 0, 0.5]]], np.float32), np.array([[[1, 2, 3]]], np.float32)
    losses = ((1.5, 0.25), (3.0,))
    return Checkpoint(2, 3, finished=False, image=image, losses=losses, fingerprint="f" * 64, memory=(memory,))


def parts(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {entry.filename: (entry.compress_type, archive.read(entry)) for entry in archive.infolist()}


def test_a_checkpoint_of_the_version_before_is_gone_on_from():
    """Every number of it is read; a worker of this version takes a dream over from one that was replaced."""
    found = Checkpoint.from_bytes(CHECKPOINT)

    assert vars(found) | {"image": 0, "memory": 0} == vars(checkpoint()) | {"image": 0, "memory": 0}
    assert np.array_equal(found.image, checkpoint().image)
    assert np.array_equal(found.memory, checkpoint().memory)


def test_a_checkpoint_is_written_as_it_was():
    """Member by member, byte by byte: a worker of the version before goes on from it."""
    assert parts(checkpoint().to_bytes()) == parts(CHECKPOINT)


def test_a_jobs_parameters_are_those_that_they_were():
    """Where one is added, workers are brought up to date before the apis: older ones refuse what they don't know."""
    assert DreamParams().model_dump(mode="json") == PARAMS


def test_a_recipe_of_the_version_before_is_read():
    """Its picture can be made again."""
    recipe = Recipe.model_validate_json(json.dumps(RECIPE))

    assert recipe.params == DreamParams()
    assert (recipe.engine_version, recipe.masks_sha256) == ("0.1.0", ("3" * 64,))


@pytest.mark.parametrize("kind", MARKS)
def test_a_recipe_is_written_as_it_was(kind):
    """Field by field, at the same place of the file."""
    text = Recipe.model_validate(RECIPE).to_json()
    data = encode(Picture(np.zeros((2, 2, 3), np.uint8)), format=kind, recipe=text)

    assert json.loads(text) == RECIPE
    assert MARKS[kind] in data
    assert json.loads(read_recipe(data)) == RECIPE
