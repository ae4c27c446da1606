"""An OpenTelemetry collector for tests: keeps the spans that it is sent."""

from __future__ import annotations

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.web import Site


class Collector(Site):
    """Takes OTLP over HTTP, without encryption or compression."""

    @property
    def address(self):
        return self.url("")

    def spans(self):
        """Return every span that was sent, as it came."""
        calls = [ExportTraceServiceRequest.FromString(body) for _, body in list(self.posted)]
        return [
            span
            for call in calls
            for resource in call.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def named(self, start):
        return [span for span in self.spans() if span.name.startswith(start)]


def told(span):
    """Return a span's attributes."""
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}
