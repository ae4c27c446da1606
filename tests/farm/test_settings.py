"""Settings are read once, from the environment, and wrong ones are refused by name."""

from __future__ import annotations

import pytest

from farm.settings import Settings, SettingsError, load_settings

GOOD = {"DREAMFARM_REDIS_URL": "redis://127.0.0.1:6379/0", "DREAMFARM_S3_BUCKET": "dreams"}


@pytest.fixture
def environment(monkeypatch):
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_settings_come_from_the_environment(environment):
    """A variable sets its field, in the field's own unit."""
    environment.setenv("DREAMFARM_MAX_MEGAPIXELS", "2.5")

    assert load_settings().max_pixels == 2_500_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("DREAMFARM_REDIS_URL", "http://nowhere", id="not-a-redis-url"),
        pytest.param("DREAMFARM_MAX_ATTEMPTS", "0", id="too-few-attempts"),
        pytest.param("DREAMFARM_MAX_ATTEMPTS", "21", id="too-many-attempts"),
        pytest.param("DREAMFARM_LEASE_S", "soon", id="not-a-number"),
        pytest.param("DREAMFARM_LOG_FORMAT", "xml", id="unknown-format"),
    ],
)
def test_a_wrong_value_is_refused_by_the_variables_name(environment, name, value):
    """The message names the variable, so that an operator knows what to mend."""
    environment.setenv(name, value)

    with pytest.raises(SettingsError, match=name):
        load_settings()


def test_what_is_kept_lies_in_the_users_cache_folder_unless_named(environment):
    """Where DREAMFARM_CACHE_DIR is not set, XDG_CACHE_HOME says where, as for other programs."""
    environment.setenv("XDG_CACHE_HOME", "/kept")
    environment.delenv("DREAMFARM_CACHE_DIR", raising=False)
    default = load_settings().cache_dir
    environment.setenv("DREAMFARM_CACHE_DIR", "/elsewhere")

    assert str(default) == "/kept/dreamfarm"
    assert str(load_settings().cache_dir) == "/elsewhere"


def test_a_missing_value_is_refused_by_the_variables_name(environment):
    """A farm without a bucket doesn't start."""
    environment.delenv("DREAMFARM_S3_BUCKET")

    with pytest.raises(SettingsError, match="DREAMFARM_S3_BUCKET"):
        load_settings()


def test_the_secret_is_not_shown():
    """Printing the settings doesn't print the key."""
    settings = Settings(redis_url=GOOD["DREAMFARM_REDIS_URL"], s3_bucket="dreams", s3_secret_access_key="hush-hush")

    assert "hush-hush" not in repr(settings)
