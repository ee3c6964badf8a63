"""What traces requests or urllib3 keeps seeing every call, and is shown no secret by it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from tests.loopback import Server
from tests.transports.api import ALL, CODE, KEY, SECRET, all_calls
from workos_mfa import MFA, ConnectionLostError, RequestsTransport, Transport, Urllib3Transport

INSTRUMENTORS: dict[type[Transport], type[BaseInstrumentor]] = {
    RequestsTransport: RequestsInstrumentor,
    Urllib3Transport: URLLib3Instrumentor,
}


@pytest.fixture
def spans(transport_class: type[Transport]) -> Iterator[InMemorySpanExporter]:
    """The spans of OpenTelemetry's instrumentation for the library that the transport is on."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor = INSTRUMENTORS[transport_class]()
    instrumentor.instrument(tracer_provider=provider)
    yield exporter
    instrumentor.uninstrument()
    provider.shutdown()


@pytest.mark.parametrize("call", ALL)
def test_each_call_is_one_span(mfa: MFA, call: str, server: Server, spans: InMemorySpanExporter) -> None:
    """A call is one span with its method and status, and the server is told which trace it belongs to."""
    all_calls(mfa)[call]()
    (span,) = spans.get_finished_spans()
    (received,) = server.received
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is not StatusCode.ERROR
    assert span.name.endswith(received.method)
    assert trace_of(span) in received.headers["traceparent"]
    assert_unseen(span)


def test_a_lost_response_is_an_error_of_the_span(mfa: MFA, server: Server, spans: InMemorySpanExporter) -> None:
    """A failure is in the trace, without what was sent."""
    server.behaviour = lambda _, line: line.reset()
    with pytest.raises(ConnectionLostError):
        all_calls(mfa)["verify_challenge"]()
    (span,) = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert_unseen(span)


def trace_of(span: ReadableSpan) -> str:
    """The id of the trace that a span belongs to, as it stands in a header."""
    assert span.context is not None
    return f"{span.context.trace_id:032x}"


def assert_unseen(span: ReadableSpan) -> None:
    """Nothing that must not be seen is in what is exported."""
    exported = span.to_json()
    for secret in (KEY, CODE, SECRET):
        assert secret not in exported
