"""The asynchronous client, and that the two are one."""

import asyncio
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

from dreamfarm import AsyncFarm, Farm, FarmError
from dreamfarm.transport import each
from farm.states import JobState
from tests.dreamfarm.fake_farm import PICTURE, event, problem

ROOT = Path(__file__).parents[2]


def with_farm(fake, work, **settings):
    """Run asynchronous work with a farm and return what it returns."""

    async def run():
        async with AsyncFarm(fake.url, **{"timeout_s": 10, "poll_s": 0.01, "patience_s": 5, **settings}) as farm:
            return await work(farm)

    return asyncio.run(run())


def public(kind):
    return {name for name in dir(kind) if not name.startswith("_")}


def test_both_have_the_same_calls():
    """Each call of the one is one of the other, with the same parameters, answer and words."""
    assert public(AsyncFarm) == public(Farm)
    for name in public(Farm) - {"url"}:
        mine, other = getattr(Farm, name), getattr(AsyncFarm, name)
        assert inspect.signature(mine) == inspect.signature(other)
        assert mine.__doc__ == other.__doc__


def test_a_job_from_submission_to_file(fake, tmp_path):
    """Submitted with its options, followed, saved: the same bytes on the wire and on the disk as without a loop."""
    fake.streams["01NEW1"].append([event(1, "queued")])
    picture = tmp_path / "sky.jpg"
    picture.write_bytes(b"sky")

    async def work(farm):
        job = await farm.submit(picture, params={"steps": 3}, guide=b"guide", tags=["a"], fresh=True, priority=2)
        fake.add(job.id, "succeeded", seq=2)
        assert (await farm.wait(job.id)).state is JobState.SUCCEEDED
        return await farm.download_result(job.id, tmp_path / "dream.png")

    assert with_farm(fake, work).read_bytes() == PICTURE
    [sent] = fake.submitted
    assert (sent["image"], sent["guides"], sent["params"], sent["tags"]) == (
        b"sky",
        [b"guide"],
        '{"steps": 3}',
        '["a"]',
    )
    assert (sent["fresh"], sent["priority"]) == ("true", "2")


def test_dream_raises_what_a_job_failed_with(fake, farm, tmp_path):
    """A failed job's code and reason are the error's, and there is no file."""
    fake.streams["01NEW1"].append([event(2, "failed")])
    failed = fake.add("F", "failed", error={"code": "out_of_memory", "message": "Too large."})
    fake.answers["GET", "/v1/jobs/01NEW1"].append(failed)

    with pytest.raises(FarmError, match=r"Too large") as caught:
        farm.dream(b"sky", tmp_path / "dream.png")
    assert caught.value.code == "out_of_memory"
    assert list(tmp_path.iterdir()) == []


def test_a_broken_stream_is_taken_up(fake):
    """After a cut the stream goes on by the last event's id; what is repeated is not told twice."""

    def cut():
        yield event(1, "queued")
        yield event(2)
        raise ConnectionResetError

    fake.add("J", "running", seq=2)
    fake.streams["J"].extend([cut(), [event(2), event(3, "canceled")]])

    async def work(farm):
        return [change.seq async for change in farm.events("J")]

    assert with_farm(fake, work) == [1, 2, 3]
    assert fake.asked("GET", "/v1/jobs/J/events")[1]["Last-Event-Id"] == "2-0"


def test_many_are_followed_at_once(fake):
    """A stream that says nothing yet holds no other one up."""
    for number in range(20):
        fake.streams[f"J{number}"].append([event(1, "queued"), event(2, "succeeded")])
        fake.add(f"J{number}", "succeeded", seq=2)

    async def work(farm):
        return await asyncio.gather(*(farm.wait(f"J{number}") for number in range(20)))

    assert [job.id for job in with_farm(fake, work)] == [f"J{number}" for number in range(20)]


def test_a_submission_is_repeated_by_one_name(fake):
    """Sent again with the key of the first after 503 and 429, with that which was given where one was."""
    busy = [
        problem(503, "away", "Away.", **{"Retry-After": "0"}),
        problem(429, "rate", "Slow.", **{"Retry-After": "0"}),
    ]
    fake.answers["POST", "/v1/jobs"].extend(busy)

    async def work(farm):
        await farm.submit(b"picture")
        await farm.submit(b"picture", idempotency_key="mine")

    with_farm(fake, work)

    *repeated, given = (one["Idempotency-Key"] for one in fake.asked("POST", "/v1/jobs"))
    assert len(repeated) == 3
    assert len(set(repeated)) == 1
    assert given == "mine"


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_what_changes_a_job_is_repeated_by_one_name(farm, fake, action):
    """An answer that got lost can't make the second try a conflict."""
    fake.add("J")
    fake.answers["POST", f"/v1/jobs/J/{action}"].append(problem(503, "away", "Away.", **{"Retry-After": "0"}))

    getattr(farm, action)("J")

    first, second = (one["Idempotency-Key"] for one in fake.asked("POST", f"/v1/jobs/J/{action}"))
    assert first == second


def test_a_deletion_whose_answer_was_lost_is_done(farm, fake):
    """The second try finds nothing to delete, which is what was wanted; a first try that finds nothing is an error."""
    fake.answers["DELETE", "/v1/jobs/J"].append(problem(503, "away", "Away.", **{"Retry-After": "0"}))

    farm.delete("J")
    with pytest.raises(FarmError, match="no job"):
        farm.delete("J")


def test_an_unknown_option_is_named(farm, fake):
    """A misspelt option is refused with those that there are, and nothing is sent."""
    with pytest.raises(TypeError, match=r"'param' is no option of a job.*params, guide"):
        farm.submit(b"sky", param={"steps": 3})
    assert not fake.submitted


def test_what_is_left_in_the_middle_is_closed_at_once():
    """Who stops listening leaves no open stream behind, not even where a loop would close it some time."""
    closed = []

    async def changes():
        try:
            yield 1
        finally:
            closed.append(True)

    async def cell():
        for _ in each(changes()):
            break
        return list(closed)

    assert asyncio.run(cell()) == [True]


def test_it_works_inside_of_a_running_loop(fake):
    """In a notebook, where a loop runs already, the client that waits does too."""
    fake.add("J", "succeeded")

    async def cell():
        with Farm(fake.url) as farm:
            return farm.get("J").id, [job.id for job in farm.jobs()]

    assert asyncio.run(cell()) == ("J", ["J"])


def test_importing_it_is_light():
    """No engine, no array library, no server comes along."""
    code = "import json, sys, dreamfarm; print(json.dumps(sorted(name.split('.')[0] for name in sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    heavy = {"tensorflow", "keras", "jax", "numpy", "PIL", "flask", "celery", "redis", "boto3", "rich", "typer"}
    assert heavy.isdisjoint(json.loads(loaded))


@pytest.mark.slow
def test_its_types_are_known(tmp_path):
    """A type checker sees the answers of both clients, the options of a job, and a misspelt one."""
    file = tmp_path / "program.py"
    file.write_text(
        "from dreamfarm import AsyncFarm, Farm\n"
        "reveal_type(Farm().submit(b'', params={}, name='n'))\n"
        "reveal_type(AsyncFarm().submit)\n"
        "reveal_type(Farm().jobs(limit=3))\n"
        "Farm().submit(b'', param={})\n"
        "Farm().submit(b'', priority='high')\n"
    )
    # From the repository, whose cache the check of its own types has filled.
    command = [sys.executable, "-m", "mypy", "--no-error-summary", str(file)]
    said = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT).stdout

    assert all((ROOT / package / "py.typed").exists() for package in ("dreamfarm", "farm", "dreamcore"))
    lines = [line.split(": ", 1)[1] for line in said.splitlines() if "program.py" in line]
    assert lines[0] == 'note: Revealed type is "farm.schema.JobView"'
    assert "Coroutine[Any, Any, farm.schema.JobView]" in lines[1]
    assert "Iterator[farm.schema.JobView]" in lines[2]
    assert 'Unexpected keyword argument "param"' in lines[3]
    assert "[arg-type]" in lines[4]
