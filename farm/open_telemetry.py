"""Traces by OpenTelemetry, sent by OTLP over HTTP. Needs the extra ``otel``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, StatusCode, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from dreamcore.version import __version__
from farm.traces import HEADER, Span, Traces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import Span as OtelSpan

    from farm.traces import Kind

SEND_EVERY_MS = 1000
KINDS = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
texts = TraceContextTextMapPropagator()


class SentSpan(Span):
    """A span that is sent once it has ended."""

    def __init__(self, span: OtelSpan) -> None:
        self._span = span
        carrier: dict[str, str] = {}
        texts.inject(carrier, set_span_in_context(span))
        self.context = carrier.get(HEADER, "")

    def end(self, attributes: Mapping[str, str | int] | None = None, *, failed: bool = False) -> None:
        """Say that the work is done, and what came of it."""
        self._span.set_attributes(dict(attributes or {}))
        if failed:
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


class SentTraces(Traces):
    """Traces that a thread of this process sends once a second.

    Parameters
    ----------
    url : the collector's address, without ``/v1/traces``. What it is asked with, and which share of the traces is kept,
        is set by OpenTelemetry's own variables, such as ``OTEL_TRACES_SAMPLER``.
    """

    on = True

    def __init__(self, url: str, *, instance: str) -> None:
        named = {"service.name": "dreamfarm", "service.version": __version__, "service.instance.id": instance}
        self.provider = TracerProvider(resource=Resource.create({name: text for name, text in named.items() if text}))
        exporter = OTLPSpanExporter(endpoint=url.rstrip("/") + "/v1/traces")
        self.provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=SEND_EVERY_MS))
        self.tracer = self.provider.get_tracer("dreamfarm", __version__)

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
        links = [Link(get_current_span(_read(link)).get_span_context())] if link else []
        span = self.tracer.start_span(
            name,
            context=_read(parent),
            kind=KINDS[kind],
            attributes=dict(attributes or {}),
            links=links,
            start_time=began_ns,
        )
        return SentSpan(span)

    def close(self) -> None:
        """Send what has ended and was not sent yet; nothing is sent afterwards."""
        self.provider.shutdown()


def _read(context: str) -> Context:
    return texts.extract({HEADER: context})
