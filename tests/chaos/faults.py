"""What can go wrong, each as one call that does it and ends it, and a schedule of them that a seed makes."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import psutil

from dreamcore.checkpoint import Checkpoint
from farm.errors import FarmError
from farm.states import JobState
from tests.chaos.shaky import LEASE_S, clock_library

if TYPE_CHECKING:
    from collections.abc import Callable

CALM_S = (0.5, 3.0)
AWAY_S = 3.0
STEP_S = 20
DUPLICATES = 20


class Fault(NamedTuple):
    """One thing that goes wrong, some time after the one before it; `luck` chooses whom it meets."""

    after_s: float
    kind: str
    luck: float


def schedule(seed, count, kinds):
    """Return so many faults; each kind comes before any comes again."""
    chance = random.Random(seed)  # noqa: S311  # a seed repeats the run
    found = []
    while len(found) < count:
        found += chance.sample(sorted(kinds), len(kinds))
    return [Fault(chance.uniform(*CALM_S), kind, chance.random()) for kind in found[:count]]


def inject(site, fault):
    """Let it happen, and wait until it is over."""
    KINDS[fault.kind](site, fault.luck)


def kinds():
    """Return what can happen on this machine."""
    return [kind for kind in KINDS if clock_library() or "clock" not in kind]


def _signal(child, number, *, group=True):
    with suppress(ProcessLookupError):
        (os.killpg if group else os.kill)(child.pid, number)


def _worker(site, luck):
    return site.workers[int(luck * len(site.workers))]


def kill_worker(site, luck):
    """All of a worker dies at once, as a machine does."""
    _signal(_worker(site, luck), signal.SIGKILL)


def kill_renderer(site, luck):
    """The process that renders dies, its parent lives."""
    with suppress(psutil.Error):
        for child in psutil.Process(_worker(site, luck).pid).children(recursive=True):
            if "spawn_main" in " ".join(child.cmdline()):
                child.kill()


def pause_worker(site, luck):
    """A worker sleeps for longer than its lease, and comes back."""
    worker = _worker(site, luck)
    _signal(worker, signal.SIGSTOP)
    time.sleep(2 * LEASE_S)
    _signal(worker, signal.SIGCONT)


def end_worker(site, luck):
    """A worker is asked to leave, as in an upgrade."""
    _signal(_worker(site, luck), signal.SIGTERM, group=False)


def kill_api(site, _luck):
    """The api dies."""
    _signal(site.api, signal.SIGKILL)


def end_api(site, _luck):
    """The api is asked to leave."""
    _signal(site.api, signal.SIGTERM, group=False)


def kill_redis(site, _luck):
    """Redis dies; its append-only file stays."""
    _signal(site.servers.redis, signal.SIGKILL)


def kill_s3(site, _luck):
    """The object store dies; its volumes stay."""
    _signal(site.servers.s3, signal.SIGKILL)


def duplicate_messages(site, _luck):
    """Messages come that nobody sent."""
    site.services().dispatch.queue.ring("", DUPLICATES)


def step_clock_forward(site, _luck):
    """The clock of Redis jumps ahead, stays there for a while, and jumps back."""
    site.step_clock(STEP_S)
    time.sleep(AWAY_S)
    site.step_clock(0)


def step_clock_back(site, _luck):
    """The clock of Redis falls behind for a while."""
    site.step_clock(-STEP_S)
    time.sleep(AWAY_S)
    site.step_clock(0)


def spoil_checkpoint(site, _luck):
    """A checkpoint becomes another picture's, in good form, and the worker that made it dies."""
    services = site.services()
    with suppress(FarmError):
        for job in services.store.page(state=JobState.RUNNING, tag=None, limit=50, before=None)[0]:
            if job.checkpoint:
                spoil(services, job)
                _signal(_of(site, services, job), signal.SIGKILL)
                return


def spoil(services, job):
    """Put a well-formed checkpoint of another picture in the place of a job's."""
    stored = Checkpoint.from_bytes(services.storage.get(job.checkpoint.key))
    other = Checkpoint(**{**vars(stored), "image": stored.image[:, ::-1].copy()})
    services.storage.put(job.checkpoint.key, other.to_bytes(), content_type="application/octet-stream")


def _of(site, services, job):
    """Return the worker that runs a job, as the stack knows it."""
    pids = {card.id: card.pid for card in services.workers.list()}
    wanted = pids.get(job.attempts[-1].worker)
    return next((worker for worker in site.workers if worker.pid == wanted), site.workers[0])


def _on_link(name, fault, lasts_s=AWAY_S):
    def happen(site, _luck):
        link = getattr(site, f"{name}_link")
        fault(link)
        time.sleep(lasts_s)
        link.heal()

    return happen


KINDS: dict[str, Callable] = {
    "worker killed": kill_worker,
    "renderer killed": kill_renderer,
    "worker paused": pause_worker,
    "worker asked to end": end_worker,
    "api killed": kill_api,
    "api asked to end": end_api,
    "Redis killed": kill_redis,
    "S3 killed": kill_s3,
    "messages doubled": duplicate_messages,
    "clock ahead": step_clock_forward,
    "clock behind": step_clock_back,
    "checkpoint spoilt": spoil_checkpoint,
}
for server, name in {"Redis": "redis", "S3": "s3"}.items():
    KINDS |= {
        f"{server} cut off": _on_link(name, lambda link: link.cut()),
        f"{server} stalled": _on_link(name, lambda link: link.stall()),
        f"{server} half open": _on_link(name, lambda link: link.swallow_answers()),
        f"{server} slow": _on_link(name, lambda link: link.slow_down(0.05)),
        f"{server} reset": _on_link(name, lambda link: link.reset(), lasts_s=0),
    }
