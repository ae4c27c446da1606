"""The api as it is served: gunicorn in a process of its own, on loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress

import httpx2

from dreamfarm.stack.ports import any_free_port
from tests.support import until


class RealApi:
    """Where it is, and its log."""

    def __init__(self, port, log):
        self.port, self.log = port, log
        self.url = f"http://127.0.0.1:{port}"

    def connect(self, *, timeout_s=30):
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s)

    def unexpected(self):
        """Return the log's lines of what nobody expected."""
        lines = self.log.read_text().splitlines()
        return [line for line in lines if "unexpected_error" in line or "Error handling request" in line]


@contextmanager
def real_api(folder, environment, *, worker="api.server.Worker", threads=40):
    """Serve with one process, and stop it."""
    api = RealApi(any_free_port(), folder / "api.log")
    options = [f"--bind=127.0.0.1:{api.port}", "--config=python:api.server", f"--worker-class={worker}"]
    options += ["--workers=1", f"--threads={threads}", "--graceful-timeout=1", "--no-control-socket"]
    command = [sys.executable, "-m", "gunicorn", *options, "api.app:create_app()"]
    with api.log.open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=log)
    try:
        until(lambda: process.poll() is not None or _answers(api))
        yield api
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _answers(api):
    with suppress(httpx2.HTTPError):
        return httpx2.get(f"{api.url}/healthz", timeout=30, trust_env=False).is_success
    return False
