"""What is fuzzed: each function takes bytes, and fails where what reads them does anything but read or refuse them."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from dreamcore.checkpoint import Checkpoint
from dreamcore.errors import CheckpointError, MaskError, PictureError
from dreamcore.masks import feathered, mask_of
from dreamcore.pictures import decode, read_recipe
from dreamcore.recipe import Recipe
from farm.decoder import look
from farm.decoders import ANSWER, KINDS, MAX_ANSWER_BYTES, Refused

MOST_PIXELS = 250_000
LONGEST_WORDS = 1000
FEATHER_PX = 6
UNEXPECTED = "The picture is broken: "
"""What a decoder answers to what `decode` says it doesn't raise."""


def decoder(data):
    """What a decoder's process answers is a size within the limit, or one sentence about what is wrong."""
    text = json.dumps(look(data, MOST_PIXELS))
    answer = ANSWER.validate_json(text)
    assert len(text) < MAX_ANSWER_BYTES
    if isinstance(answer, Refused):
        assert answer.code in KINDS
        assert not answer.detail.startswith(UNEXPECTED), answer.detail
        _check_words(answer.detail)
    else:
        assert answer.width * answer.height <= MOST_PIXELS


def render(data, *, deep=True):
    """What a render decodes is a picture within the limit, or raises what it says it raises."""
    try:
        picture = decode(data, max_pixels=MOST_PIXELS, deep=deep)
    except PictureError as error:
        _check_words(str(error))
        return
    height, width, channels = picture.rgb.shape
    assert channels == 3
    assert 0 < height * width <= MOST_PIXELS
    assert picture.rgb.dtype in ((np.uint8, np.uint16) if deep else (np.uint8,))
    assert picture.alpha is None or picture.alpha.shape == (height, width)
    assert picture.icc_profile is None or isinstance(picture.icc_profile, bytes)


def mask(data):
    """What a mask is made of is grey of its picture's size, all of it from 0 to 1 once its edges fade."""
    try:
        picture = decode(data, max_pixels=MOST_PIXELS)
        grey = mask_of(picture)
        soft = feathered(grey, feather_px=FEATHER_PX)
    except (PictureError, MaskError) as error:
        _check_words(str(error))
        return
    assert grey.shape == soft.shape == picture.rgb.shape[:2]
    assert 0 <= soft.min() <= soft.max() <= 1


def recipe(data):
    """What a stranger's picture brings as its recipe is one, or is none; opening it raises what it says it raises."""
    try:
        text = read_recipe(data)
    except PictureError as error:
        _check_words(str(error))
        return
    assert text is None or isinstance(text, str)
    try:
        Recipe.model_validate_json(text or "")
    except ValidationError:
        return


def checkpoint(data):
    """What is read as a checkpoint holds what one holds, and no more numbers than there are bytes."""
    try:
        found = Checkpoint.from_bytes(data)
    except CheckpointError as error:
        _check_words(str(error))
        return
    assert (type(found.octave), type(found.step), type(found.finished)) == (int, int, bool)
    assert isinstance(found.fingerprint, str)
    assert all(isinstance(loss, float | int) for octave in found.losses for loss in octave)
    for array in (found.image, *found.memory):
        assert (array.dtype, array.ndim, array.shape[2:]) == (np.float32, 3, (3,))
    assert sum(array.nbytes for array in (found.image, *found.memory)) <= len(data)


def everything(data):
    """What a file may be read as, one after the other, for runs that are short."""
    if data.startswith(b"PK"):
        checkpoint(data)
    else:
        decoder(data)
        recipe(data)


def planted(data):
    """Bugs that lie behind branches which no seed takes: a fuzzer that doesn't find them finds nothing."""
    kind, one, other = data[:2], data[4:5] > b"\x80", data[5:6] > b"\x80"
    if one and other:
        _misbehave(kind)


def _misbehave(kind):
    if kind == b"GI":
        raise IndexError(kind)
    if kind == b"MM":
        print("a word")  # noqa: T201  # the bug
    if kind == b"\x89P":
        Path(os.devnull).write_bytes(kind)


TARGETS = {"decoder": decoder, "shallow": partial(render, deep=False), "render": render}
TARGETS |= {"mask": mask, "recipe": recipe, "checkpoint": checkpoint}
FOR_TESTS = {"everything": everything, "planted": planted}


def _check_words(text):
    """Fail unless a text is one line that a person can read."""
    assert text.isprintable(), text
    assert len(text) <= LONGEST_WORDS, text
    assert " at 0x" not in text, "an address of the process' memory"
