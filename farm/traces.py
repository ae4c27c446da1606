"""Traces of a job, from the call that made it to its octaves. Where none are wanted, nothing is done for them.

A span is told by its context, a W3C ``traceparent``: text that goes into messages and records, so that a job's spans in
several processes come together as one trace.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal

from farm.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from farm.settings import Settings

HEADER = "traceparent"
Kind = Literal["internal", "server", "producer", "consumer"]

caller: ContextVar[str] = ContextVar("caller", default="")
"""The context of the HTTP call that is being answered."""


class Span:
    """A piece of work that nobody watches."""

    context = ""

    def end(self, attributes: Mapping[str, str | int] | None = None, *, failed: bool = False) -> None:
        """Say that the work is done, and what came of it."""


NOTHING = Span()


class Traces:
    """Traces where none are wanted."""

    on = False

    def start(
        self,
        name: str,
        attributes: Mapping[str, str | int] | None = None,
        *,
        kind: Kind = "internal",
        parent: str = "",
        link: str = "",
        began_ns: int | None = None,
    ) -> Span:
        """Begin a span, now or earlier; `parent` and `link` are contexts."""
        del name, attributes, kind, parent, link, began_ns
        return NOTHING

    def close(self) -> None:
        """Send what has ended and was not sent yet."""


def traces_of(settings: Settings) -> Traces:
    """Return what notes the traces of this process.

    Raises
    ------
    SettingsError
        Traces are wanted, and what sends them isn't installed.
    """
    if settings.traces_url is None:
        return Traces()
    try:
        from farm.open_telemetry import SentTraces  # noqa: PLC0415  # an extra that few farms install
    except ImportError as error:
        message = f"DREAMFARM_TRACES_URL needs the extra `otel`, as pip install 'dreamfarm[otel]' gives it ({error})."
        raise SettingsError(message) from None
    return SentTraces(str(settings.traces_url), instance=settings.worker_id)
