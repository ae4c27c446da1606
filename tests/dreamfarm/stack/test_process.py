"""One child process: how it starts, ends, is cut short and is watched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from dreamfarm.stack import Child, StackError
from dreamfarm.stack.process import LEASH, LOG_KEPT_BYTES
from dreamfarm.stack.supervisor import Supervisor

SLEEP = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
)
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
child.wait()
"""


def until(condition):
    deadline = time.monotonic() + 30
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)
    return found


def is_alive(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.fixture
def child(tmp_path):
    made = []

    def make(code, **options):
        made.append(Child("child", [sys.executable, "-c", code], environment=os.environ, data_dir=tmp_path, **options))
        return made[-1]

    yield make
    for one in made:
        one.kill()


def test_a_deaf_child_is_ended_by_force(child):
    """What ignores the polite signal is killed after its grace."""
    deaf = child(STUBBORN, grace_s=0.1)
    deaf.start()
    deaf.wait_until(lambda: "deaf" in deaf.log_tail(), timeout_s=30)

    deaf.stop()

    assert not is_alive(deaf.pid)


def test_a_childs_own_children_end_with_it(child):
    """Killing a child, however it died, leaves none of those it started."""
    parent = child(PARENT)
    parent.start()
    grandchild = int(until(parent.log.read_text))
    os.kill(parent.pid, signal.SIGKILL)

    parent.kill()

    until(lambda: not is_alive(grandchild))


def test_an_early_end_quotes_the_log(child):
    """The error of a child that can't start says why, and where the whole log is."""
    broken = child("raise SystemExit('no such thing as a teapot')")
    broken.start()

    with pytest.raises(StackError, match="teapot") as caught:
        broken.wait_until(lambda: False, timeout_s=30)
    assert str(broken.log) in str(caught.value)


def test_a_child_that_is_never_ready_is_given_up(child):
    """The wait ends at its limit, and the error names it."""
    idle = child(SLEEP)
    idle.start()

    with pytest.raises(StackError, match=r"child was not ready within 0\.1 s"):
        idle.wait_until(lambda: False, timeout_s=0.1)


def test_what_an_earlier_stack_left_is_ended_first(child):
    """A stack that was killed may leave a child; the next one ends it before it starts its own."""
    left = child(SLEEP)
    left.start()
    fresh = child(SLEEP)

    fresh.start()

    assert not left.is_running()
    assert fresh.is_running()


def test_a_number_that_another_process_has_by_now_is_left_alone(child):
    """A stale pid file never ends a stranger."""
    stranger = subprocess.Popen([sys.executable, "-c", SLEEP])
    fresh = child(SLEEP)
    fresh.pid_file.parent.mkdir(parents=True)
    fresh.pid_file.write_text(f"{stranger.pid} 1.0")

    fresh.start()

    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_long_log_is_put_aside(child):
    """A log that grew beyond its limit starts anew, its old text kept, and the child goes on writing to it."""
    talker = child("import time\nwhile True:\n  print('x' * 99, flush=True); time.sleep(0.01)")
    talker.start()
    until(lambda: talker.log.stat().st_size)
    with talker.log.open("ab") as log:
        log.write(b"y" * LOG_KEPT_BYTES)

    talker.cut_log()

    assert talker.log.with_suffix(".old.log").stat().st_size > LOG_KEPT_BYTES
    until(lambda: 0 < talker.log.stat().st_size < LOG_KEPT_BYTES)


def test_a_guarded_process_ends_with_its_parent():
    """Where the system sends no signal at a parent's death, the guard does."""
    guarded = f"""
import runpy, os
leash = runpy.run_path({str(LEASH)!r})
leash["start_guard"](int(os.environ["LIFELINE"]), {int(signal.SIGKILL)})
os.execvp("sleep", ["sleep", "600"])
"""
    parent = f"""
import os, subprocess, sys
read, write = os.pipe()
os.environ["LIFELINE"] = str(read)
child = subprocess.Popen([sys.executable, "-c", {guarded!r}], pass_fds=[read])
print(child.pid, flush=True)
child.wait()
"""
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    child = int(process.stdout.readline())
    until(lambda: psutil.Process(child).name() == "sleep")

    process.kill()
    process.communicate()

    until(lambda: not is_alive(child))


def test_a_child_that_keeps_dying_is_started_ever_more_slowly(child):
    """Each pause is twice the one before, so that a broken child doesn't burn the machine."""
    said = []
    supervisor = Supervisor(said.append)
    broken = child("pass")
    broken.start()
    supervisor.watch(broken)
    supervisor.start()

    until(lambda: len(said) == 3)

    supervisor.stop()
    supervisor.close()
    assert [line.split(" in ")[1].split(" s")[0] for line in said] == ["0.5", "1", "2"]
