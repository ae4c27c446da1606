"""A child process: on a leash, in a session of its own, with a log file."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

LEASH = Path(__file__).with_name("leash.py")
LOG_TAIL_LINES = 12
LOG_KEPT_BYTES = 10_000_000


class StackError(Exception):
    """The embedded stack can't run; the message says why, and what to do."""


class Child:
    """One process that the stack runs.

    Parameters
    ----------
    name
        For logs and messages; unique within a data folder.
    command
        Program and arguments.
    environment
        All of it: nothing is inherited beside it.
    data_dir
        Where ``logs/NAME.log`` and ``run/NAME.pid`` go.
    grace_s
        Time between the polite signal and SIGKILL.
    leash_signal
        What it gets when this process dies.
    restart
        Whether a supervisor starts it again when it dies.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        *,
        environment: Mapping[str, str],
        data_dir: Path,
        grace_s: float = 5,
        leash_signal: signal.Signals = signal.SIGKILL,
        restart: bool = True,
    ) -> None:
        self.name = name
        self.command = command
        self.environment = dict(environment)
        self.log = data_dir / "logs" / f"{name}.log"
        self.pid_file = data_dir / "run" / f"{name}.pid"
        self.grace_s = grace_s
        self.leash_signal = leash_signal
        self.restart = restart
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: int | None = None

    @property
    def pid(self) -> int:
        """The process' id, also after its end."""
        if self._process is None:
            raise StackError(f"{self.name} was not started.")
        return self._process.pid

    def start(self) -> None:
        """Start the process, after ending what is left of it from before."""
        self.kill()
        for folder in (self.log.parent, self.pid_file.parent):
            folder.mkdir(parents=True, exist_ok=True)
        _end_leftover(self.pid_file, self.grace_s)
        self.cut_log()
        self._process = self._spawn()
        born = psutil.Process(self._process.pid).create_time()
        self.pid_file.write_text(f"{self._process.pid} {born}", encoding="ascii")

    def is_running(self) -> bool:
        """Tell whether the process is there; one that ended is reaped."""
        return self._process is not None and self._process.poll() is None

    def ask_to_end(self) -> None:
        """Send the polite signal and return at once."""
        if self._process is not None and self.is_running():
            self._process.terminate()

    def stop(self) -> None:
        """End the process: politely first, by force after its grace."""
        if self._process is None:
            return
        self.ask_to_end()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(self.grace_s)
        self.kill()

    def kill(self) -> None:
        """End by force the process and all of its session, also those that outlived it; once per start."""
        if self._process is None or self._lifeline is None:
            return
        _kill_group(self._process.pid)
        self._process.wait()
        self.pid_file.unlink(missing_ok=True)
        os.close(self._lifeline)
        self._lifeline = None

    def wait_until(self, ready: Callable[[], bool], *, timeout_s: float) -> None:
        """Wait until it is ready for use.

        Raises
        ------
        StackError
            It ended, or was not ready in time; the message quotes its log.
        """
        deadline = time.monotonic() + timeout_s
        while not ready():
            if not self.is_running():
                raise StackError(f"{self.name} ended while starting.\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise StackError(f"{self.name} was not ready within {timeout_s:g} s.\n{self.log_tail()}")
            time.sleep(0.05)

    def log_tail(self) -> str:
        """Return the end of its log, and where the whole of it is."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join([f"The end of {self.log}:", *(f"  {line}" for line in lines[-LOG_TAIL_LINES:])])

    def cut_log(self) -> None:
        """Put a log that has grown long aside; the process goes on writing to the same file."""
        if self.log.exists() and self.log.stat().st_size > LOG_KEPT_BYTES:
            shutil.copyfile(self.log, self.log.with_suffix(".old.log"))
            os.truncate(self.log, 0)

    def _spawn(self) -> subprocess.Popen[bytes]:
        far_end, self._lifeline = os.pipe()
        leash = [sys.executable, "-S", str(LEASH), str(os.getpid()), str(far_end), str(int(self.leash_signal))]
        try:
            with self.log.open("ab") as log:
                return subprocess.Popen(  # noqa: S603  # our own commands, as lists
                    [*leash, *self.command],
                    env=self.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=[far_end],
                    start_new_session=True,
                )
        finally:
            os.close(far_end)


def stop_together(children: Iterable[Child]) -> None:
    """Stop several processes, in the time that the slowest one takes."""
    several = list(children)
    for child in several:
        child.ask_to_end()
    for child in several:
        child.stop()


def _end_leftover(pid_file: Path, grace_s: float) -> None:
    """End the process that a stack which was killed may have left; a reused pid is told by its birth."""
    if not pid_file.exists():
        return
    pid, _, born = pid_file.read_text(encoding="ascii").partition(" ")
    with contextlib.suppress(psutil.Error, ValueError):
        process = psutil.Process(int(pid))
        if process.create_time() == float(born):
            process.terminate()
            with contextlib.suppress(psutil.TimeoutExpired):
                process.wait(grace_s)
            _kill_group(process.pid)
            process.wait(grace_s)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
