"""What browsers say of the page that a call comes from."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from flask import request

SESSION_COOKIE = "dreamfarm_session"
OWN = frozenset({"same-origin", "none"})
"""What `Sec-Fetch-Site` says of the farm's own pages, and of what a person typed."""


def from_own_page() -> bool | None:
    """Tell whether the farm's own page makes this request; None where nothing says so, as programs do."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in OWN
    origin = parts(request.headers.get("Origin"))
    return None if origin is None else origin.netloc == request.host


def parts(url: str | None) -> SplitResult | None:
    """Return the parts of what a header says is a URL; those of nothing where it is none."""
    try:
        return None if url is None else urlsplit(url)
    except ValueError:
        return urlsplit("")
