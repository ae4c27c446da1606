"""A farm to talk to, in the same process."""

import pytest
from typer.testing import CliRunner

from dreamfarm import Farm
from dreamfarm.cli import app
from tests.dreamfarm.fake_farm import FakeFarm


@pytest.fixture
def fake():
    with FakeFarm() as farm:
        yield farm


@pytest.fixture
def farm(fake):
    with Farm(fake.url, timeout_s=10, poll_s=0.01, patience_s=5) as client:
        yield client


@pytest.fixture
def run(fake, tmp_path, monkeypatch):
    """Return a function that runs a command in an empty folder, with the farm's address in the environment."""
    monkeypatch.chdir(tmp_path)

    def run_command(*args, url=fake.url, columns=200):
        return CliRunner().invoke(app, [str(arg) for arg in args], env={"DREAMFARM_URL": url, "COLUMNS": str(columns)})

    return run_command
