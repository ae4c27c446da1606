"""Runs a command that ends when its parent does, however the parent ended: ``leash.py PARENT_PID SIGNAL COMMAND…``.

Linux sends the signal by itself. Elsewhere a guard process waits for the parent to vanish, and sends it.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time

PR_SET_PDEATHSIG = 1
LOOK_EVERY_S = 0.2


def main(parent_pid: int, signal_number: int, command: list[str]) -> None:
    """Become the command."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number)
    else:
        _start_guard(parent_pid, signal_number)
    if os.getppid() != parent_pid:
        return  # the parent was gone before the leash was on
    os.execvp(command[0], command)  # noqa: S606  # a list, no shell


def _start_guard(parent_pid: int, signal_number: int) -> None:
    target = os.getpid()
    if os.fork() != 0:
        return
    while _is_alive(target):
        if not _is_alive(parent_pid):
            os.kill(target, signal_number)
            break
        time.sleep(LOOK_EVERY_S)
    os._exit(0)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
