"""A whole farm on this machine: servers, api and workers, supervised."""

from __future__ import annotations

import json
import os
import sys
import time
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Self

from dreamcore.processor import usable_cores
from dreamfarm.client import Farm
from dreamfarm.errors import FarmError
from dreamfarm.files import whole_file
from dreamfarm.stack.ports import LOOPBACK, any_free_port, in_url, is_free
from dreamfarm.stack.process import Child, StackError, stop_together
from dreamfarm.stack.servers import Servers
from dreamfarm.stack.signals import uninterrupted
from dreamfarm.stack.supervisor import Supervisor
from farm.errors import TransientError
from farm.redis import connect_redis
from farm.settings import inherited_environment
from farm.workers import STARTING, WorkerRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

API_PORT = 8000
API_PROCESSES = 2
READY_WITHIN_S = 60
WORKER_READY_WITHIN_S = 180


class Stack:
    """Servers, api and workers as child processes; a context manager.

    Parameters
    ----------
    data_dir
        Keeps data, logs, ports and credentials; one stack at a time uses it.
    workers
        How many to start.
    api_port
        Where the api is wanted; by default 8000, or any free port if that is taken.
    keys
        Whether requests need a key; by default they do where others can reach the api.
    environment
        Further settings for api and workers.
    say
        Called with a line when a child is started again.
    """

    worker_module = "worker"
    """What a worker runs; others import it, and add to it."""

    servers_kind = Servers

    def __init__(
        self,
        data_dir: Path = Path(".dreamfarm"),
        *,
        workers: int = 1,
        host: str = LOOPBACK,
        api_port: int | None = None,
        keys: bool | None = None,
        environment: Mapping[str, str] | None = None,
        say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.host = host
        self.api_port = api_port
        self.asks_for_keys = not _is_loopback(host) if keys is None else keys
        self.first_workers = workers
        self.workers: list[Child] = []
        self._extra = dict(environment or {})
        self._say = say
        self._supervisor = Supervisor(say)
        self._worker_number = 0
        self._api: Child | None = None

    def __enter__(self) -> Self:
        self.servers = self.servers_kind(self.data_dir)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def api_url(self) -> str:
        """Where the api, the studio and the docs are."""
        return f"http://{in_url(self.host)}:{self.api_port}"

    def environment(self) -> dict[str, str]:
        """Return the settings by which a process becomes part of this farm."""
        auth = "required" if self.asks_for_keys else "off"
        return {**self.servers.environment(), "DREAMFARM_AUTH": auth, **self._extra}

    def child_environment(self) -> dict[str, str]:
        """Return all of a child's environment: this process' own, and the farm's settings."""
        return inherited_environment(self.environment())

    def start_worker(self, *, restart: bool = True) -> Child:
        """Start one more worker; `restart` says whether it is started again when it dies."""
        self._worker_number += 1
        worker = self._child(f"worker-{self._worker_number}", ["-m", self.worker_module], grace_s=30, restart=restart)
        worker.environment.update(self._threads())
        worker.start()
        self.workers.append(worker)
        self._supervisor.watch(worker)
        return worker

    def _threads(self) -> dict[str, str]:
        """Return each worker's share of the cores where there are several; what the user has set is left."""
        if self.first_workers <= 1:
            return {}
        share = str(max(1, usable_cores() // self.first_workers))
        threads = {"TF_NUM_INTRAOP_THREADS": share, "OMP_NUM_THREADS": share, "TF_NUM_INTEROP_THREADS": "1"}
        return {name: count for name, count in threads.items() if name not in self.child_environment()}

    def stop_worker(self, worker: Child) -> None:
        """Stop a worker for good; it hands its job back."""
        self._supervisor.forget(worker)
        worker.stop()
        self.workers.remove(worker)

    def wait_for_workers(self, count: int = 1) -> None:
        """Wait until so many workers have loaded their engine.

        Raises
        ------
        StackError
            They were not ready in time.
        """
        deadline = time.monotonic() + WORKER_READY_WITHIN_S
        while self._ready_workers() < count:
            if time.monotonic() > deadline:
                tails = "\n".join(worker.log_tail() for worker in self.workers)
                raise StackError(f"No worker was ready within {WORKER_READY_WITHIN_S} s.\n{tails}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop everything, workers first and servers last."""
        with uninterrupted():
            self._stop()

    def _stop(self) -> None:
        self._state_file.unlink(missing_ok=True)
        self._supervisor.stop()
        stop_together(self.workers)
        self.workers.clear()
        if self._api is not None:
            self._api.stop()
        self.servers.stop()
        self._supervisor.close()

    def _start(self) -> None:
        self.servers.start()
        self._start_api()
        self._supervisor.start()
        for child in (*self.servers.children, self._api):
            if child is not None:
                self._supervisor.watch(child)
        for _ in range(self.first_workers):
            self.start_worker()
        with whole_file(self._state_file) as file:
            where = {
                "api_url": self.api_url,
                "redis_url": self.environment()["DREAMFARM_REDIS_URL"],
                "pid": os.getpid(),
            }
            file.write(json.dumps(where).encode())

    def _start_api(self) -> None:
        self.api_port = self._choose_port()
        self._api = self._child("api", ["-m", "gunicorn", *self._gunicorn_options(), "api.app:create_app()"])
        self._api.start()
        with Farm(self.api_url, tries=1) as farm:
            self._api.wait_until(lambda: _is_ready(farm), timeout_s=READY_WITHIN_S)

    def _gunicorn_options(self) -> list[str]:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return [
            "--config=python:api.server",
            f"--bind={host}:{self.api_port}",
            f"--workers={min(API_PROCESSES, usable_cores())}",
            "--graceful-timeout=2",
            "--no-control-socket",
        ]

    def _choose_port(self) -> int:
        if self.api_port is not None and not is_free(self.api_port, host=self.host):
            raise StackError(f"Port {self.api_port} is taken on {self.host}. Name another one, or none for any free.")
        if self.api_port is not None:
            return self.api_port
        if is_free(API_PORT, host=self.host):
            return API_PORT
        port = any_free_port(host=self.host)
        self._say(f"Port {API_PORT} is taken; the api is on {port}.")
        return port

    def _child(self, name: str, arguments: list[str], *, grace_s: float = 5, restart: bool = True) -> Child:
        return Child(
            name,
            [sys.executable, *arguments],
            environment=self.child_environment(),
            data_dir=self.data_dir,
            grace_s=grace_s,
            restart=restart,
        )

    def _ready_workers(self) -> int:
        registry = WorkerRegistry(connect_redis(self.servers.settings()))
        try:
            return sum(worker.device != STARTING for worker in registry.list())
        except TransientError:
            return 0

    @property
    def _state_file(self) -> Path:
        return self.data_dir / "stack.json"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _is_ready(farm: Farm) -> bool:
    try:
        farm.health()
    except FarmError:
        return False
    return True
