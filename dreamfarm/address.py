"""Where the farm is when nobody says so: the embedded stack leaves its address in its data folder."""

from __future__ import annotations

import json
from pathlib import Path

STACK_FILE = Path(".dreamfarm") / "stack.json"


def find_stack_url(folder: Path | None = None) -> str | None:
    """Return the address of the embedded stack that runs for this folder or one above it, None if there is none."""
    start = (folder or Path.cwd()).resolve()
    addresses = (_read_address(parent / STACK_FILE) for parent in (start, *start.parents))
    return next((address for address in addresses if address), None)


def _read_address(file: Path) -> str | None:
    try:
        url = json.loads(file.read_text(encoding="utf-8")).get("api_url")
    except (OSError, ValueError, AttributeError):
        return None
    return url if isinstance(url, str) else None
