"""A farm over a day as discrete events: jobs arrive, workers come, render and go, spot machines are taken away."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import simpy

from infra.simulation.autoscaler import SYNC_S, Autoscaler, KedaRules
from infra.simulation.dispatch import Dispatcher

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from infra.simulation.jobs import Job

    Process = Generator[Any, Any, None]


@dataclass(frozen=True)
class Fleet:
    """What renders.

    Attributes
    ----------
    workers : as many as there are all day; None where `keda` says how many.
    speed : of a worker, in seconds of the reference device a second.
    start_s : until a new machine has started and its worker has loaded the engine.
    switch_s : for a worker to load another model than it has.
    spot_life_s : mean time until a machine is taken away; never where infinite.
    warned : the share of losses that come with a warning, upon which a worker hands its job back.
    lease_s : until a job is missed whose worker was killed.
    """

    workers: int | None = None
    keda: KedaRules = field(default_factory=KedaRules)
    speed: float = 10.0
    start_s: float = 150.0
    switch_s: float = 3.0
    spot_life_s: float = math.inf
    warned: float = 0.95
    lease_s: float = 15.0


@dataclass(slots=True)
class Served:
    """What became of a job."""

    job: Job
    begun_s: float = math.nan
    ended_s: float = math.nan
    done: float = 0.0
    """Share of the work that need not be done again."""
    attempts: int = 0

    @property
    def wait_s(self) -> float:
        """Time from its arrival to its first step."""
        return self.begun_s - self.job.arrived_s


class Worker:
    """A machine, from its order to its end."""

    def __init__(self, farm: Farm) -> None:
        self.farm = farm
        self.ordered_s = farm.now
        self.warm = ""
        self.at: Served | None = None
        self.idle: simpy.Event | None = None
        self.process = farm.env.process(self._live())

    def _live(self) -> Process:
        farm = self.farm
        try:
            yield farm.env.timeout(farm.start_s())
            while True:
                job = farm.dispatch.claim(self.warm)
                if job is None:
                    self.idle = farm.env.event()
                    farm.resting.append(self)
                    yield self.idle
                else:
                    yield from self._render(farm.served[job.number])
        except simpy.Interrupt:
            farm.left(self)

    def _render(self, one: Served) -> Process:
        farm, job = self.farm, one.job
        switch_s = farm.fleet.switch_s if self.warm not in {"", job.model} else 0.0
        self.at, self.warm, begun_s = one, job.model, farm.now
        one.attempts += 1
        one.begun_s = begun_s if math.isnan(one.begun_s) else one.begun_s
        whole_s = job.true_work_s / farm.fleet.speed
        try:
            yield farm.env.timeout(switch_s + (1 - one.done) * whole_s)
        except simpy.Interrupt as stop:
            farm.busy_s += farm.now - begun_s
            rendered = one.done + max(0.0, farm.now - begun_s - switch_s) / whole_s
            farm.interrupted(one, min(rendered, 1.0), warned=bool(stop.cause))
            raise
        farm.busy_s += farm.now - begun_s
        farm.finished(one)
        self.at = None


class Farm:
    """The farm's state and its counts while a day is replayed."""

    def __init__(self, jobs: Sequence[Job], fleet: Fleet, *, seed: int = 0) -> None:
        self.env = simpy.Environment()
        self.fleet = fleet
        self.random = np.random.default_rng(seed)
        self.dispatch = Dispatcher()
        self.served = {job.number: Served(job) for job in jobs}
        self.left_to_do = len(jobs)
        self.resting: list[Worker] = []
        self.workers: dict[Worker, None] = {}
        self.busy_s = self.paid_s = self.running_s = 0.0
        self.most_workers = self.losses = 0
        self.backlogs: list[tuple[float, float, int]] = []
        """(time, backlog, workers) each five minutes."""
        self.done = self.env.event()
        self.env.process(self._note())
        self.env.process(self._arrive(jobs))
        self.env.process(self._scale() if fleet.workers is None else self._keep(fleet.workers))

    @property
    def now(self) -> float:
        """Seconds since the day began."""
        return float(self.env.now)

    def run(self) -> None:
        """Replay until the last job has ended."""
        self.env.run(until=self.done)
        for worker in list(self.workers):
            self.paid_s += self.now - worker.ordered_s

    def start_s(self) -> float:
        """Return how long a machine takes to start; those of a fixed fleet are there when the day begins."""
        return 0.0 if self.fleet.workers is not None and self.now == 0 else self.fleet.start_s

    def finished(self, one: Served) -> None:
        """Note a job's end."""
        one.ended_s, one.done = self.now, 1.0
        self.left_to_do -= 1
        if not self.left_to_do:
            self.done.succeed()

    def interrupted(self, one: Served, rendered: float, *, warned: bool) -> None:
        """Take a job back from a worker that ends: whole where it could hand it back, else up to its last octave."""
        if warned:
            one.done = rendered
            self._queue(one.job)
        else:
            octaves = one.job.octaves
            one.done = max(one.done, math.floor(rendered * octaves) / octaves)
            self.env.process(self._miss(one.job))

    def left(self, worker: Worker) -> None:
        """Pay for a worker that is gone."""
        self.paid_s += self.now - worker.ordered_s
        del self.workers[worker]
        if worker in self.resting:
            self.resting.remove(worker)
        self._call()

    def backlog_s(self) -> float:
        """Return the work of all queued and running jobs, as `/metrics` tells it."""
        running = sum(worker.at.job.work_s for worker in self.workers if worker.at)
        return self.dispatch.queued_s + running

    def _queue(self, job: Job) -> None:
        self.dispatch.add(job)
        self._call()

    def _call(self) -> None:
        """Call a worker that rests, if there is work; one that was called and is gone is made up for by the next."""
        if self.resting and len(self.dispatch):
            called = self.resting.pop()
            if called.idle:
                called.idle.succeed()

    def _miss(self, job: Job) -> Process:
        yield self.env.timeout(self.fleet.lease_s)
        self._queue(job)

    def _arrive(self, jobs: Sequence[Job]) -> Process:
        for job in jobs:
            if job.arrived_s > self.now:
                yield self.env.timeout(job.arrived_s - self.now)
            self._queue(job)

    def _order(self, count: int) -> None:
        for _ in range(count):
            worker = Worker(self)
            self.workers[worker] = None
            if math.isfinite(self.fleet.spot_life_s):
                self.env.process(self._take_away(worker))
        self.most_workers = max(self.most_workers, len(self.workers))

    def _take_away(self, worker: Worker) -> Process:
        yield self.env.timeout(self.random.exponential(self.fleet.spot_life_s))
        if worker in self.workers:
            self.losses += 1
            worker.process.interrupt(bool(self.random.random() < self.fleet.warned))

    def _note(self) -> Process:
        while True:
            self.backlogs.append((self.now, self.backlog_s(), len(self.workers)))
            yield self.env.timeout(300)

    def _keep(self, count: int) -> Process:
        while True:
            self._order(count - len(self.workers))
            yield self.env.timeout(SYNC_S)

    def _scale(self) -> Process:
        scaler = Autoscaler(self.fleet.keda)
        while True:
            wanted = scaler.wanted(self.now, self.backlog_s(), len(self.workers))
            self._order(max(0, wanted - len(self.workers)))
            for worker in self._least_missed(len(self.workers) - wanted):
                worker.process.interrupt(True)  # noqa: FBT003  # the cause: with a warning
            yield self.env.timeout(SYNC_S)

    def _least_missed(self, count: int) -> list[Worker]:
        """Return workers to end; Kubernetes doesn't know which of them are at work."""
        if count <= 0:
            return []
        workers = list(self.workers)
        return [workers[number] for number in self.random.choice(len(workers), size=count, replace=False)]
