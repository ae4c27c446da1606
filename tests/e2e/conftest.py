"""A whole farm for the tests: real servers, api and workers, each a process of its own."""

from __future__ import annotations

import pytest

from dreamfarm.client import Farm
from dreamfarm.stack import Stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with Stack(tmp_path_factory.mktemp("farm"), workers=1) as running:
        running.wait_for_workers()
        yield running


@pytest.fixture
def farm(stack):
    return Farm(stack.api_url)
