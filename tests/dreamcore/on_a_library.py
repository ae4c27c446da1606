"""Dreams a few dreams on the library that KERAS_BACKEND names, into the folder that argument 1 names.

Run as a program by a test that compares, since a process has one library.
"""

import json
import sys
from pathlib import Path

import numpy as np

from dreamcore import DreamParams, Stopped, dream, dream_pack, load_model
from dreamcore.backend import cache_compilations, describe_backend, traces
from dreamcore.course import Course
from tests.support import noise

# On JAX each octave is a compilation of some seconds: few dreams have two.
SHORT = {"model": "squeezenet", "octaves": 1, "steps": 2, "step_size": 0.005, "max_loss": None}
SINGLE = {
    "dreamfarm": {"layers": {"fire5": 1.0, "fire8": 2.0}},
    "keras": {"profile": "keras", "layers": {"fire3": 1.0}, "octaves": 2},
    "guided": {"objective": "guide-dot", "layers": {"fire4": 1.0}},
    "terms": {
        "terms": [
            {"layer": "fire6", "kind": "guide-match"},
            {"layer": "fire4", "channels": {"pick": "strongest", "count": 3}, "weight": 2.0},
            {"layer": "fire4", "at": [0.3, 0.6], "weight": -0.1},
        ]
    },
    "lapnorm": {"profile": "lapnorm", "layers": {"fire3": 1.0}},
    "google2015": {"profile": "google2015", "layers": {"fire3": 1.0}},
    "exact": {"layers": {"fire3": 1.0, "fire4": -0.5}, "steps": 1, "tiling": "exact"},
    "rolled": {"layers": {"fire4": 1.0}, "steps": 1, "tiling": "rolled"},
    "moved": {"optimiser": "adam", "smoothing_growth": 1.0, "total_variation": 0.1, "layers": {"fire3": 1.0}},
}
MASKED_TERMS = {
    "terms": [
        {"layer": "fire6", "mask": 0},
        {"layer": "fire4", "channels": {"pick": "strongest", "count": 2}, "weight": 0.5},
    ],
}
LITTLE_GB = 0.6005
"""Tiles of 128 px and moves in bands."""


def main(folder: Path) -> None:
    cache_compilations(folder / "cache")
    model = load_model("squeezenet")
    found = {name: alone(model, SHORT | changes) for name, changes in SINGLE.items()}
    found["masked"] = alone(model, SHORT | SINGLE["lapnorm"], mask=half_masked())
    found["masked_terms"] = alone(model, SHORT | MASKED_TERMS, mask=half_masked())
    found["repeated"] = alone(model, SHORT | SINGLE["moved"], steps_per_call=2)
    packed, stopped_after, compilations = pack(model)
    np.savez(folder / "dreams.npz", **found, **packed)
    cached = len(list((folder / "cache").glob("*")))
    cache_compilations(folder / "cache", most_gb=0)
    about = {
        "library": describe_backend(),
        "stopped_after": stopped_after,
        "compilations": compilations,
        "tensorflow": "tensorflow" in sys.modules,
        "cached": cached,
        "cached_within_nothing": len(list((folder / "cache").glob("*-cache"))),
    }
    (folder / "about.json").write_text(json.dumps(about))


def half_masked():
    mask = np.zeros((97, 123), np.uint8)
    mask[10:80, 40:] = 255
    return mask


def alone(model, changes, **options):
    tiled = "tiling" in changes
    guided = {"objective", "terms"} & set(changes) and "mask" not in options
    guide = noise(90, 70, seed=4) if guided else None
    images = []
    params = DreamParams.model_validate(changes)
    options["on_octave"] = lambda checkpoint, _: images.append(checkpoint)
    picture = noise(150, 170) if tiled else noise(97, 123)
    dream(picture, params, guide=guide, model=model, memory_gb=LITTLE_GB if tiled else None, **options)
    return images[-1].image


def pack(model):
    """Three pictures, of which the middle one is stopped before its fourth step."""
    asked = [0, 0, 0]

    def should_stop(index):
        asked[index] += 1
        return index == 1 and asked[index] == 4

    images = [noise(97, 123, seed=seed) for seed in range(3)]
    params = [DreamParams(**SHORT | {"octaves": 2}, seed=seed, layers={"fire3": 1.0 + seed}) for seed in range(3)]
    first, middle, last = dream_pack(images, params, model=model, should_stop=should_stop)
    assert isinstance(middle, Stopped)
    pictures = {"pack_first": first.image, "pack_middle": middle.checkpoint.image, "pack_last": last.image}
    compiled_step = Course(images[0], params[0], guide=None, model=model).compiled_step
    return pictures, [middle.checkpoint.octave, middle.checkpoint.step], traces(compiled_step)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
