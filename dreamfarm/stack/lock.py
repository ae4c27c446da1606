"""One stack per data folder."""

from __future__ import annotations

import fcntl
import os
from typing import IO, TYPE_CHECKING

from dreamfarm.stack.process import StackError

if TYPE_CHECKING:
    from pathlib import Path


class FolderLock:
    """Held from creation until `release`, or until the process ends, however it ends."""

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        path = data_dir / "lock"
        self._file: IO[str] = path.open("a+", encoding="ascii")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = path.read_text(encoding="ascii").strip() or "unknown"
            self._file.close()
            raise StackError(
                f"A stack runs on {data_dir} already, process {holder}. Use it, stop it, or name another data folder."
            ) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let another stack have the folder."""
        self._file.close()
