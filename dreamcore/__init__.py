"""Dreamcore: DeepDream as a library.

Importing it loads no TensorFlow; the first use of `dream` or `load_model` does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from dreamcore.version import __version__

if TYPE_CHECKING:
    from dreamcore.calibration import estimate
    from dreamcore.checkpoint import Checkpoint
    from dreamcore.engine import dream
    from dreamcore.models import load_model
    from dreamcore.octaves import plan_octaves
    from dreamcore.pack_keys import pack_key
    from dreamcore.packs import dream_pack
    from dreamcore.params import DreamParams
    from dreamcore.planner import Estimate
    from dreamcore.results import DreamResult, Progress, Stopped
    from dreamcore.zoom_path import ZoomParams
    from dreamcore.zooming import zoom

__all__ = [
    "Checkpoint",
    "DreamParams",
    "DreamResult",
    "Estimate",
    "Progress",
    "Stopped",
    "ZoomParams",
    "__version__",
    "dream",
    "dream_pack",
    "estimate",
    "load_model",
    "pack_key",
    "plan_octaves",
    "zoom",
]

HOMES = {
    "Checkpoint": "checkpoint",
    "DreamParams": "params",
    "DreamResult": "results",
    "Estimate": "planner",
    "Progress": "results",
    "Stopped": "results",
    "dream": "engine",
    "dream_pack": "packs",
    "estimate": "calibration",
    "load_model": "models",
    "pack_key": "pack_keys",
    "plan_octaves": "octaves",
    "ZoomParams": "zoom_path",
    "zoom": "zooming",
}


def __getattr__(name: str) -> object:
    """Import a public name from its module when it is first asked for (PEP 562)."""
    home = HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
