"""Runs a command that ends when its parent does: ``leash.py PARENT_PID LIFELINE_FD SIGNAL COMMAND…``.

Linux sends the signal by itself. Elsewhere a guard process reads from the lifeline, a pipe whose other end the parent
holds: it ends when the parent does, however that ended.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(parent_pid: int, lifeline: int, signal_number: int, command: list[str]) -> None:
    """Become the command."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number)
    else:
        start_guard(lifeline, signal_number)
    os.close(lifeline)
    if os.getppid() != parent_pid:
        return  # the parent was gone before the leash was on
    os.execvp(command[0], command)  # noqa: S606  # a list, no shell


def start_guard(lifeline: int, signal_number: int) -> None:
    """Start a process that sends this one a signal when the lifeline ends."""
    guarded = os.getpid()
    if os.fork() != 0:
        return
    while os.read(lifeline, 1):
        pass
    if os.getppid() == guarded:  # or it ended before, and another process may have its number by now
        os.kill(guarded, signal_number)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
