"""`dreamfarm submit` with folders and sweeps: what is left out, what is found again, what Ctrl-C leaves behind."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from dreamfarm.cli.batch_submit import batch_key, is_whole
from dreamfarm.cli.errors import CommandError, ExitCode
from dreamfarm.cli.follow import left_at_work
from farm.batch_schema import BatchView
from tests.dreamfarm.fake_farm import batch, problem
from tests.support import until

BROKEN = b"no picture"
INTERRUPTIBLE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from dreamfarm.cli import main; main()"
)
"""Starts the command as a terminal does, also where the tests themselves ignore Ctrl-C."""


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        (folder / name).write_bytes(name.encode())
    return folder


def test_a_broken_picture_is_left_out_and_the_rest_submitted(run, fake, photos):
    """It is named with what is wrong, the others make the batch, and the exit code says that one is missing."""
    fake.refused = BROKEN
    (photos / "b.png").write_bytes(BROKEN)

    result = run("submit", photos)

    assert (result.exit_code, result.stdout) == (2, "01BATCH1\n")
    assert [item["name"] for item in fake.submitted[0]["inputs"]] == ["a.png", "c.png"]
    assert result.stderr.splitlines()[-2:] == [
        f"{photos / 'b.png'}: The file is no picture.",
        "1 of 3 pictures are left out.",
    ]


def test_a_picture_that_can_not_be_read_is_left_out(run, fake, photos):
    """A folder whose name is a picture's is named as the system names the trouble, and the others are handed in."""
    (photos / "d.png").mkdir()

    result = run("submit", photos, "--watch")

    assert result.exit_code == 2
    assert f"{photos / 'd.png'}: Is a directory." in result.stderr
    assert len(fake.submitted[0]["inputs"]) == 3


def test_no_batch_is_made_of_broken_pictures_alone(run, fake, photos):
    """Each is named, and nothing is handed in."""
    fake.refused = BROKEN
    for photo in photos.iterdir():
        photo.write_bytes(BROKEN)

    result = run("submit", photos)

    assert (result.exit_code, result.stdout, fake.submitted) == (2, "", [])
    assert result.stderr.count("The file is no picture.") == 3


def test_a_farm_that_is_away_is_no_broken_picture(run, fake, photos):
    """What is wrong with the farm ends the command, with the farm's exit code and one line."""
    fake.answers["POST", "/v1/uploads"].extend([problem(401, "unauthorised", "A key is needed.")] * 3)

    result = run("submit", photos)

    assert (result.exit_code, result.stdout, fake.submitted) == (1, "", [])
    assert result.stderr.splitlines()[-1] == "A key is needed."


def test_of_several_pictures_a_refused_one_is_left_out(run, fake, photos):
    """Without a sweep too, each a job of its own; an option that is wrong for all ends the command at once."""
    fake.refused = BROKEN
    (photos / "a.png").write_bytes(BROKEN)
    files = sorted(photos.iterdir())

    result = run("submit", *files)
    fake.answers["POST", "/v1/jobs"].append(problem(400, "invalid_request", "octaves is 99."))
    refused = run("submit", *files, "--octaves", 99)

    assert (result.exit_code, result.stdout) == (2, "01NEW1\n01NEW2\n")
    assert result.stderr == f"{files[0]}: The file is no picture.\n"
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr == f"{files[0]}: octaves is 99.\n"


def test_a_sweep_is_checked_before_anything_is_uploaded(run, fake, photos):
    """A point that can't be is told by the farm at once, and no picture went there."""
    fake.answers["POST", "/v1/batches"].append(problem(400, "invalid_request", "With {'steps': 0}: steps is 0."))

    result = run("submit", photos, "--sweep", "steps=0,1")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "With {'steps': 0}: steps is 0.\n"
    assert not any("upload" in path or "pictures" in path for _, path, _ in fake.requests)


def test_the_same_command_finds_its_batch_again(run, photos):
    """Nothing is made anew, and it is said; another sweep, another option and --fresh make a batch each."""
    same = ("submit", photos, "--sweep", "steps=1,2")
    first, again = run(*same), run(*same)
    others = [run("submit", photos, "--sweep", "steps=2,1"), run(*same, "--seed", 3), run(*same, "--fresh")]

    assert again.stdout == first.stdout == "01BATCH1\n"
    assert re.fullmatch(
        r"01BATCH1 was handed in before, .* ago: 3 succeeded\. --fresh makes a new one\.", again.stderr.splitlines()[-1]
    )
    assert "before" not in first.stderr
    assert [one.stdout for one in others] == ["01BATCH2\n", "01BATCH3\n", "01BATCH4\n"]


def test_a_batch_that_was_canceled_is_made_anew(run, fake, photos):
    """Once: the command after that finds the new one."""
    run("submit", photos)
    fake.batches["01BATCH1"] = batch("01BATCH1", canceled=1, succeeded=2)

    assert [run("submit", photos).stdout for _ in range(2)] == ["01BATCH2\n", "01BATCH2\n"]


@pytest.mark.parametrize(
    ("counts", "total", "whole"),
    [
        ({"queued": 1, "running": 1, "succeeded": 1, "failed": 1}, 4, True),
        ({"succeeded": 3, "canceled": 1}, 4, False),
        ({"succeeded": 3, "expired": 1}, 4, False),
        ({"succeeded": 3}, 4, False),
    ],
    ids=["at work", "canceled", "expired", "deleted"],
)
def test_what_is_found_again_is_whole(counts, total, whole):
    """A batch that lost jobs is made anew; one with failed jobs says so, and can be retried."""
    view = BatchView.model_validate({**batch("B", succeeded=1), "counts": counts, "total": total})

    assert is_whole(view) is whole


def test_a_batchs_key_is_of_the_bytes_of_its_masks(tmp_path):
    """A mask that was painted anew under its old name is another batch."""
    mask = tmp_path / "mask.png"
    mask.write_bytes(b"left")
    options = {"params": {}, "mask": [mask], "guide": None}
    before, same = (batch_key([("0" * 64, "a.png")], {}, options) for _ in range(2))
    mask.write_bytes(b"right")

    assert before == same != batch_key([("0" * 64, "a.png")], {}, options)


@pytest.mark.slow
def test_ctrl_c_tells_how_to_go_on(run, fake, photos):
    """The line names the batch, how to watch it and how to fetch it; the same command then finds the same batch."""
    fake.answers["GET", "/v1/batches/01BATCH1"].extend([batch("01BATCH1", "active", queued=3)] * 100)
    command = [sys.executable, "-c", INTERRUPTIBLE, "submit", str(photos), "--watch", "-o", str(photos.parent / "out")]
    known = {**os.environ, "DREAMFARM_URL": fake.url}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=known) as running:
        until(lambda: len(fake.asked("GET", "/v1/batches/01BATCH1")) > 2)
        running.send_signal(signal.SIGINT)
        made, told = running.communicate(timeout=60)
    fake.answers.clear()
    again = run("submit", photos, "--watch")

    assert (running.returncode, made) == (130, "01BATCH1\n")
    assert told.splitlines()[-1] == (
        f"The farm goes on. To watch: dreamfarm watch 01BATCH1 --url {fake.url}; to fetch: dreamfarm get 01BATCH1 "
        f"-o {photos.parent / 'out'} --url {fake.url}"
    )
    assert again.stdout == "01BATCH1\n"


def test_ctrl_c_names_few_jobs():
    """With very many the line stays one that can be read."""
    with (
        pytest.raises(CommandError, match=r"watch IDS; to fetch: dreamfarm get IDS$") as caught,
        left_at_work("abcdefghi"),
    ):
        raise KeyboardInterrupt
    assert caught.value.exit_code is ExitCode.INTERRUPTED


def test_a_batch_is_shown_and_deleted_as_jobs_are(run, fake):
    """Its counts, sweep and failures are listed, as one document too; deleted are all of its jobs."""
    fake.batches["B"] = batch("B", sweep={"product": {"steps": [5, 10]}}, succeeded=1, failed=1)
    fake.batch_jobs["B"] = [fake.add(job_id, "succeeded")["id"] for job_id in ("J1", "J2")]

    shown, document = run("show", "B").stdout, json.loads(run("show", "B", "--json").stdout)
    deleted = run("delete", "B")

    assert "2: 1 failed, 1 succeeded" in shown
    assert "steps = [5, 10]" in shown
    assert "1 failed: bad_picture" in shown
    assert document["id"] == "B"
    assert (deleted.exit_code, deleted.stderr) == (0, "B: its 2 jobs are deleted.\n")
    assert fake.jobs == {}
