"""One stack per data folder."""

from __future__ import annotations

import fcntl
import os
from typing import IO, TYPE_CHECKING

from dreamfarm.stack.process import StackError

if TYPE_CHECKING:
    from pathlib import Path


class FolderLock:
    """Held from `acquire` to `release`, or until the process ends, however it ends."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the folder; nothing happens if this lock has it already.

        Raises
        ------
        StackError
            Another stack has it; the message names its process.
        """
        if self._file is not None:
            return
        self._data_dir.mkdir(parents=True, exist_ok=True)
        file = (self._data_dir / "lock").open("a+", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(self._refusal(file)) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let another stack have the folder."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _refusal(self, file: IO[str]) -> str:
        with file:
            file.seek(0)
            holder = file.read().strip() or "unknown"
        return f"A stack runs on {self._data_dir} already, process {holder}. Use it, stop it, or name another folder."
