"""Where the farm is when nobody says so: the embedded stack leaves its address in its data folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import httpx2
import psutil

from dreamfarm.errors import FarmError, FarmUnreachableError

STACK_FILE = Path(".dreamfarm") / "stack.json"


class StackAddress(NamedTuple):
    """Where an embedded stack is."""

    api_url: str
    redis_url: str
    folder: Path


def checked_address(url: str) -> str:
    """Return a farm's address with its scheme; http where none is given.

    Raises
    ------
    FarmError
        It can't be one.
    """
    address = url if "://" in url else f"http://{url}"
    try:
        parsed = httpx2.URL(address)
    except httpx2.InvalidURL:
        parsed = httpx2.URL("")
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise FarmError("bad_address", f"{url!r} is no farm's address. Give one like http://127.0.0.1:8000.")
    return address.rstrip("/")


def stack_url() -> str:
    """Return the address of the embedded stack that runs for this folder or one above it.

    Raises
    ------
    FarmUnreachableError
        There is none.
    """
    url = find_stack_url()
    if url is None:
        detail = (
            "There is no farm running here. Start one with `dreamfarm up`, or name one with --url or DREAMFARM_URL."
        )
        raise FarmUnreachableError("no_address", detail)
    return url


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
        address = StackAddress(str(stack["api_url"]), str(stack.get("redis_url", "")), file.parent)
        return address if psutil.pid_exists(int(stack["pid"])) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None
