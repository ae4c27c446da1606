"""Traces: the call, the message and what a worker makes of them are one; a farm that traces nothing pays nothing."""

from __future__ import annotations

import json
import sys

import pytest
from pydantic import AnyHttpUrl

from api.app import create_app
from api.state import KEY
from farm import keys
from farm.services import Services
from farm.settings import SettingsError
from farm.traces import NOTHING
from tests.infra.collector import Collector, told
from tests.support import picture, submit, until
from worker.lease import leased

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def collector():
    with Collector() as running:
        yield running


@pytest.fixture
def traced(settings, collector, services):  # noqa: ARG001  # the store is emptied first
    return settings.model_copy(update={"traces_url": AnyHttpUrl(collector.address), "worker_id": "w"})


@pytest.fixture
def worker(traced):
    """Return a worker's services; it is alive, so that messages are sent for it."""
    connected = Services.connect(traced)
    connected.dispatch.beat("w", ())
    yield connected
    connected.traces.close()


@pytest.fixture
def api(traced):
    app = create_app(traced)
    yield app.test_client()
    app.extensions[KEY].traces.close()


def made(client, **headers):
    """Submit a job; return its id."""
    client.environ_base.update({f"HTTP_{name.upper()}": value for name, value in headers.items()})
    answer = submit(client, picture(32, 32), params={"octaves": 1, "steps": 1})
    assert answer.status_code == 202, answer.text
    return answer.json["id"]


def sent_message(services):
    """Return the headers of the one message that waits for workers."""
    [message] = services.store.redis.lrange("renders", 0, -1)
    return json.loads(message)["headers"]


def test_a_jobs_call_message_attempt_and_octaves_are_one_trace(api, worker, collector):
    """The worker continues the trace that the call began, and links the message by which it was called."""
    job_id = made(api)
    message = sent_message(worker)["traceparent"]
    with leased(worker, worker="w", message=message) as [lease]:
        for octave in (1, 1, 2):
            lease.trace.step(octave)
        lease.trace.outcome = "succeeded"

    until(lambda: collector.named("attempt") and collector.named("POST"))
    [call], [send], [attempt] = (collector.named(name) for name in ("POST", "send", "attempt"))
    octaves = sorted(collector.named("octave"), key=lambda span: span.start_time_unix_nano)
    assert {span.trace_id for span in collector.spans()} == {call.trace_id}
    assert [span.parent_span_id for span in (send, attempt)] == [call.span_id] * 2
    assert [(span.name, span.parent_span_id) for span in octaves] == [
        ("octave 1", attempt.span_id),
        ("octave 2", attempt.span_id),
    ]
    assert octaves[0].end_time_unix_nano <= octaves[1].start_time_unix_nano + 10**6
    assert [link.span_id for link in attempt.links] == [send.span_id]
    assert told(attempt).items() >= {"dreamfarm.job": job_id, "dreamfarm.outcome": "succeeded"}.items()
    assert told(call).items() >= {"http.response.status_code": 202, "dreamfarm.made": job_id}.items()


def test_a_callers_own_trace_is_continued(api, worker, collector):
    """Who calls the farm within a trace finds the job's spans in it."""
    job_id = made(api, traceparent=CALLER)

    until(lambda: collector.named("POST"))
    [call] = collector.named("POST")
    assert call.trace_id.hex() == CALLER.split("-")[1]
    assert call.parent_span_id.hex() == CALLER.split("-")[2]
    assert worker.store.get(job_id).spec.trace.split("-")[1] == CALLER.split("-")[1]


def test_a_failed_attempt_is_marked(api, worker, collector):
    """It shows as an error, and a hand-back doesn't."""
    for _ in range(2):
        made(api)
    with leased(worker, worker="w") as [lease]:
        lease.hand_back()
    with leased(worker, worker="w") as [lease]:
        lease.trace.outcome = "failed"

    until(lambda: len(collector.named("attempt")) == 2)
    found = {told(span)["dreamfarm.outcome"]: span.status.code for span in collector.named("attempt")}
    assert found == {"handed_back": 0, "failed": 2}


def test_requests_leave_no_trace_of_theirs_to_the_next(api, collector):
    """Two calls by one thread are two traces."""
    for path in ("/v1/jobs", "/nowhere"):
        api.get(path)

    until(lambda: len(collector.named("GET")) == 2)
    first, second = collector.named("GET")
    assert first.trace_id != second.trace_id
    assert {span.name for span in (first, second)} == {"GET /v1/jobs", "GET (none)"}


def test_where_nothing_is_traced_nothing_is_stored_or_sent(settings, services):
    """Records and messages are as they were, requests have no further hook, and a span is one object for all."""
    services.dispatch.beat("w", ())
    job_id = made(create_app(settings).test_client(), traceparent=CALLER)

    assert "trace" not in json.loads(services.store.redis.hget(keys.job(job_id), "spec"))
    assert "traceparent" not in sent_message(services)
    assert services.traces.start("a") is services.traces.start("b") is NOTHING
    hooks = create_app(settings).before_request_funcs[None]
    assert not [hook for hook in hooks if hook.__module__ == "api.traces"]


def test_traces_without_what_sends_them_say_what_to_install(traced, monkeypatch):
    """One line that names the setting and the extra."""
    monkeypatch.setitem(sys.modules, "farm.open_telemetry", None)

    with pytest.raises(SettingsError, match=r"DREAMFARM_TRACES_URL needs .*dreamfarm\[otel\]"):
        Services.connect(traced)
