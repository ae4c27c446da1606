"""The embedded servers keep what they were given, whatever happens to them."""

from __future__ import annotations

import os
import signal
import socket
import stat
from pathlib import Path

import psutil
import pytest

from dreamfarm.stack import Servers, StackError
from farm.services import Services

pytestmark = pytest.mark.slow


@pytest.fixture
def servers(tmp_path):
    with Servers(tmp_path) as running:
        yield running


def test_both_servers_keep_their_data_through_a_kill(servers):
    """SIGKILL loses no acknowledged write of either, and a restart finds all of it."""
    services = Services.connect(servers.settings())
    services.store.redis.set("kept", "yes")
    services.storage.put("kept", b"yes", content_type="text/plain")
    for child in servers.children:
        os.kill(child.pid, signal.SIGKILL)
        child.kill()

    servers.start()

    assert services.store.redis.get("kept") == "yes"
    assert services.storage.get("kept") == b"yes"


def test_a_second_run_finds_data_ports_and_credentials(servers):
    """Stopping and starting on the same folder is a pause, no new beginning."""
    Services.connect(servers.settings()).storage.put("kept", b"yes", content_type="text/plain")
    servers.stop()

    with Servers(servers.data_dir) as again:
        assert again.environment() == servers.environment()
        assert Services.connect(again.settings()).storage.get("kept") == b"yes"


def test_a_folder_serves_one_at_a_time(servers):
    """Somebody else who names the same folder is refused, and the servers that run there go on."""
    with pytest.raises(StackError, match=str(os.getpid())):
        Servers(servers.data_dir)

    Services.connect(servers.settings()).store.check()


def test_data_is_found_on_other_ports(servers):
    """A folder whose ports are taken by now is moved to others; what was stored is still there."""
    Services.connect(servers.settings()).storage.put("kept", b"yes", content_type="text/plain")
    servers.stop()

    with socket.create_server(("127.0.0.1", servers.ports["s3"])), Servers(servers.data_dir) as again:
        assert not set(again.ports.values()) & set(servers.ports.values())
        assert Services.connect(again.settings()).storage.get("kept") == b"yes"


def test_an_end_leaves_no_sockets(servers):
    """SeaweedFS puts sockets into the system's folder for temporary files; they go with it."""
    servers.stop()

    patterns = [f"seaweedfs-*-{port}.sock" for port in servers.ports.values()]
    assert not [file for pattern in patterns for file in Path("/tmp").glob(pattern)]  # noqa: S108  # its choice


def test_the_secret_is_its_owners_alone(servers):
    """Nobody else on the machine can read the S3 key, and no log holds it."""
    file = servers.data_dir / "credentials.json"
    secret = servers.environment()["DREAMFARM_S3_SECRET_ACCESS_KEY"]

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not [log for log in (servers.data_dir / "logs").iterdir() if secret in log.read_text(errors="replace")]


def test_the_servers_are_not_reachable_from_elsewhere(servers):
    """Every listening socket of theirs is on the loopback address."""
    listening = [
        connection.laddr.ip
        for child in servers.children
        for process in [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]
        for connection in process.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    ]

    assert listening
    assert set(listening) <= {"127.0.0.1", "::1"}
