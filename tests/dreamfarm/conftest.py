"""A farm to talk to, in the same process."""

import pytest

from dreamfarm import Farm
from tests.dreamfarm.fake_farm import FakeFarm


@pytest.fixture
def fake():
    with FakeFarm() as farm:
        yield farm


@pytest.fixture
def farm(fake):
    with Farm(fake.url, timeout_s=10, poll_s=0.01, patience_s=5) as client:
        yield client
