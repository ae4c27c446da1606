"""KEDA's rules: the Kubernetes autoscaler's formula on the backlog in device-seconds, up at once and down slowly."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

SYNC_S = 15.0
"""How often the autoscaler looks."""


@dataclass(frozen=True)
class KedaRules:
    """What the ScaledObject says.

    Attributes
    ----------
    target_s : backlog per worker, in seconds of the reference device.
    tolerance : how far from the target nothing is done.
    cooldown_s : without any work before the last workers go.
    stabilise_s : of the wishes in so long the largest counts when scaling down.
    down_share, down_every_s : at most so many of the workers go in so long.
    """

    target_s: float = 6000.0
    least: int = 0
    most: int = 100
    tolerance: float = 0.1
    cooldown_s: float = 300.0
    stabilise_s: float = 600.0
    down_share: float = 0.1
    down_every_s: float = 60.0


@dataclass
class Autoscaler:
    """Says how many workers there should be."""

    rules: KedaRules
    _wishes: deque[tuple[float, int]] = field(default_factory=deque)
    _last_work_s: float = 0.0
    _last_down_s: float = -math.inf

    def wanted(self, now_s: float, backlog_s: float, workers: int) -> int:
        """Return how many there should be, of `workers` that there are or that start."""
        rules = self.rules
        if backlog_s > 0:
            self._last_work_s = now_s
        wish = min(max(self._formula(backlog_s, workers), rules.least), rules.most)
        self._wishes.append((now_s, wish))
        while self._wishes[0][0] < now_s - rules.stabilise_s:
            self._wishes.popleft()
        if wish >= workers:
            return wish
        return self._down(now_s, max(wish for _, wish in self._wishes), workers)

    def _formula(self, backlog_s: float, workers: int) -> int:
        """Desired = ceil(workers * (backlog / workers) / target), left alone within the tolerance."""
        if workers and abs(backlog_s / workers / self.rules.target_s - 1) <= self.rules.tolerance:
            return workers
        cooled = self._wishes and self._wishes[-1][0] - self._last_work_s >= self.rules.cooldown_s
        least = 0 if cooled or not workers else 1
        return max(math.ceil(backlog_s / self.rules.target_s), least)

    def _down(self, now_s: float, steady: int, workers: int) -> int:
        if steady >= workers or now_s - self._last_down_s < self.rules.down_every_s:
            return workers
        self._last_down_s = now_s
        return max(steady, workers - max(1, math.floor(workers * self.rules.down_share)))
