"""A worker whose every render breaks, as on a faulty card: `python -m tests.e2e.broken_worker`."""

from __future__ import annotations

from worker import renders
from worker.__main__ import main
from worker.attempt import Attempt


class Broken(Attempt):
    """A render that can't."""

    def run(self) -> None:
        """Fail as a library does."""
        raise RuntimeError("The card is broken.")


renders.KINDS["dream"] = Broken


if __name__ == "__main__":
    raise SystemExit(main(__spec__.name))
