"""Where the farm is when nobody says so: the embedded stack leaves its address in its data folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import psutil

STACK_FILE = Path(".dreamfarm") / "stack.json"


class StackAddress(NamedTuple):
    """Where an embedded stack is."""

    api_url: str
    redis_url: str


def find_stack_url(folder: Path | None = None) -> str | None:
    """Return the address of the embedded stack that runs for this folder or one above it, None if there is none."""
    stack = find_stack(folder)
    return stack.api_url if stack else None


def find_stack(folder: Path | None = None) -> StackAddress | None:
    """Return where the embedded stack is that runs for this folder or one above it, None if there is none."""
    start = (folder or Path.cwd()).resolve()
    found = (_read_address(parent / STACK_FILE) for parent in (start, *start.parents))
    return next((stack for stack in found if stack), None)


def _read_address(file: Path) -> StackAddress | None:
    """Return the addresses in a file, unless the process that left it there is gone."""
    try:
        stack = json.loads(file.read_text(encoding="utf-8"))
        address = StackAddress(str(stack["api_url"]), str(stack.get("redis_url", "")))
        return address if psutil.pid_exists(int(stack["pid"])) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None
