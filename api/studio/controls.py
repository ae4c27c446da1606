"""The sliders and choices of the page Dream: how each parameter is shown, and what to say of it.

Bounds are the engine's own. A slider may end before them, where few people go further; its number field doesn't.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

from dreamcore.params import DEFAULTS, DreamParams

Kind = Literal["range", "choice", "switch", "number"]


class Control(NamedTuple):
    """One parameter as the page shows it."""

    name: str
    label: str
    hint: str
    kind: Kind = "range"
    low: float = 0
    high: float = 1
    step: float = 1
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def default(self) -> Any:
        """The value under the profile that is chosen first."""
        return DEFAULTS.get(self.name, DreamParams.model_fields[self.name].default)

    @property
    def bounds(self) -> dict[str, float]:
        """The engine's bounds, as attributes of a number field."""
        found: dict[str, float] = {}
        for rule in DreamParams.model_fields[self.name].metadata:
            if (low := getattr(rule, "ge", getattr(rule, "gt", None))) is not None:
                found["min"] = low
            if (high := getattr(rule, "le", getattr(rule, "lt", None))) is not None and high < 2**53:
                found["max"] = high
        return found


class Group(NamedTuple):
    """Controls that belong together."""

    title: str
    controls: tuple[Control, ...]
    opened: bool = False


def _range(name: str, label: str, span: tuple[float, float], step: float, hint: str) -> Control:
    return Control(name, label, hint, low=span[0], high=span[1], step=step)


def _choice(name: str, label: str, hint: str, **words: str) -> Control:
    named = {key.replace("_", "-"): text for key, text in words.items()}
    allowed = get_args(DreamParams.model_fields[name].annotation)
    return Control(name, label, hint, "choice", choices=tuple((value, named[value]) for value in allowed))


GROUPS = (
    Group(
        "The dream",
        (
            _range("octaves", "Octaves", (1, 10), 1, "Sizes to dream at, smallest first. More give larger creatures."),
            _range("octave_scale", "Octave ratio", (1.1, 2), 0.05, "How much larger each octave is than the last."),
            _range("steps", "Steps", (1, 60), 1, "Moves at each octave. More go deeper, and take as much longer."),
            _range("step_size", "Strength", (0.002, 0.1), 0.001, "How far a step moves the picture. Too much burns."),
            _range("smoothing", "Smoothness", (0, 3), 0.1, "Blurs each move: 0 is grainy, 2 is soft and painted."),
            Control("keep_colors", "Keep the photo's colours", "Dreams in light and shade alone.", "switch"),
        ),
        opened=True,
    ),
    Group(
        "How it moves",
        (
            _range("jitter", "Jitter", (0, 64), 1, "Shifts the picture at random before each step, against grids."),
            _range("laplacian", "Equal scales", (0, 8), 1, "Splits each move by scale and makes all as strong."),
            _range("smoothing_growth", "Growing blur", (0, 8), 0.1, "Blurs later steps of an octave more."),
            _range("total_variation", "Calm", (0, 2), 0.05, "Pulls neighbouring pixels together: fewer speckles."),
            _range("l2_penalty", "Towards grey", (0, 2), 0.05, "Pulls every pixel towards mid-grey: no blown lights."),
            _choice(
                "optimiser",
                "Mover",
                "How directions become moves.",
                ascent="Plain ascent",
                momentum="Momentum",
                adam="Adam",
            ),
            _range("momentum", "Memory", (0, 0.99), 0.01, "Share of earlier directions that momentum and Adam keep."),
            _choice(
                "normalise",
                "Even out",
                "What each move is divided by, so that steps are alike.",
                local="Each place by itself",
                mean_abs="Mean size",
                std="Spread",
                centred="Spread, centred",
                l2="Length",
                none="Nothing",
            ),
        ),
    ),
    Group(
        "What it follows",
        (
            _choice(
                "objective",
                "Objective",
                "What the network's answers are pushed to.",
                l2="Anything, strongly",
                mean="Anything, evenly",
                guide_dot="The guide, in place",
                guide_match="The guide, anywhere",
            ),
            _choice(
                "start",
                "Starts from",
                "Noise keeps nothing of the photo but its size.",
                photo="The photo",
                noise="Noise",
            ),
            Control("seed", "Seed", "Another seed, another dream; the same, the same to the last bit.", "number"),
            _range("feather", "Mask's edge", (0, 128), 1, "How wide a mask fades within its white, in px."),
            Control("max_loss", "Stop above", "Ends an octave early above this loss. Empty: never.", "number"),
        ),
    ),
    Group(
        "How it is computed",
        (
            _choice(
                "precision",
                "Precision",
                "Fewer bits are quicker on some devices.",
                float32="float32",
                tf32="tf32",
                bfloat16="bfloat16",
            ),
            _choice(
                "tiling",
                "Tiles",
                "Large pictures in pieces, in less memory.",
                auto="Where need be",
                off="Never",
                exact="Always",
                rolled="Always, cheap ones",
            ),
        ),
    ),
)
