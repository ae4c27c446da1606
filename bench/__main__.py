"""Runs every measurement: `python -m bench`."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from bench import steps


def main() -> None:
    """Print the step times, then the farm's overhead where it can be measured."""
    steps.main()
    if find_spec("bench.overhead"):
        import_module("bench.overhead").main()


if __name__ == "__main__":
    main()
