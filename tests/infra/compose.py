"""docker-compose.yml as Docker Compose reads it: variables filled in, images' commands and environments beneath."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import StringIO

import yaml
from dotenv import dotenv_values

from tests.infra.images import ROOT, read_image

FILE = ROOT / "docker-compose.yml"
FILLED = {"VALKEY_PASSWORD": "p1", "DREAMFARM_S3_ACCESS_KEY_ID": "k1", "DREAMFARM_S3_SECRET_ACCESS_KEY": "s1"}

VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|{(?P<name>\w+)(?::(?P<sign>[-?])(?P<other>(?:[^{}]|{[^{}]*})*))?})")
"""The forms that the file uses: ${NAME}, ${NAME:-other}, where `other` may hold a further one, and ${NAME:?message}."""


@dataclass(frozen=True)
class Service:
    """A service: what the file says of it, over what its image says."""

    name: str
    told: dict
    variables: dict

    @property
    def image(self):
        """Our own image; None for another's."""
        dockerfile = self.told.get("build", {}).get("dockerfile", "")
        return read_image(dockerfile.removeprefix("infra/docker/").removesuffix(".Dockerfile")) if dockerfile else None

    @property
    def command(self):
        """The whole command, as Docker runs it in the container."""
        given = self.told.get("command") or self.image.command
        return [*self.told.get("entrypoint", []), *given]

    @property
    def environment(self):
        """Image, then .env where it is asked for, then the file itself."""
        beneath = self.image.environment if self.image else {}
        from_file = self.variables if "env_file" in self.told else {}
        return {**beneath, **from_file, **self.told.get("environment", {})}

    @property
    def health_command(self):
        """What is asked how it is; None where nobody asks."""
        check = self.told.get("healthcheck")
        if check is None:
            return self.image.health_command
        return check["test"][1:] if "test" in check else None

    @property
    def folders(self):
        """Where in the container something can be written or is mounted."""
        mounted = [volume.split(":")[1] for volume in self.told.get("volumes", [])]
        return [*mounted, *(entry.split(":")[0] for entry in self.told.get("tmpfs", []))]

    @property
    def grace_s(self):
        return float(self.told["stop_grace_period"].removesuffix("s"))


def variables(**filled):
    """Return what a .env made from .env.example holds, with what has to be filled in."""
    lines = [
        f"{name}={filled[name]}" if (name := line.partition("=")[0]) in filled else line
        for line in (ROOT / ".env.example").read_text().splitlines()
    ]
    assert set(filled) <= {line.partition("=")[0] for line in lines}
    return dotenv_values(stream=StringIO("\n".join(lines)), interpolate=False)


def read_services(values):
    """Return the file's services by name, each variable replaced as Compose would."""
    told = _filled(yaml.safe_load(FILE.read_text()), values)
    return {name: Service(name, one, values) for name, one in told["services"].items()}


def in_order(services, wanted):
    """Return the names of what is wanted and of what it depends on, each after those that it waits for."""
    found = []

    def visit(name):
        for other in services[name].told.get("depends_on", {}):
            visit(other)
        if name not in found:
            found.append(name)

    for name in wanted:
        visit(name)
    return found


def moved(text, places):
    """Return a text with hosts, ports and folders of the containers replaced by where they are here."""
    names = "|".join(re.escape(name) for name in sorted(places, key=len, reverse=True))
    return re.sub(rf"(?<![\w.-])({names})(?![\w.-])", lambda found: str(places[found[1]]), text)


def _filled(value, values):
    if isinstance(value, dict):
        return {name: _filled(one, values) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, values) for one in value]
    return VARIABLE.sub(lambda found: _replaced(found, values), value) if isinstance(value, str) else value


def _replaced(found, values):
    if found["dollar"]:
        return "$"
    value = values.get(found["name"]) or ""
    match found["sign"]:
        case "-":
            return value or _filled(found["other"], values)
        case "?" if not value:
            raise ValueError(f"{found['name']} {found['other']}")
        case _:
            return value
