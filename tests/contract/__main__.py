"""`python -m tests.contract [MINUTES] [SEED]`: the whole contract, tried for as long as one likes."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from dreamfarm.stack import Servers
from tests.contract.run import run

PARTS = {"coverage,fuzzing": 0.6, "stateful": 0.4}
"""What is tried, and its share of the time: each call by itself, then one after the other."""


def main():
    """Print what schemathesis found; the exit status is 1 if anything is wrong."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    seed = sys.argv[2] if len(sys.argv) > 2 else "1"
    with tempfile.TemporaryDirectory() as folder, Servers(Path(folder) / "servers") as servers:
        found = [_try(Path(folder), servers, phases, minutes * 60 * share, seed) for phases, share in PARTS.items()]
    return 1 if any(found) else 0


def _try(folder, servers, phases, seconds, seed):
    options = [f"--phases={phases}", f"--max-time={seconds:.0f}", f"--seed={seed}", "--generation-database=none"]
    status, printed, unexpected = run(folder, servers.environment(), *options)
    sys.stdout.write(printed + "\n".join(unexpected) + "\n")
    return status != 0 or unexpected != []


if __name__ == "__main__":
    raise SystemExit(main())
