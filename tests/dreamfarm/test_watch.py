"""`dreamfarm watch`: jobs and batches at once, as a live table or in lines."""

import hashlib
import io
import json
import re

import pytest
from rich.console import Console

from dreamfarm.cli.progress import Bars
from farm.schema import JobView
from tests.dreamfarm.fake_farm import batch, event, job, progress
from tests.dreamfarm.terminal import in_terminal
from tests.support import picture


@pytest.fixture
def busy(fake):
    """Return a farm with a job that is done in two octaves and a batch that ends with a failure."""
    fake.add("J", "queued", name="sky.jpg")
    fake.answers["GET", "/v1/jobs/J"].append(fake.jobs["J"])
    fake.add("J", "succeeded", seq=4)
    halves = [event(n, progress=progress(n / 4, octave=n - 1, step=10, loss=1234.5)) for n in (2, 3)]
    fake.streams["J"].append([event(1, "queued"), *halves, event(4, "succeeded")])
    steps = [batch("B", "active", queued=3), batch("B", "active", running=1, succeeded=2)]
    end = batch("B", failed=1, succeeded=2)
    fake.answers["GET", "/v1/batches/B"].extend([*steps, end, end, end])
    return fake


@pytest.mark.usefixtures("busy")
def test_in_a_log_it_is_told_in_lines(run):
    """One for each change of state, each octave and each tenth of a batch; the end is that of the worst."""
    result = run("watch", "J", "B")

    lines = result.stderr.splitlines()
    assert [line for line in lines if line.startswith("sky.jpg")] == [
        "sky.jpg: queued",
        "sky.jpg: octave 1/4 step 10/10, loss 1,234",
        "sky.jpg: octave 2/4 step 10/10, loss 1,234",
        "sky.jpg: succeeded",
    ]
    assert [line for line in lines if line.startswith("seaside")] == [
        "seaside: 0% of 3: 3 queued",
        "seaside: 67% of 3: 1 running, 2 succeeded",
        "seaside: 100% of 3: 1 failed, 2 succeeded",
    ]
    assert lines[-2:] == ["B: 3 jobs, 1 failed, 2 succeeded", "  1 failed: bad_picture"]
    assert (result.exit_code, result.stdout) == (1, "")


@pytest.mark.usefixtures("busy")
def test_as_json_lines(run):
    """Each change is one document, of the job or of the batch."""
    lines = [json.loads(line) for line in run("watch", "J", "B", "--json").stdout.splitlines()]

    assert [line["seq"] for line in lines if line["id"] == "J"] == [1, 2, 3, 4]
    assert [line["counts"] for line in lines if line["id"] == "B"] == [
        {"running": 1, "succeeded": 2},
        {"failed": 1, "succeeded": 2},
    ]


def test_in_a_terminal_it_is_a_live_table(busy):
    """Bars of the job and of the batch are drawn over and over, and stay as they were at the end."""
    code, shown = in_terminal("watch", "J", "B", DREAMFARM_URL=busy.url)

    rows = [line for line in shown.split("\n") if "100%" in line][-2:]
    assert code == 1
    assert "\x1b[1A" in shown
    assert all("━" in row for row in rows)
    assert "sky.jpg" in rows[0]
    assert "succeeded" in rows[0]
    assert "seaside" in rows[1]
    assert re.search(r"✗.* 1 .*✓.* 2", rows[1])


def test_those_at_work_are_shown_where_not_all_fit():
    """Of fifty jobs on a screen of ten lines the running ones are on top, and the rest is counted."""
    console = Console(file=io.StringIO(), force_terminal=True, width=100, height=10)
    with Bars(console=console) as bars:
        for number in range(50):
            state = "running" if number == 49 else "succeeded" if number < 5 else "queued"
            bars.show(bars.add(f"J{number}"), JobView.model_validate(job(state=state)))

    frame = console.file.getvalue().rpartition("\x1b[2K")[2] or console.file.getvalue()
    assert "J49" in frame
    assert "J0 " not in frame
    assert "… and 42 more; 5 of 50 are done." in frame


def test_a_fetched_picture_is_shown_in_a_terminal(fake, tmp_path):
    """Its colours above its path; where nobody looks on there is the path alone."""
    fake.picture = picture(20, 20)
    sha256 = hashlib.sha256(fake.picture).hexdigest()
    output = {"format": "png", "sha256": sha256, "bytes": len(fake.picture), "width": 20, "height": 20}
    fake.add("J", "succeeded", output=output)

    code, shown = in_terminal("get", "J", "-o", tmp_path / "a.png", DREAMFARM_URL=fake.url)

    assert code == 0
    assert "▀" in shown
    assert shown.rstrip().endswith("a.png")
