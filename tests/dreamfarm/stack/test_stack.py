"""The stack in the foreground: it starts again what dies, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys

import psutil
import pytest

from dreamfarm.address import find_stack_url
from dreamfarm.client import Farm
from dreamfarm.stack import Stack, StackError
from tests.support import until

pytestmark = pytest.mark.slow


def processes_of(data_dir):
    """Return the processes whose session, log or data belongs to a data folder."""
    pids = [int(file.read_text().split()[0]) for file in (data_dir / "run").glob("*.pid")]
    alive = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def up(tmp_path):
    """Start `dreamfarm up` as a script's background does, with SIGINT ignored; return its process once it serves."""
    ignoring = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh"]
    command = [
        *ignoring,
        sys.executable,
        "-m",
        "dreamfarm",
        "up",
        "--workers",
        "0",
        "--data",
        str(tmp_path / ".dreamfarm"),
    ]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    until(lambda: find_stack_url(tmp_path) or process.poll() is not None)
    assert process.poll() is None, process.stdout.read()
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_the_end_leaves_no_process(up, tmp_path, number):
    """Ctrl-C and SIGTERM stop every child, and take the address away."""
    children = psutil.Process(up.pid).children(recursive=True)
    assert len(children) >= 3

    up.send_signal(number)
    up.wait(timeout=60)

    assert not [child for child in children if child.is_running()]
    assert find_stack_url(tmp_path) is None


def test_a_killed_parent_leaves_no_process_and_a_usable_folder(up, tmp_path):
    """SIGKILL gives no chance to tidy up; the children end all the same, and the folder can be used again."""
    children = psutil.Process(up.pid).children(recursive=True)

    up.kill()
    until(lambda: not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE])

    with Stack(tmp_path / ".dreamfarm", workers=0) as stack, Farm(stack.api_url) as farm:
        assert list(farm.jobs()) == []


def test_a_child_that_dies_is_started_again(tmp_path):
    """Each server and the api come back by themselves, and the stack says so."""
    said = []
    with Stack(tmp_path, workers=0, say=said.append) as stack, Farm(stack.api_url) as farm:
        for child in processes_of(tmp_path):
            os.kill(child.pid, signal.SIGKILL)
        until(lambda: len(said) >= 3)
        stack.servers.wait_until_ready()
        until(lambda: len(processes_of(tmp_path)) == 3)

        assert list(farm.jobs()) == []

    assert {line.split()[0] for line in said} >= {"redis", "s3", "api"}


def test_a_folder_has_one_stack(tmp_path):
    """A second stack on the same folder is refused by the name of the first one's process."""
    with Stack(tmp_path, workers=0), pytest.raises(StackError, match=str(os.getpid())):
        Stack(tmp_path, workers=0).__enter__()


def test_a_taken_port_is_refused(tmp_path):
    """A port that was asked for is had or not; nobody is served on another one than they said."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(StackError, match=str(port)):
            Stack(tmp_path, workers=0, api_port=port).__enter__()


def test_the_usual_port_is_only_a_wish(tmp_path):
    """Where somebody listens on 8000 already, the api takes another port and says which."""
    said = []
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):  # if somebody has it already, all the better
            held.enter_context(socket.create_server(("127.0.0.1", 8000)))
        with Stack(tmp_path, workers=0, say=said.append) as stack, Farm(stack.api_url) as farm:
            farm.health()

    assert str(stack.api_port) in said[0]
    assert stack.api_port != 8000


def test_a_program_that_can_not_start_says_why(tmp_path):
    """The error quotes the end of the log, so that nobody has to look for it."""
    wrong = {"DREAMFARM_MAX_ATTEMPTS": "none"}

    with pytest.raises(StackError, match="DREAMFARM_MAX_ATTEMPTS"):
        Stack(tmp_path, workers=0, environment=wrong).__enter__()
