"""Replays a day on farms of 1 to 500 workers: ``python -m infra.simulate``; ``--charts FOLDER`` draws them too.

What it says of people's waits, of costs and of losses stands in docs/capacity.md.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from infra.simulation.autoscaler import KedaRules
from infra.simulation.farm import Farm, Fleet
from infra.simulation.jobs import DAY_S, Job, make_day

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FLEETS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
LIVES_H = (math.inf, 24.0, 6.0, 1.0)
SPEEDS = (5.0, 10.0, 20.0, 40.0, 80.0)
HOUR_S = 3600.0


@dataclass(frozen=True)
class Told:
    """What a day came to."""

    waits_s: Mapping[str, np.ndarray]
    hours: float
    busy: float
    drained_h: float
    losses: int
    redone: int
    most_workers: int
    backlogs: Sequence[tuple[float, float, int]]

    def wait(self, who: str, share: int) -> str:
        """Return a percentile of waits, for people to read."""
        return read_s(float(np.percentile(self.waits_s[who], share)))


def replay(jobs: Sequence[Job], fleet: Fleet, *, seed: int = 0) -> Told:
    """Replay a day on a farm."""
    farm = Farm(jobs, fleet, seed=seed)
    farm.run()
    served = list(farm.served.values())
    waits = {
        "people": np.array([one.wait_s for one in served if not one.job.bulk]),
        "batches": np.array([one.wait_s for one in served if one.job.bulk]),
    }
    redone = sum(one.attempts - 1 for one in served)
    last_s = max(one.ended_s for one in served)
    hours, busy = farm.paid_s / HOUR_S, farm.busy_s / farm.paid_s
    return Told(waits, hours, busy, last_s / HOUR_S, farm.losses, redone, farm.most_workers, farm.backlogs)


def read_s(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    for unit, length in (("d", DAY_S), ("h", HOUR_S), ("min", 60.0)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"


def table(first: str, rows: Mapping[str, Told]) -> str:
    """Return results as a Markdown table."""
    heads = [first, "people wait, median", "95%", "batches' jobs wait, median", "95%", "busy", "worker-hours",
             "at most", "all done after"]  # fmt: skip
    lines = [heads, ["---"] * len(heads)]
    for name, told in rows.items():
        waits = [told.wait(who, share) for who in ("people", "batches") for share in (50, 95)]
        ends = [f"{told.busy:.0%}", f"{told.hours:.0f}", str(told.most_workers), f"{told.drained_h:.1f} h"]
        lines.append([name, *waits, *ends])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def fixed(jobs: Sequence[Job]) -> dict[str, Told]:
    """Replay on fleets that stay as they are."""
    return {str(count): replay(jobs, Fleet(workers=count)) for count in FLEETS}


def scaled(jobs: Sequence[Job]) -> dict[str, Told]:
    """Replay on fleets that grow to so many and shrink to none."""
    return {str(most): replay(jobs, Fleet(keda=KedaRules(most=most))) for most in FLEETS}


def lost(jobs: Sequence[Job]) -> dict[str, Told]:
    """Replay on spot machines that live so long on average."""
    names = {life: "never" if math.isinf(life) else f"{life:.0f} h" for life in LIVES_H}
    return {names[life]: replay(jobs, Fleet(spot_life_s=life * HOUR_S)) for life in LIVES_H}


def sped(jobs: Sequence[Job]) -> dict[str, Told]:
    """Replay on workers of other speeds; a slower one is asked for sooner, so that it finishes its share as soon."""
    rules = KedaRules()
    return {
        f"{speed:g}": replay(jobs, Fleet(speed=speed, keda=replace(rules, target_s=rules.target_s * speed / 10)))
        for speed in SPEEDS
    }


def main() -> None:
    """Replay and print; draw where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--charts", type=Path)
    asked = parser.parse_args()
    jobs = make_day(asked.seed)
    work_s = sum(job.work_s for job in jobs)
    print(f"{len(jobs)} jobs, {work_s / HOUR_S:.0f} h of the reference device, "
          f"{sum(not job.bulk for job in jobs)} of people\n")  # fmt: skip
    parts: dict[str, Callable[[Sequence[Job]], dict[str, Told]]] = {
        "workers": fixed, "at most, autoscaled": scaled, "a machine lives": lost, "a worker's speed": sped,
    }  # fmt: skip
    found = {}
    for first, part in parts.items():
        found[first] = part(jobs)
        print(table(first, found[first]), "\n", flush=True)
    if asked.charts:
        from infra.simulation.charts import draw  # noqa: PLC0415  # a library for developers

        draw(found["workers"], found["at most, autoscaled"], found["a machine lives"], folder=asked.charts)


if __name__ == "__main__":
    main()
