"""What every answer tells browsers: to take it for what it says it is, to frame it nowhere, to tell nobody of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask, Response

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The policy of answers that are no page: should a browser take one for a page, it loads and runs nothing."""

GUARDS = {
    "Content-Security-Policy": NOTHING,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def register_headers(app: Flask) -> None:
    """Guard every answer, errors too; a page brings a policy of its own."""
    app.after_request(_guard)


def _guard(answer: Response) -> Response:
    for name, value in GUARDS.items():
        answer.headers.setdefault(name, value)
    return answer
