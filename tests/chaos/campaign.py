"""One run: jobs come in while everything goes wrong, then the farm has time to come to rest, then it is judged."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median

from rich.table import Table

from farm import keys
from farm.errors import FarmError
from farm.states import ACTIVE
from tests.chaos import invariants
from tests.chaos.faults import STEP_S, inject, kinds, schedule
from tests.chaos.shaky import ShakyStack
from tests.support import picture

VARIANTS = 5
PHOTO = picture(192, 144)
PARAMS = {"octaves": 3, "steps": 16, "jitter": 8}
CLIENTS = 4
REST_S = 180
"""How long the farm has, after the last fault, to end its jobs and to tidy up."""


@dataclass
class Report:
    """What happened, and what is wrong."""

    seed: int
    jobs: int
    faults: Counter = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    recovered_s: list[float] = field(default_factory=list)

    @property
    def findings(self):
        """Everything that is wrong, in words."""
        return [text for texts in self.wrong.values() for text in texts]

    def table(self):
        """Return it for people."""
        table = Table("what", "how many", title=f"Chaos, seed {self.seed}")
        for kind, count in sorted(self.faults.items()):
            table.add_row(kind, str(count))
        table.add_section()
        table.add_row("faults", str(self.faults.total()))
        table.add_row("jobs", str(self.jobs))
        for name in ("lost", "doubled", "differing", "left over", "miscounted", "swollen"):
            table.add_row(name, str(len(self.wrong.get(name, []))))
        if self.recovered_s:
            table.add_row("lost attempts that another worker went on with", str(len(self.recovered_s)))
            table.add_row("  time to recover, median and longest", _seconds(self.recovered_s))
        return table


def _seconds(values):
    return f"{median(values):.1f} s, {max(values):.1f} s"


def run(folder, *, seed, jobs, workers, faults, worker_module="worker"):
    """Return what came of one run."""
    report = Report(seed, jobs)
    with ShakyStack(folder, workers=workers, worker_module=worker_module) as site:
        site.wait_for_workers(workers)
        accepted = Accepted(site)
        expected = accepted.undisturbed()
        moments = []
        with ThreadPoolExecutor(CLIENTS) as people:
            pending = [people.submit(accepted.hand_in, number % VARIANTS) for number in range(jobs)]
            for fault in schedule(seed, faults, kinds()):
                time.sleep(fault.after_s)
                moments.append((datetime.now(UTC), fault.kind))
                inject(site, fault)
                report.faults[fault.kind] += 1
            for each in pending:
                each.result()
        judge(site, report, accepted.ids, expected)
        report.recovered_s = recoveries(site.services(), accepted.ids, moments)
    return report


def judge(site, report, accepted, expected):
    """Wait until the farm is at rest, and note what is wrong."""
    services = site.services()
    come_to_rest(services)
    wrong = invariants.wrong_jobs(services, accepted, expected)
    wrong["left over"] = list(invariants.leftovers(services))
    wrong["miscounted"] = list(invariants.wrong_counts(services))
    wrong["swollen"] = list(invariants.swollen(site))
    report.wrong = wrong


class Accepted:
    """The jobs that the farm took on."""

    def __init__(self, site):
        self.site = site
        self.ids: dict[str, int] = {}

    def hand_in(self, variant):
        """Hand a job in, and note that it was accepted."""
        with self.site.client() as farm:
            job = farm.submit(PHOTO, params={**PARAMS, "seed": variant}, fresh=True)
        self.ids[job.id] = variant
        return job.id

    def undisturbed(self):
        """Return the hash of each variant's result while nothing goes wrong."""
        with self.site.client() as farm:
            jobs = {variant: self.hand_in(variant) for variant in range(VARIANTS)}
            return {variant: farm.wait(job_id).output.sha256 for variant, job_id in jobs.items()}


def come_to_rest(services, *, within_s=REST_S):
    """Wait until nothing is to do and everything is tidy; return at the latest after its time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with suppress(FarmError):
            redis = services.store.redis
            active = sum(redis.zcard(keys.by_state(state)) for state in ACTIVE)
            if not active and not redis.zcard(keys.UNTIDY):
                return
        time.sleep(0.5)


def recoveries(services, accepted, moments):
    """Return for each lost attempt the seconds from the fault before it to the next attempt's start.

    Attempts around the steps of the clock say nothing of time, and are left out.
    """
    stepped = [moment for moment, kind in moments if "clock" in kind]
    times = [moment for moment, kind in moments if "clock" not in kind]
    found = []
    for job_id in accepted:
        attempts = services.store.get(job_id).view().attempts
        for lost, following in pairwise(attempts):
            before = [moment for moment in times if moment <= (lost.ended_at or moment)]
            if lost.outcome != "lost" or not before:
                continue
            if not any(_are_near(moment, time) for moment in stepped for time in (before[-1], following.started_at)):
                found.append((following.started_at - before[-1]).total_seconds())
    return found


def _are_near(one, other):
    return abs((one - other).total_seconds()) < 2 * STEP_S
