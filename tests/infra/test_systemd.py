"""Units for machines without containers: what they start works, ends in order, and is shut in."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from dreamfarm.stack import Servers
from dreamfarm.stack.ports import any_free_port
from dreamfarm.stack.servers import _valkey_binary
from farm.doctor import look_at_redis
from farm.redis import connect_redis
from farm.settings import Settings
from farm.workers import WorkerRegistry
from tests.infra.units import FOLDER, Unit, variables
from tests.support import until

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "bare-metal.md"
BIN = Path(sysconfig.get_path("scripts"))
SERVICES = ("dreamfarm-api.service", "dreamfarm-worker@.service", "dreamfarm-s3.service")
EXPOSURE = {"dreamfarm-api.service": 2.0, "dreamfarm-worker@.service": 4.0, "dreamfarm-s3.service": 2.0}
"""Most that `systemd-analyze security` may find, of 10; a worker needs devices and code that is made at run time."""

ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not here: apt-get install systemd")


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    with Servers(tmp_path_factory.mktemp("servers")) as running:
        yield running


@contextmanager
def started(unit, servers, folder, **changes):
    """Run what a unit starts, where its folders are below another one; it must end as systemd asks it to."""
    files = {"/etc/dreamfarm/dreamfarm.env": variables("dreamfarm.env") | servers.environment()}
    told = unit.environment(files) | changes
    told = {name: value.replace("/var/", f"{folder}/") for name, value in told.items()}
    command = [word.replace("/opt/dreamfarm/bin", str(BIN)) for word in unit.command(told)]
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    log = folder / f"{unit.name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env={**inherited, **told, "PYTHONPATH": str(ROOT)}, stdout=out, stderr=out
        )
        try:
            yield
            process.send_signal(signal.SIGTERM)
            assert process.wait(unit.seconds("TimeoutStopSec")) == 0, log.read_text()
        finally:
            process.kill()


@pytest.mark.slow
def test_what_the_units_start_becomes_a_farm(servers, tmp_path):
    """The api says that it is ready, the worker is in the registry by its card's number, and both end when asked."""
    address = f"127.0.0.1:{any_free_port()}"
    worker = Unit("dreamfarm-worker@.service", instance="0")
    registry = WorkerRegistry(connect_redis(servers.settings()))

    with (
        started(worker, servers, tmp_path),
        started(Unit("dreamfarm-api.service"), servers, tmp_path, API_BIND=address, API_PROCESSES="1"),
    ):
        until(lambda: _is_ready(address))
        [seen] = until(registry.list)

    assert (seen.id, seen.tags) == (f"{socket.gethostname()}-0", ["gpu"])
    assert registry.list() == []


def _is_ready(address):
    try:
        return httpx2.get(f"http://{address}/readyz", trust_env=False).is_success
    except httpx2.HTTPError:
        return False


def test_each_worker_has_a_card_of_its_own():
    """The instance's number is the card and ends the name, so that no two are the same on a machine or in a farm."""
    environments = [Unit(SERVICES[1], instance=card).environment({"/etc/dreamfarm/dreamfarm.env": {}}) for card in "03"]

    assert [told["CUDA_VISIBLE_DEVICES"] for told in environments] == ["0", "3"]
    assert [told["DREAMFARM_WORKER_ID"][-2:] for told in environments] == ["-0", "-3"]


def test_a_worker_is_given_the_time_to_hand_its_job_back():
    """Only the parent is told, and killed no sooner than 20 s after the farm's own limit; whatever ends comes back."""
    unit = Unit("dreamfarm-worker@.service", instance="0")

    assert unit.one("KillMode") == "mixed"
    assert unit.seconds("TimeoutStopSec") >= Settings.model_fields["soft_shutdown_s"].default + 20
    assert all(Unit(name).one("Restart") == "always" for name in SERVICES)


@pytest.mark.parametrize("name", [*SERVICES, "dreamfarm.env", "s3.env"])
def test_settings_are_known(name):
    """Each name with DREAMFARM_ in a unit or a file, also in a comment, is a setting of the farm."""
    words = (FOLDER / name).read_text().replace("=", " ").replace("#", " ").split()
    named = {word.strip(".,").removeprefix("DREAMFARM_").lower() for word in words if word.startswith("DREAMFARM_")}

    assert named <= set(Settings.model_fields)
    assert named or name in {"dreamfarm-s3.service", "s3.env"}


def test_the_file_names_what_a_farm_needs(servers):
    """Whoever fills in the example has all that the embedded stack gives its processes."""
    assert set(variables("dreamfarm.env")) == set(servers.environment())
    assert variables("dreamfarm.env")["DREAMFARM_S3_ACCESS_KEY_ID"] == variables("s3.env")["AWS_ACCESS_KEY_ID"]
    assert Unit("dreamfarm-s3.service").environment({"/etc/dreamfarm/s3.env": {}})["S3_BUCKET"] == "dreams"


def test_the_store_is_started_as_the_embedded_one(servers):
    """With the same switches, addresses and folders aside: no telemetry, no doors that nobody uses."""
    unit = Unit("dreamfarm-s3.service")
    told = unit.command(unit.environment({"/etc/dreamfarm/s3.env": {}}))
    own, embedded = (
        {word for word in command[1:] if not word.startswith(("-dir=", "-ip", *PORTS))}
        for command in (told, servers.s3.command)
    )

    assert own == embedded
    assert "-ip.bind=127.0.0.1" in told


PORTS = tuple(f"-{name}.port=" for name in ("s3", "master", "filer", "volume", "admin"))


def test_the_doctor_finds_redis_well(tmp_path):
    """Valkey with the lines of valkey.conf keeps what it is told, evicts nothing, and asks for a password."""
    port = any_free_port()
    command = [_valkey_binary(), FOLDER / "valkey.conf", "--port", str(port), "--dir", tmp_path, "--bind", "127.0.0.1"]
    url = variables("dreamfarm.env")["DREAMFARM_REDIS_URL"].replace(":6379", f":{port}")
    settings = Settings(redis_url=url, s3_bucket="dreams")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            until(lambda: len(list(look_at_redis(settings))) > 1)
            found = {one.subject: one.state for one in look_at_redis(settings)}
        finally:
            process.kill()

    assert set(found.values()) == {"well"}, found


def test_the_page_puts_passwords_in(tmp_path):
    """The page's lines leave no password as it comes, and the same one in both files that need it."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith(("redis=$(", "sed -i "))]
    for name in ("dreamfarm.env", "s3.env", "valkey.conf"):
        shutil.copy(FOLDER / name, tmp_path)
    script = "\n".join(lines).replace("/etc/dreamfarm", str(tmp_path))
    subprocess.run(["bash", "-eu", "-c", script], check=True)  # noqa: S607  # wherever it is

    told = {file.name: file.read_text() for file in tmp_path.iterdir()}
    [redis] = re.findall("^requirepass ([0-9a-f]{48})$", told["valkey.conf"], re.MULTILINE)
    [store] = re.findall("^AWS_SECRET_ACCESS_KEY=([0-9a-f]{48})$", told["s3.env"], re.MULTILINE)
    assert len(lines) == 2
    assert not any("CHANGE-ME" in text for text in told.values())
    assert f"redis://:{redis}@127" in told["dreamfarm.env"]
    assert f"DREAMFARM_S3_SECRET_ACCESS_KEY={store}\n" in told["dreamfarm.env"]


def test_the_page_names_what_is_there():
    """Each file of the folder that the page installs exists, and each unit and environment file is spoken of."""
    page = PAGE.read_text()
    named = set(re.findall(r"infra/systemd/([\w.@-]+)", page))

    assert all((FOLDER / name).exists() for name in named), named
    for name in ("dreamfarm-s3", "dreamfarm-api", "dreamfarm-worker@0", "dreamfarm.env", "s3.env", "valkey.conf"):
        assert name in page


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_systemd_knows_what_they_say(name, tmp_path):
    """`systemd-analyze verify` finds nothing wrong, with programs in place of those that aren't installed here."""
    unit = _with_programs(name, tmp_path)
    done = subprocess.run(
        [ANALYZE, "verify", "--man=no", "--recursive-errors=no", unit], capture_output=True, text=True, check=False
    )

    assert (done.returncode, [line for line in done.stderr.splitlines() if unit.name in line]) == (0, [])


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_they_are_shut_in(name, tmp_path):
    """By systemd's own count of what a unit leaves open."""
    unit, most = _with_programs(name, tmp_path), str(int(EXPOSURE[name] * 10))
    options = ["security", "--offline=yes", f"--threshold={most}", "--no-pager", unit]
    done = subprocess.run([ANALYZE, *options], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-300:]


def _with_programs(name, folder):
    path = folder / name.replace("@", "@0")
    text = (FOLDER / name).read_text()
    path.write_text(
        text.replace("/opt/dreamfarm/bin/python", sys.executable).replace("/opt/dreamfarm/bin/weed", sys.executable)
    )
    return path
