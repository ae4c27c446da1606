"""How an attempt ends: what its render raises is written to the job, unless the job is somebody else's by then."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from dreamcore.errors import DreamError
from farm.errors import LeaseLostError, TransientError
from farm.schema import ErrorView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.lease import Lease

log = structlog.get_logger()


@contextmanager
def ending(lease: Lease) -> Iterator[None]:
    """Run the body as one attempt's render, with the job on every log line."""
    with structlog.contextvars.bound_contextvars(job=lease.job.id, attempt=lease.fence.attempt):
        try:
            with _written(lease):
                yield
        except LeaseLostError as error:
            log.info("render_abandoned", reason=str(error))


@contextmanager
def _written(lease: Lease) -> Iterator[None]:
    try:
        yield
    except LeaseLostError:
        raise
    except DreamError as error:
        lease.fail(ErrorView(code=error.code, message=str(error)))
    except MemoryError:
        message = "The picture needs more memory than its worker has. Make it smaller, or ask for fewer layers."
        lease.fail(ErrorView(code="out_of_memory", message=message))
    except TransientError:
        lease.hand_back()
    except Exception:
        log.exception("render_failed")
        message = "The render failed unexpectedly; the log of its worker says why."
        lease.fail(ErrorView(code="internal_error", message=message))
