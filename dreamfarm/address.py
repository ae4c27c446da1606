"""Where the farm is when nobody says so: the embedded stack leaves its address in its data folder."""

from __future__ import annotations

import json
from pathlib import Path

import psutil

STACK_FILE = Path(".dreamfarm") / "stack.json"


def find_stack_url(folder: Path | None = None) -> str | None:
    """Return the address of the embedded stack that runs for this folder or one above it, None if there is none."""
    start = (folder or Path.cwd()).resolve()
    addresses = (_read_address(parent / STACK_FILE) for parent in (start, *start.parents))
    return next((address for address in addresses if address), None)


def _read_address(file: Path) -> str | None:
    """Return the address in a file, unless the process that left it there is gone."""
    try:
        stack = json.loads(file.read_text(encoding="utf-8"))
        return str(stack["api_url"]) if psutil.pid_exists(int(stack["pid"])) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None
