"""A farm to talk to, in the same process."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fake_farm import FakeFarm

from dreamfarm import Farm


@pytest.fixture
def fake():
    with FakeFarm() as farm:
        yield farm


@pytest.fixture
def farm(fake):
    with Farm(fake.url, timeout_s=10, poll_s=0.01, patience_s=5) as client:
        yield client
