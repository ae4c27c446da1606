"""A farm of real processes whose links, clock and lives are in the tests' hands."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from dreamfarm.client import Farm
from dreamfarm.stack import Stack
from dreamfarm.stack.ports import LOOPBACK
from farm.services import Services
from tests.chaos.proxy import Proxy

LEASE_S = 2
SHAKY = {"DREAMFARM_LEASE_S": str(LEASE_S), "DREAMFARM_MAX_ATTEMPTS": "20", "DREAMFARM_LOG_LEVEL": "warning"}
TRIES = 60


def clock_library():
    """Return the library by which a process' clock can be stepped; None where it isn't installed."""
    return next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)


class ShakyStack(Stack):
    """api and workers reach Redis and S3 through proxies; people reach S3 as it is."""

    def __init__(self, folder, *, workers, worker_module="worker"):
        super().__init__(folder, workers=workers)
        self.worker_module = worker_module
        self.clock = clock_library() and self.data_dir / "clock"
        self._open = ExitStack()

    def _start(self):
        ports = self.servers.ports
        self.redis_link = self._open.enter_context(Proxy(ports["redis"]))
        self.s3_link = self._open.enter_context(Proxy(ports["s3"]))
        if self.clock:
            self.step_clock(0)
            self.servers.redis.environment |= {
                "LD_PRELOAD": str(clock_library()),
                "FAKETIME_TIMESTAMP_FILE": str(self.clock),
                "FAKETIME_NO_CACHE": "1",
                "DONT_FAKE_MONOTONIC": "1",
            }
        super()._start()

    def stop(self):
        for link in (self.redis_link, self.s3_link):
            link.heal()
        super().stop()
        self._open.close()

    def environment(self):
        straight = super().environment()
        return {
            **straight,
            **SHAKY,
            "DREAMFARM_REDIS_URL": f"redis://{LOOPBACK}:{self.redis_link.port}/0",
            "DREAMFARM_S3_ENDPOINT_URL": f"http://{LOOPBACK}:{self.s3_link.port}",
            "DREAMFARM_S3_PUBLIC_ENDPOINT_URL": straight["DREAMFARM_S3_ENDPOINT_URL"],
        }

    def step_clock(self, seconds):
        """Set the clock of Redis, by which leases run, so far from the true time."""
        self.clock.write_text(f"{seconds:+d}\n")

    @property
    def api(self):
        """The api's process."""
        return self._api

    def services(self):
        """Return the farm's services by straight links: whoever judges is not disturbed."""
        return Services.connect(self.servers.settings())

    def client(self):
        """Return a client that is patient."""
        return Farm(self.api_url, tries=TRIES, timeout_s=10)

    def processes(self):
        """Yield the name and the process id of everything that runs."""
        for child in (*self.servers.children, self._api, *self.workers):
            if child.is_running():
                yield child.name, child.pid
