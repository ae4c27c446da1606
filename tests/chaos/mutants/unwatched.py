"""A worker without a janitor: nobody takes jobs back from the dead."""

from __future__ import annotations

from worker.__main__ import main
from worker.janitor import Janitor


def plant():
    """Let it look, and do nothing."""
    Janitor.reap = lambda _janitor: None


if __name__ == "__main__":
    raise SystemExit(main("tests.chaos.mutants.unwatched"))
plant()
