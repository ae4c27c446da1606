"""One job's way through a whole farm, as its logs and its trace tell it."""

from __future__ import annotations

import json

import pytest

from dreamfarm.client import Farm
from dreamfarm.stack import Stack
from tests.infra.collector import Collector, told
from tests.support import picture, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def collector():
    with Collector() as running:
        yield running


@pytest.fixture(scope="module")
def stack(tmp_path_factory, collector):
    traced = {"DREAMFARM_TRACES_URL": collector.address}
    with Stack(tmp_path_factory.mktemp("farm"), workers=1, environment=traced) as running:
        running.wait_for_workers()
        yield running


@pytest.fixture(scope="module")
def job(stack):
    with Farm(stack.api_url) as farm:
        job = farm.submit(picture(96, 96), params={"octaves": 2, "steps": 2})
        return farm.wait(job.id)


def events(stack, child, job_id):
    """Return what one process' log tells of a job: {event: the line}."""
    text = (stack.data_dir / "logs" / f"{child}.log").read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return {line["event"]: line for line in lines if line.get("job") == job_id}


def test_one_id_is_found_in_every_process(stack, job):
    """The api says that it took the job, the dispatcher to whom it gave it, the worker how it ended."""
    until(lambda: "render_succeeded" in events(stack, "worker-1", job.id))
    by_api, by_worker = events(stack, "api", job.id), events(stack, "worker-1", job.id)

    assert by_api["job_accepted"]["logger"] == "farm.jobs"
    assert by_worker["job_given"].items() >= {"logger": "farm.dispatch", "attempt": 1, "owner": "local"}.items()
    assert by_worker["render_succeeded"].items() >= {"logger": "worker.attempt", "attempt": 1}.items()


def test_its_trace_goes_from_the_call_to_every_octave(collector, job):
    """Three processes send its spans, and they come together as one trace, nested as the work was."""
    until(lambda: collector.named("attempt") and collector.named("POST /v1/jobs"))
    [attempt] = collector.named("attempt")
    [call] = [span for span in collector.named("POST /v1/jobs") if told(span).get("dreamfarm.made") == job.id]
    octaves = collector.named("octave")

    assert {span.trace_id for span in (attempt, *octaves)} == {call.trace_id}
    assert attempt.parent_span_id == call.span_id
    assert sorted(span.name for span in octaves) == ["octave 1", "octave 2"]
    assert {span.parent_span_id for span in octaves} == {attempt.span_id}
    assert told(attempt)["dreamfarm.outcome"] == "succeeded"


def test_the_attempt_is_linked_to_the_turn_that_a_message_called_for(collector, job):  # noqa: ARG001  # it has run
    """The worker's turn is a span of its own, as its message names no job."""
    until(lambda: collector.named("attempt"))
    [attempt] = collector.named("attempt")
    [link] = attempt.links

    until(lambda: link.span_id in {span.span_id for span in collector.named("turn")})
