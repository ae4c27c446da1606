"""schemathesis against a real api: every operation of the contract, every check."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
from pathlib import Path

from farm.account_schema import Scope
from farm.owners import LOCAL
from farm.services import Services
from farm.settings import Settings
from tests.contract.hooks import PICTURE
from tests.real_api import real_api

OWNER = "contract"
PROGRAM = Path(sysconfig.get_path("scripts")) / "schemathesis"
CONFIG = Path(__file__).with_name("schemathesis.toml")
ROOT = CONFIG.parents[2]
LIMITS = {
    "DREAMFARM_REQUESTS_PER_MINUTE": "1000000",
    "DREAMFARM_EVENT_STREAM_LIFE_S": "1",
    "DREAMFARM_ALLOWED_NETWORKS": '["127.0.0.0/8"]',
}


def run(folder, environment, *options, auth="required"):
    """Return schemathesis' exit status, what it printed, and what the api logged of the unexpected."""
    environment = {**environment, **LIMITS, "DREAMFARM_AUTH": auth}
    proof = _prepare(environment, auth)
    with real_api(folder, environment) as api:
        command = [str(PROGRAM), "--config-file", str(CONFIG), "run", f"{api.url}/openapi.json", "--no-color"]
        command += ["--warnings=off", *proof, *options]
        here = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=folder, env=here, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr, api.unexpected()


def _prepare(environment, auth):
    """Store what calls name; return how they show who makes them: where nobody is asked, no check can look for it."""
    fields = {name.removeprefix("DREAMFARM_").lower(): value for name, value in environment.items()}
    allowed = json.loads(fields.pop("allowed_networks"))
    services = Services.connect(Settings(**fields, allowed_networks=allowed))
    try:
        services.pictures.keep(services.pictures.look_at(PICTURE), owner=OWNER if auth == "required" else LOCAL)
        _, token = services.api_keys.create(OWNER, [Scope.ADMIN])
    finally:
        services.pictures.decoders.end()
    return ["--exclude-checks=ignored_auth"] if auth == "off" else ["--header", f"Authorization: Bearer {token}"]
