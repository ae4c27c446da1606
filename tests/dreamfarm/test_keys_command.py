"""`dreamfarm keys` beside an embedded stack that asks for keys."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from dreamfarm import Farm, FarmError
from dreamfarm.cli import app
from dreamfarm.stack import Stack
from tests.support import picture

pytestmark = pytest.mark.slow


def test_a_stack_that_asks_for_keys_is_opened_from_its_folder(tmp_path, monkeypatch):
    """The first key is made beside the data, opens the api, and makes the others over HTTP."""
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    with Stack(tmp_path / ".dreamfarm", workers=0, keys=True) as stack:
        with Farm(stack.api_url) as closed, pytest.raises(FarmError, match="asks for a key"):
            closed.workers()

        made = run(app, ["keys", "create", "--owner", "root", "--scope", "admin", "--json"])
        root = json.loads(made.stdout)["key"]
        over_http = run(app, ["--key", root, "keys", "create", "--owner", "ada", "--json"])
        key = json.loads(over_http.stdout)

        with Farm(stack.api_url, key=key["key"]) as farm:
            assert farm.submit(picture()).owner == "ada"
            assert farm.upload(picture(seed=1)).width == 96
            log = json.loads(run(app, ["--key", root, "audit", "--owner", "ada", "--json"]).stdout)
            assert [one["action"] for one in log] == ["claim_upload", "create_upload", "create_job"]
            assert run(app, ["--key", root, "keys", "revoke", key["id"]]).exit_code == 0
            with pytest.raises(FarmError, match="revoked"):
                farm.workers()
