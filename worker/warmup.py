"""Loads the engine before the first job comes, by dreaming a tiny picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dreamcore import DreamParams, dream, load_model
from dreamcore.backend import accelerator_bytes, cache_compilations, describe_backend, describe_device
from dreamcore.memory import machine_bytes

if TYPE_CHECKING:
    from farm.settings import Settings

SIDE_PX = 96


def about_engine() -> dict[str, str]:
    """Return what a worker's card says of device and library."""
    memory = accelerator_bytes() or machine_bytes()
    return {"device": describe_device(), "library": describe_backend(), "memory_bytes": str(int(memory))}


def warm_up(settings: Settings) -> str:
    """Load the default model, compile its step or find it compiled, and return the name of the device it runs on."""
    cache_compilations(settings.cache_dir / "compiled")
    params = DreamParams.model_validate({"octaves": 1, "steps": 1})
    gradient = np.linspace(0, 255, SIDE_PX, dtype=np.uint8)
    image = np.broadcast_to(gradient[:, None, None], (SIDE_PX, SIDE_PX, 3))
    dream(image, params, model=load_model(params.model, weights_dir=settings.weights_dir))
    return describe_device()
