"""Watches child processes, and starts again those that die."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

    from dreamfarm.stack.process import Child

LOOK_EVERY_S = 0.2
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
STEADY_AFTER_S = 30.0


class Supervisor:
    """Keeps children alive, with a pause that doubles while one keeps dying."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._children: list[Child] = []
        self._pauses: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._started: dict[str, float] = {}
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def watch(self, child: Child) -> None:
        """Watch one more child."""
        with self._lock:
            self._children.append(child)
            self._started[child.name] = time.monotonic()

    def forget(self, child: Child) -> None:
        """Watch a child no more, because it is about to be stopped."""
        with self._lock:
            self._children = [other for other in self._children if other is not child]

    def stop(self) -> None:
        """Restart nothing any more. The thread goes last, as children that it started end with it."""
        with self._lock:
            self._children = []

    def close(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            with self._lock:
                for child in self._children:
                    self._look_after(child)

    def _look_after(self, child: Child) -> None:
        # Whatever goes wrong with one child (a full disk, too many processes), the watch over all goes on.
        try:
            child.cut_log()
            if child.restart and not child.is_running():
                self._revive(child)
        except (OSError, psutil.Error) as error:
            self._say(f"{child.name} could not be started again: {error}")

    def _revive(self, child: Child) -> None:
        now = time.monotonic()
        if child.name not in self._due:
            child.kill()  # its own children, which would keep its port
            steady = now - self._started[child.name] > STEADY_AFTER_S
            pause = FIRST_PAUSE_S if steady else self._pauses.get(child.name, FIRST_PAUSE_S)
            self._pauses[child.name] = min(pause * 2, LONGEST_PAUSE_S)
            self._due[child.name] = now + pause
            self._say(f"{child.name} ended unexpectedly; it is started again in {pause:g} s. Its log: {child.log}")
        elif now >= self._due[child.name]:
            del self._due[child.name]
            self._started[child.name] = now
            child.start()
