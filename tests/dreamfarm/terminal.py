"""A terminal for the tests: a command runs in it and believes that a person looks on."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

COLUMNS, ROWS = 100, 40


def in_terminal(*command, **environment):
    """Run a dreamfarm command in a terminal of 100x40 characters; return its exit status and all that it wrote."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 10 * COLUMNS, 20 * ROWS))
    known = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **environment}
    known.pop("COLUMNS", None)
    line = [sys.executable, "-m", "dreamfarm.cli", *map(str, command)]
    with subprocess.Popen(line, stdin=theirs, stdout=theirs, stderr=theirs, env=known) as running:
        os.close(theirs)
        written = b"".join(_pieces(ours))
    os.close(ours)
    return running.returncode, written.decode()


def _pieces(terminal):
    while True:
        try:
            piece = os.read(terminal, 65_536)
        except OSError:  # how a terminal says that nobody is there any more
            return
        if not piece:
            return
        yield piece
