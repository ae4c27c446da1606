"""What a worker was given, to its end: a dream, a zoom, or several dreams as one pack. Imports the engine."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import structlog

from dreamcore import dream_pack
from dreamcore.errors import CheckpointError
from worker.endings import ending
from worker.render import Render
from worker.zoom import ZoomRender

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dreamcore.packs import Outcome
    from worker.attempt import Attempt
    from worker.lease import Lease

KINDS: dict[str, type[Attempt]] = {"dream": Render, "zoom": ZoomRender}

log = structlog.get_logger()


def run(leases: Sequence[Lease]) -> None:
    """Render the attempts to their ends, whichever those are."""
    if len(leases) > 1:
        _run_pack(leases)
    else:
        _run_each(leases)


def _run_each(leases: Sequence[Lease]) -> None:
    for lease in leases:
        with ending(lease):
            KINDS[lease.job.spec.kind](lease).run()


def _run_pack(leases: Sequence[Lease]) -> None:
    """Render several dreams in each device step; each keeps its own lease, progress, checkpoint, result and end.

    Where the pack fails as a whole, as when memory runs out, they are rendered one after the other.
    """
    renders = _prepared(leases)
    with ExitStack() as asides:
        for render in renders:
            asides.enter_context(render.aside)
        try:
            outcomes = _dreamt(renders) if renders else []
        except Exception as error:  # noqa: BLE001  # told apart when each is rendered by itself
            log.warning("pack_failed", jobs=len(renders), reason=str(error))
            outcomes = None
        if outcomes is not None:
            _end(renders, outcomes)
    if outcomes is None:
        _run_each([render.lease for render in renders])


def _prepared(leases: Sequence[Lease]) -> list[Render]:
    """Return the renders whose pictures are there; the others have ended."""
    renders = []
    for lease in leases:
        with ending(lease):
            renders.append(Render(lease, sharers=len(leases)))
    return renders


def _dreamt(renders: list[Render]) -> list[Outcome]:
    with ExitStack() as reporters:
        for render in renders:
            reporters.enter_context(render.reporter)
        return dream_pack(
            [render.photo.rgb for render in renders],
            [render.params for render in renders],
            guides=[render.guides() for render in renders],
            model=renders[0].model(),
            on_progress=lambda index, progress: renders[index].on_progress(progress),
            on_octave=lambda index, checkpoint, preview: renders[index].on_octave(checkpoint, preview),
            should_stop=lambda index: renders[index].lease.should_stop(),
            resume=[render.checkpoint() for render in renders],
            memory_gb=renders[0].lease.services.settings.memory_gb,
        )


def _end(renders: list[Render], outcomes: list[Outcome]) -> None:
    for render, outcome in zip(renders, outcomes, strict=True):
        with ending(render.lease):
            if isinstance(outcome, CheckpointError):
                Render(render.lease).run()
            else:
                render.end(outcome)
