"""`python -m tests.contract [MINUTES] [SEED]`: the whole contract, tried for as long as one likes."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from dreamfarm.stack import Servers
from tests.contract.run import run


def main():
    """Print what schemathesis found; the exit status is 1 if anything is wrong."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    seed = sys.argv[2] if len(sys.argv) > 2 else "1"
    with tempfile.TemporaryDirectory() as folder, Servers(Path(folder) / "servers") as servers:
        options = [f"--max-time={minutes * 60:.0f}", f"--seed={seed}", "--generation-database=none"]
        status, printed, unexpected = run(Path(folder), servers.environment(), *options)
    sys.stdout.write(printed + "\n".join(unexpected) + "\n")
    return 1 if status or unexpected else 0


if __name__ == "__main__":
    raise SystemExit(main())
