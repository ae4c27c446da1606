"""Systemd's units and environment files, read as systemd does as far as ours go."""

from __future__ import annotations

import re
import shlex
import socket
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "infra" / "systemd"


class Unit:
    """One unit; a template is read as an instance of it."""

    def __init__(self, name, *, instance=""):
        self.name = name
        self.text = (FOLDER / name).read_text().replace("%i", instance).replace("%H", socket.gethostname())
        whole = self.text.replace("\\\n", "")
        self.pairs = re.findall(r"^(\w+)=(.*)$", whole, re.MULTILINE)

    def all(self, key):
        return [value for name, value in self.pairs if name == key]

    def one(self, key):
        [value] = self.all(key)
        return value

    def seconds(self, key):
        return int(self.one(key))

    def environment(self, files):
        """Return what the process is given; `files` holds what stands in environment files, by path."""
        told = dict(pair.split("=", 1) for line in self.all("Environment") for pair in shlex.split(line))
        for path in self.all("EnvironmentFile"):
            if path.removeprefix("-") in files or not path.startswith("-"):
                told |= files[path.removeprefix("-")]
        return told

    def command(self, environment):
        """Return the command's words, with the environment's values in them."""
        line = re.sub(r"\$\{(\w+)\}", lambda found: environment[found[1]], self.one("ExecStart"))
        return shlex.split(line.replace("()", "'()'"))


def variables(name, *, comments=False):
    """Return what an environment file sets, with what it has in comments where asked for."""
    text = (FOLDER / name).read_text()
    mark = "#?" if comments else ""
    return dict(re.findall(rf"^{mark}(\w+)=(.*)$", text, re.MULTILINE))
