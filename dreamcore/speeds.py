"""Speeds: fitted to what was measured, and kept on disk. Imports no TensorFlow."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import asdict, astuple
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from platformdirs import user_cache_path

from dreamcore.planner import REFERENCE, Speed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dreamcore.workload import Work

PRIOR = 0.15
"""How much a part's share on the reference device counts, against a relative error of the same size."""
LEAST_SHARE = 0.02
"""Of what the reference device would have a part cost: nothing is free."""


class SpeedKey(NamedTuple):
    """What a speed is measured once for."""

    device: str
    backend: str
    model: str
    precision: str


class Measurement(NamedTuple):
    """A dream's work and what it took."""

    work: Work
    seconds: float


def fitted(measurements: Sequence[Measurement]) -> Speed:
    """Return the speed that explains measurements best.

    minimise sum_m (W_m s / t_m - 1)^2 + PRIOR^2 sum_p (s_p / (f r_p) - 1)^2

    over the parts' seconds s, with the parts W_m of measurement m, its seconds t_m, the reference's seconds r, and f
    how many times the reference's time the measurements took. The second sum decides where the first can't tell.

    Parameters
    ----------
    measurements
        One or more; the parts are told apart if they come in different proportions.
    """
    parts = np.array([_parts(each.work) for each in measurements], float)
    seconds = np.array([each.seconds for each in measurements], float)
    reference = np.array(astuple(REFERENCE))
    scaled = reference * np.exp(np.mean(np.log(seconds / (parts @ reference))))
    rows = np.vstack([parts * scaled / seconds[:, None], PRIOR * np.eye(len(scaled))])
    shares = np.linalg.lstsq(rows, np.append(np.ones(len(seconds)), PRIOR * np.ones(len(scaled))), rcond=None)[0]
    return Speed(*(np.maximum(shares, LEAST_SHARE) * scaled).tolist())


def _parts(work: Work) -> tuple[float, ...]:
    return work.operations, work.elements, work.launches


class SpeedCache:
    """Speeds in a folder, a file each; one that can't be read counts as none."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or user_cache_path("dreamfarm") / "speeds"

    def get(self, key: SpeedKey) -> Speed | None:
        """Return what was measured, if it was."""
        try:
            stored = json.loads(self._path(key).read_text(encoding="utf-8"))
            return Speed(**stored["speed"]) if stored["key"] == list(key) else None
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def put(self, key: SpeedKey, speed: Speed) -> None:
        """Keep a speed; where the folder can't be written it is measured again next time."""
        text = json.dumps({"key": key, "speed": asdict(speed)}, indent=2)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=self.folder, delete=False, encoding="utf-8") as file:
                file.write(text)
            Path(file.name).replace(self._path(key))
        except OSError:
            return

    def _path(self, key: SpeedKey) -> Path:
        return self.folder / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]}.json"
