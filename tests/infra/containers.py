"""docker-compose.yml without containers: the same commands, files, packages and settings, as processes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time

import httpx2
import redis

from dreamfarm.stack.ports import lasting_ports
from dreamfarm.stack.process import Child
from dreamfarm.stack.servers import _valkey_binary, _weed_binary
from tests.infra.compose import FILLED, in_order, moved, read_services, variables
from tests.infra.images import FOLDER, lay_out, link_packages

PORTS = ("6379", "8333", "8000")
BEHIND_S3 = ("master", "filer", "volume")
HOSTS = ("valkey", "s3", "0.0.0.0", "localhost")  # noqa: S104  # replaced
SEALED = """
for folder in /tmp "$0/volumes" "$0/images"; do mount --bind "$folder" "$folder"; done
for folder in "$0/images" /; do mount -o remount,ro,bind "$folder"; done
exec "$@"
"""
"""A shell's script that runs a command to which all is read-only but /tmp and the folder's volumes."""


class Containers:
    """The file's services as processes: each sees of this machine what it would see in its container, moved here.

    Where this machine lets it, all but /tmp and the volumes, which lie there, is read-only to them.
    """

    def __init__(self, folder):
        self.folder = folder
        ports = lasting_ports(folder / "ports.json", (*PORTS, *BEHIND_S3))
        self.ports = {name: str(port) for name, port in ports.items()}
        self.services = read_services({**variables(**FILLED), "WEB_CONCURRENCY": "1"})
        self.order = in_order(self.services, ["api", "worker"])
        self.running = {}
        self.images = {name: self._image(name) for name in ("api", "worker")}
        (folder / "volumes").mkdir()
        sealed = ["unshare", "--mount", "sh", "-euc", SEALED, str(folder)]
        self.sealed = sealed if _works([*sealed, "true"]) else []

    def __enter__(self):
        try:
            for name in self.order:
                self._start(self.services[name])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for child in reversed(self.running.values()):
            child.stop()

    @property
    def api_url(self):
        return f"http://127.0.0.1:{self.ports['8000']}"

    def run(self, name, command):
        """Run a command in place of a service's own, as `docker compose run` does; return its standard output."""
        service = self.services[name]
        done = subprocess.run(
            self._here(service, command), env=self.environment(service), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def environment(self, service):
        """Return all that a service's process finds in its environment."""
        told = {name: self._moved(service, text) for name, text in service.environment.items()}
        path = {"PATH": os.defpath}
        return told | path | ({"PYTHONPATH": self.images[service.image.name]} if service.image else {})

    def is_well(self, service):
        """Ask what the health check asks; where its program is missing here, ask the same by other means."""
        asked = service.health_command
        if asked[0] == "python":
            time.sleep(1)  # each look is a process of its own
            command, environment = self._here(service, asked), self.environment(service)
            return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0
        text = self._moved(service, asked[-1])
        try:
            if "valkey-cli" in text:
                port, password = re.search(r"-p (\d+)", text)[1], service.environment["REDISCLI_AUTH"]
                return redis.Redis(port=int(port), password=password).ping()
            return httpx2.get(text, trust_env=False).is_success
        except (redis.ConnectionError, httpx2.HTTPError):
            return False

    def _start(self, service):
        if service.health_command is None:
            self.run(service.name, service.command)
            return
        child = Child(
            service.name,
            self._here(service, service.command),
            environment=self.environment(service),
            data_dir=self.folder,
            grace_s=service.grace_s,
        )
        child.start()
        self.running[service.name] = child
        child.wait_until(lambda: self.is_well(service), timeout_s=120)

    def _here(self, service, command):
        """Return a command as it is written for this machine."""
        program, words = command[0], [self._moved(service, word) for word in command[1:]]
        python = [sys.executable, "-S"]
        return [*self.sealed, "env", "-C", self._app(service), *{
            "valkey-server": [str(_valkey_binary()), *words],
            "/usr/bin/weed": [str(_weed_binary()), *words, *(f"-{one}.port={self.ports[one]}" for one in BEHIND_S3)],
            "gunicorn": [*python, "-m", "gunicorn", *words],
            "python": [*python, *words],
            "dreamfarm": [*python, str(FOLDER / "dreamfarm"), *words],
        }[program]]  # fmt: skip

    def _app(self, service):
        return self.images[service.image.name].split(":")[0] if service.image else str(self.folder)

    def _moved(self, service, text):
        places = {port: self.ports[port] for port in PORTS} | dict.fromkeys(HOSTS, "127.0.0.1")
        for path in service.folders:
            place = self.folder / "volumes" / service.name / path.strip("/")
            place.mkdir(parents=True, exist_ok=True)
            places[path] = place
        return moved(text, places)

    def _image(self, name):
        image, folder = self.services[name].image, self.folder / "images" / name
        site = folder / "site"
        site.mkdir(parents=True)
        return f"{lay_out(image, folder / 'app')}:{link_packages(image, site)}"


def _works(command):
    """Tell whether a command is there and ends well; this one does on Linux, for root."""
    return bool(shutil.which(command[0])) and not subprocess.run(command, capture_output=True, check=False).returncode
