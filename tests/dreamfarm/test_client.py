"""The Python client, against a farm over real HTTP."""

import json
import os
import socket

import httpx2
import pytest

from dreamfarm import Farm, FarmError, FarmUnreachableError
from dreamfarm.address import checked_address, find_stack_url
from dreamfarm.answers import LONGEST_RETRY_AFTER_S, retry_after_s
from farm.states import JobState
from tests.dreamfarm.fake_farm import PICTURE, event, problem


def test_submit_sends_picture_and_options(farm, fake, tmp_path):
    """A submission holds the picture's bytes, guides and masks, and the options as the api reads them."""
    picture = tmp_path / "sky.jpg"
    picture.write_bytes(b"sky")

    job = farm.submit(
        picture,
        params={"steps": 3},
        guide=[b"guide", b"other"],
        mask=b"mask",
        format="webp",
        name="blue",
        tags=["a", "b"],
    )

    [sent] = fake.submitted
    assert job.state is JobState.QUEUED
    assert (sent["image"], sent["format"], sent["name"]) == (b"sky", "webp", "blue")
    assert (sent["guides"], sent["masks"]) == ([b"guide", b"other"], [b"mask"])
    assert json.loads(sent["params"]) == {"steps": 3}
    assert json.loads(sent["tags"]) == ["a", "b"]


def test_a_problem_becomes_an_error_with_its_code(farm):
    """What the farm refuses is raised with its code, sentence and status."""
    with pytest.raises(FarmError) as caught:
        farm.get("nope")

    assert (caught.value.code, caught.value.status) == ("not_found", 404)
    assert "nope" in str(caught.value)


def test_busy_farm_is_asked_again(farm, fake):
    """A read that met 503 twice is made a third time, and only that often."""
    fake.add("J")
    path = ("GET", "/v1/jobs/J")
    fake.answers[path].extend([problem(503, "away", "Redis is away.", **{"Retry-After": "0"})] * 2)

    assert farm.get("J").id == "J"
    assert len(fake.asked(*path)) == 3


def test_busy_farm_is_given_up(farm, fake):
    """A farm that stays busy raises what it said, as out of reach."""
    fake.answers["GET", "/v1/jobs/J"].extend([problem(503, "away", "Redis is away.", **{"Retry-After": "0"})] * 4)

    with pytest.raises(FarmUnreachableError, match="Redis is away"):
        farm.get("J")


def test_a_submission_is_repeated_by_one_name(farm, fake):
    """One that met 503, or is still on its way, may have been taken: it is sent again with the key of the first."""
    away = problem(503, "away", "Redis is away.", **{"Retry-After": "0"})
    fake.answers["POST", "/v1/jobs"].extend([away, problem(409, "in_flight", "It is on its way.")])

    farm.submit(b"picture")
    farm.submit(b"picture")

    first, second, third, other = (one["Idempotency-Key"] for one in fake.asked("POST", "/v1/jobs"))
    assert first == second == third != other


def test_a_conflict_is_not_repeated(farm, fake):
    """What the job's state forbids, it forbids the next time, too."""
    fake.add("J", "succeeded")

    with pytest.raises(FarmError, match="already succeeded"):
        farm.cancel("J")
    assert len(fake.asked("POST", "/v1/jobs/J/cancel")) == 1


def test_nobody_there():
    """An address where nothing listens is named in the error."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with Farm(f"http://127.0.0.1:{port}", tries=1) as farm, pytest.raises(FarmUnreachableError, match=str(port)):
        farm.health()


@pytest.mark.parametrize("url", ["ftp://farm", "http://", ""], ids=["scheme", "host", "empty"])
def test_bad_addresses_are_refused(url):
    """What can't be a farm's address is refused before anything is sent."""
    with pytest.raises(FarmError) as caught:
        checked_address(url)

    assert caught.value.code == "bad_address"


def test_another_servers_answer_is_no_job(farm, fake):
    """A page that some other server shows is not taken for an answer."""
    fake.answers["GET", "/v1/workers"].append(some_page())

    with pytest.raises(FarmError) as caught:
        farm.workers()

    assert caught.value.code == "unexpected_answer"


def some_page():
    return "<html>It works!</html>"


def test_jobs_come_page_after_page(farm, fake):
    """Listing goes on over the pages, newest first, and stops at the limit."""
    for number in range(450):
        fake.add(f"J{number}")

    assert [job.id for job in farm.jobs()] == [f"J{number}" for number in range(450)]
    assert [job.id for job in farm.jobs(limit=201)][-1] == "J200"
    assert len(fake.asked("GET", "/v1/jobs")) == 3 + 2


def test_jobs_are_listed_by_state(farm, fake):
    """A state given as its name or as `JobState` chooses jobs."""
    fake.add("A")
    fake.add("B", "failed")

    assert [job.id for job in farm.jobs(state="failed")] == ["B"]
    assert [job.id for job in farm.jobs(state=JobState.QUEUED)] == ["A"]


def test_events_are_followed_to_the_end(farm, fake):
    """The changes come in order, comments are no changes, and the last one is terminal."""
    fake.streams["J"].append([": hello\n\n", event(1, "queued"), event(2), ": nothing new\n\n", event(3, "succeeded")])

    assert [change.seq for change in farm.events("J")] == [1, 2, 3]


def test_a_broken_stream_is_taken_up_where_it_ended(farm, fake):
    """After a cut, the stream is opened with the last event's id, and what it repeats is not told twice."""

    def cut():
        yield event(1, "queued")
        yield event(2)
        raise ConnectionResetError

    fake.add("J", "running", seq=2)
    fake.streams["J"].extend([cut(), [event(2), event(3, "canceled")]])

    assert [change.seq for change in farm.events("J")] == [1, 2, 3]
    assert fake.asked("GET", "/v1/jobs/J/events")[1]["Last-Event-Id"] == "2-0"


def test_a_replayed_failure_of_a_retried_job_is_not_its_end(farm, fake):
    """A stream that goes on after a terminal state, because the job was retried, is followed on."""
    fake.streams["J"].append([event(1, "failed") + event(2, "queued"), event(3, "succeeded")])

    assert [change.state for change in farm.events("J")] == ["failed", "queued", "succeeded"]


def test_jobs_are_polled_where_streams_are_refused(farm, fake):
    """Without a stream the job itself is looked at, until it rests."""
    fake.add("J", "succeeded", seq=9)
    fake.answers["GET", "/v1/jobs/J"].append(fake.add("J", "running", seq=4))
    fake.add("J", "succeeded", seq=9)

    assert [change.seq for change in farm.events("J")] == [4, 9]


def test_following_an_unknown_job_ends(farm):
    """A job that isn't there raises instead of being waited for."""
    with pytest.raises(FarmError, match="no job"):
        list(farm.events("nope"))


def test_following_ends_when_the_farm_stays_away(fake):
    """A farm that is gone is waited for only as long as patience lasts."""
    fake.answers["GET", "/v1/jobs/J"].append(problem(503, "away", "Redis is away."))

    with Farm(fake.url, tries=1, patience_s=0) as farm, pytest.raises(FarmUnreachableError):
        farm.wait("J")


def test_wait_returns_the_job_at_rest(farm, fake):
    """Waiting ends with the job as the farm shows it then."""
    fake.add("J", "succeeded", seq=3)
    fake.streams["J"].append([event(1), event(3, "succeeded")])

    assert farm.wait("J").output.bytes == len(PICTURE)


def test_a_result_is_saved_whole(farm, fake, tmp_path):
    """A download follows the link, replaces an older file, and leaves nothing beside it."""
    fake.add("J", "succeeded")
    target = tmp_path / "dream.png"
    target.write_bytes(b"older")

    assert farm.download_result("J", target) == target
    assert target.read_bytes() == PICTURE
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("state", ["queued", "failed"])
def test_no_result_no_file(farm, fake, tmp_path, state):
    """A job without a result says so and leaves no file."""
    fake.add("J", state)

    with pytest.raises(FarmError, match="no result"):
        farm.download_result("J", tmp_path / "dream.png")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_download_is_no_file(farm, fake, tmp_path):
    """Other bytes than the farm made are refused, and what was there stays."""
    fake.add("J", "succeeded")
    fake.picture = PICTURE[:-1]
    target = tmp_path / "dream.png"
    target.write_bytes(b"older")

    with pytest.raises(FarmError, match="other bytes"):
        farm.download_result("J", target)
    assert target.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [target]


def test_cancel_retry_and_delete(farm, fake):
    """The three actions reach their job; a finished one's cancel is a conflict."""
    fake.add("J")
    fake.add("K", "succeeded")

    assert farm.cancel("J").state is JobState.CANCELED
    assert farm.retry("J").state is JobState.QUEUED
    farm.delete("J")
    assert "J" not in fake.jobs
    with pytest.raises(FarmError) as caught:
        farm.cancel("K")
    assert caught.value.status == 409


def test_the_running_stack_is_found_from_below(tmp_path):
    """Without an address, the stack of this folder or of one above is meant."""
    (tmp_path / ".dreamfarm").mkdir()
    (tmp_path / ".dreamfarm" / "stack.json").write_text(f'{{"api_url": "http://127.0.0.1:4242", "pid": {os.getpid()}}}')
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)

    assert find_stack_url(below) == "http://127.0.0.1:4242"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"api_url": "http://127.0.0.1:4242", "pid": "x"}'])
def test_a_broken_stack_file_is_no_address(tmp_path, text):
    """A stack file that is half-written or of another kind is as good as none."""
    (tmp_path / ".dreamfarm").mkdir()
    (tmp_path / ".dreamfarm" / "stack.json").write_text(text)

    assert find_stack_url(tmp_path) is None


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param("7", 7.0, id="seconds"),
        pytest.param("86400", LONGEST_RETRY_AFTER_S, id="too long"),
        pytest.param("Thu, 01 Jan 1970 00:00:00 GMT", 0.0, id="a date gone by"),
        pytest.param("soon", None, id="nonsense"),
        pytest.param("", None, id="none"),
    ],
)
def test_retry_after(header, expected):
    """The farm's wish to be left alone is honoured within reason."""
    assert retry_after_s(httpx2.Response(503, headers={"Retry-After": header})) == expected
