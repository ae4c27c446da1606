"""An api whose servers are away: what it answers then, and what it refuses before it asks them."""

from __future__ import annotations

import pytest

from api.app import create_app
from farm.settings import Settings
from tests.contract.answers import watching

NOWHERE = "127.0.0.1:9"


@pytest.fixture(scope="session")
def app():
    settings = Settings(
        redis_url=f"redis://{NOWHERE}/0",
        s3_endpoint_url=f"http://{NOWHERE}",
        s3_bucket="dreams",
        s3_access_key_id="someone",
        s3_secret_access_key="hush-hush",
        auth="off",
        max_megapixels=0.05,
        max_upload_mb=0.2,
    )
    return create_app(settings)


@pytest.fixture
def client(app):
    with watching(app) as watched:
        yield watched
