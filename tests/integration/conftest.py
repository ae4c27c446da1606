"""Real servers for the tests: one pair for the whole run, emptied before each test."""

from __future__ import annotations

import pytest

from api.app import create_app
from dreamfarm.stack import Servers
from farm.services import Services
from farm.settings import Settings
from tests.contract.answers import watching
from tests.web import Site


def settings_from(environment, **changes):
    """Return the settings that a process with this environment would read."""
    fields = {name.removeprefix("DREAMFARM_").lower(): value for name, value in environment.items()}
    return Settings(**{**fields, **changes})


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    with Servers(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture
def settings(servers):
    return settings_from(servers.environment(), auth="off", lease_s=2, event_stream_life_s=5)


@pytest.fixture
def services(settings):
    connected = Services.connect(settings)
    connected.store.redis.flushdb()
    return connected


@pytest.fixture
def site():
    with Site() as running:
        yield running


@pytest.fixture
def client(settings, services):  # noqa: ARG001  # the store is emptied first
    with watching(create_app(settings)) as watched:
        yield watched
