"""The dispatcher's rules, as ``farm/lua/lanes.lua`` and ``claim.lua`` have them, with their own numbers.

A test lets both give out the same jobs, and compares.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from sortedcontainers import SortedList

from farm.redis import lua

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.simulation.jobs import Job


def number_in(script: str, name: str) -> float:
    """Return a number that a Lua script of the farm sets, alone or in a list of names.

    Raises
    ------
    LookupError
        The script sets none of this name.
    """
    for names, values in re.findall(r"^local ([A-Z_S, ]+) = ([-\d., e]+)", lua(script), re.MULTILINE):
        found = dict(zip(names.split(", "), values.split(", "), strict=False))
        if name in found:
            return float(found[name])
    raise LookupError(f"{script}.lua sets no {name}.")


MOST_BEHIND_S = number_in("lanes", "MOST_BEHIND_S")
WINDOW = int(number_in("claim", "WINDOW"))
MOST_PASSED = int(number_in("claim", "MOST_PASSED"))
LEAST_S = number_in("claim", "LEAST_S")


def _place(job: Job) -> tuple[int, float, int]:
    return -job.priority, job.arrived_s, job.number


class Dispatcher:
    """Queued jobs, and whose turn it is."""

    def __init__(self, weights: Mapping[str, float] | None = None) -> None:
        self.weights = dict(weights or {})
        self.lanes: dict[str, SortedList] = {}
        self.turns: dict[str, float] = defaultdict(float)
        self.order = SortedList()
        """(turn, owner) of those who wait."""
        self.passed: dict[str, int] = defaultdict(int)
        self.clock_s = 0.0
        self.queued_s = 0.0

    def __len__(self) -> int:
        return sum(map(len, self.lanes.values()))

    def add(self, job: Job) -> None:
        """Queue a job; who comes back after a rest starts level with those who wait."""
        if job.owner not in self.lanes:
            self.lanes[job.owner] = SortedList(key=_place)
            level = self.order[0][0] if self.order else self.clock_s
            turn = min(max(self.turns[job.owner], level), level + MOST_BEHIND_S)
            self.turns[job.owner] = turn
            self.order.add((turn, job.owner))
        self.lanes[job.owner].add(job)
        self.queued_s += job.work_s

    def claim(self, warm: str = "") -> Job | None:
        """Give out the job that is next for a worker that has loaded a model; None where there is none."""
        if not self.order:
            return None
        turn, owner = self.order[0]
        job = self._first(owner, warm)
        self.clock_s = max(self.clock_s, turn)
        self.queued_s -= job.work_s
        self.order.remove((turn, owner))
        self.turns[owner] = turn + max(job.work_s, LEAST_S) / self.weights.get(owner, 1.0)
        lane = self.lanes[owner]
        lane.remove(job)
        if lane:
            self.order.add((self.turns[owner], owner))
        else:
            del self.lanes[owner]
            self.passed.pop(owner, None)
        return job

    def _first(self, owner: str, warm: str) -> Job:
        """Return the first of a lane, or one of equal priority for the model that is loaded."""
        lane = self.lanes[owner]
        first: Job = lane[0]
        if warm:
            self.passed[owner] += 1
            if self.passed[owner] <= MOST_PASSED:
                equal = (job for job in lane[:WINDOW] if job.priority == first.priority)
                fitting: Job | None = next((job for job in equal if job.model == warm), None)
                if fitting is not None:
                    if fitting is first:
                        del self.passed[owner]
                    return fitting
        self.passed.pop(owner, None)
        return first
