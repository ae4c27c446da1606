"""``python -m infra.docker.env_example``: write .env.example anew, from the class that reads the settings."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic_core import PydanticUndefined

from farm.settings import Settings

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

FILE = Path(__file__).parents[2] / ".env.example"
WIDTH = 118

HEAD = """\
# What docker-compose.yml starts a farm with: copy this file to .env, and fill in what is empty:
# docs/containers.md tells how. Compose hands all of .env to api and workers, TensorFlow's own variables too.

# --- The containers

# Valkey's password, which becomes part of an address: letters and digits alone. openssl rand -hex 24 makes one.
VALKEY_PASSWORD=

# The address of this machine that the ports are opened on. The default is reached from here alone.
# PUBLISH_ADDRESS=127.0.0.1
# API_PORT=8000
# S3_PORT=8333
# GRAFANA_PORT=3000

# Processes of the api; each serves 512 event streams.
# WEB_CONCURRENCY=2

# Folders of weight files, and of networks of your own: docs/models.md.
# WEIGHTS_FOLDER=./weights
# MODELS_FOLDER=./models

# --- The farm's settings: each with its default. Lists and tables are JSON.
"""

TO_FILL_IN = frozenset({"s3_access_key_id", "s3_secret_access_key"})
COMPOSED = {
    "redis_url": "docker-compose.yml: its own Valkey",
    "s3_endpoint_url": "docker-compose.yml: its own SeaweedFS",
    "s3_public_endpoint_url": "docker-compose.yml: http://localhost:8333",
    "s3_bucket": "docker-compose.yml: dreams",
    "s3_access_key_id": "docker-compose.yml needs it: a name of your choice, which its SeaweedFS then knows",
    "s3_secret_access_key": "docker-compose.yml needs it: openssl rand -hex 24 makes one",
    "cache_dir": "the images: a volume",
    "weights_dir": "docker-compose.yml: WEIGHTS_FOLDER",
    "models_dir": "docker-compose.yml: MODELS_FOLDER",
    "worker_id": "leave it so: containers that share a name would take each other's jobs",
}


def text() -> str:
    """Return the file's content."""
    settings = (_setting(name, field) for name, field in Settings.model_fields.items())
    return "\n".join([HEAD, *settings])


def _setting(name: str, field: FieldInfo) -> str:
    said = f"{field.description} ({COMPOSED[name]})" if name in COMPOSED else str(field.description)
    lines = textwrap.wrap(said, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
    assigned = f"DREAMFARM_{name.upper()}={_default(field)}"
    return "\n".join([*lines, assigned if name in TO_FILL_IN else f"# {assigned}", ""])


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined or value is None or value == ():
        return ""
    return value if isinstance(value, str) else json.dumps(value)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
