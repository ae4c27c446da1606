"""A worker whose engine does nothing, to see what the farm itself takes: `python -m bench.idle`."""

from __future__ import annotations

from farm import keys
from worker import renders
from worker.__main__ import main
from worker.attempt import Attempt


class Idle(Attempt):
    """A render that gives back what it was given."""

    def run(self) -> None:
        """Fetch the picture, store it as the result, commit."""
        size = self.job.spec.input
        self.commit(self.storage.get(keys.picture(size.sha256)), width=size.width, height=size.height)


renders.KINDS["dream"] = Idle


if __name__ == "__main__":
    raise SystemExit(main("bench.idle"))
