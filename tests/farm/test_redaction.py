"""No secret reaches a log, whatever line it stands in."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from farm.logs import TALKATIVE, configure_logs
from farm.redaction import redactor
from farm.settings import Settings, SettingsError, load_settings

PASSWORD = "open/sesame+0123"
SECRET = 's3"secret/key+9876'
KEY = "df_01ARZ3NDEKTSV4RRFFQ69G5FAV_" + "Ab-_" * 10 + "xyz"


@pytest.fixture
def settings():
    return Settings(
        redis_url="redis://:open%2Fsesame%2B0123@127.0.0.1:9/0",
        s3_bucket="dreams",
        s3_access_key_id="AKIDEXAMPLE",
        s3_secret_access_key=SECRET,
        log_level="debug",
    )


@pytest.fixture
def logs_as_before():
    """Bring levels and handlers back that a test has changed."""
    root, levels = logging.getLogger(), {name: logging.getLogger(name).level for name in ("", *TALKATIVE)}
    handlers = [*root.handlers]
    yield
    root.handlers = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        pytest.param(f"the password is {PASSWORD}.", "the password is ….", id="password"),
        pytest.param("redis://:open%2Fsesame%2B0123@h:1/0", "redis://…@h:1/0", id="password-in-its-url"),
        pytest.param(f"signed with {SECRET}", "signed with …", id="s3-secret"),
        pytest.param(json.dumps({"secret": SECRET}), '{"secret": "…"}', id="s3-secret-in-json"),
        pytest.param(f"GET with {KEY} failed", "GET with df_01ARZ3NDEKTSV4RRFFQ69G5FAV_… failed", id="key"),
        pytest.param("Authorization: Bearer abc.def-123", "Authorization: Bearer …", id="bearer"),
        pytest.param(
            '{"Cookie": "dreamfarm_session=abc-_1; x=2"}', '{"Cookie": "dreamfarm_session=…; x=2"}', id="cookie"
        ),
        pytest.param("key=whsec_AbC+/9==", "key=whsec_…", id="webhook-secret"),
        pytest.param("?a=1&X-Amz-Signature=0123456789abcdef0123&b", "?a=1&X-Amz-Signature=…&b", id="signature"),
        pytest.param("https://ada:pass@example.org/x", "https://…@example.org/x", id="somebodys-password"),
        pytest.param("rediss://:**@localhost:1/0?x=ada@b", "rediss://…@localhost:1/0?x=ada@b", id="masked-already"),
    ],
)
def test_secrets_are_cut_out(settings, text, cut):
    """Each kind goes, and what stands around it stays."""
    assert redactor(settings)(text) == cut


@pytest.mark.parametrize(
    "text",
    [
        "job 01ARZ3NDEKTSV4RRFFQ69G5FAV of ada@home was accepted",
        "http://127.0.0.1:9333/dreams/jobs/x?X-Amz-Expires=60",
        "The bearer of this has no name",
        "df_short_key",
        '{"sha256": "' + "0f" * 32 + '"}',
    ],
)
def test_other_words_stay(settings, text):
    """Ids, addresses, hashes and names are what logs are read for."""
    assert redactor(settings)(text) == text


def test_a_password_of_three_letters_spares_the_words_that_hold_it():
    """What is too short to be a secret isn't cut out of everything else."""
    weak = Settings(redis_url="redis://:job@127.0.0.1:9/0", s3_bucket="dreams")

    assert redactor(weak)("the job is done") == "the job is done"


@pytest.mark.usefixtures("logs_as_before")
def test_a_log_line_holds_none_however_it_got_there(settings, capsys):
    """In a field, in a message's arguments, in an exception's text, from a library's logger."""
    configure_logs(settings)
    structlog.get_logger().info("called", url=f"http://x/?X-Amz-Signature={'a1' * 32}", password=PASSWORD)
    logging.getLogger("library").warning("connecting to %s", "redis://:open%2Fsesame%2B0123@h/0")
    error = RuntimeError(f"{KEY} and {SECRET}")
    structlog.get_logger().error("failed", exc_info=error)

    text = capsys.readouterr().err
    assert len(text.splitlines()) == 3
    assert not [secret for secret in (PASSWORD, "sesame", KEY[30:], "a1a1", "s3\\", "secret/key") if secret in text]
    assert "RuntimeError" in text


@pytest.mark.usefixtures("logs_as_before")
def test_libraries_that_tell_whole_requests_tell_less(settings, capsys):
    """At the level debug, too: the signing of a request is no line of a log."""
    configure_logs(settings)
    logging.getLogger("botocore.auth").debug("StringToSign: AWS4-HMAC-SHA256")
    logging.getLogger("farm").debug("our own")

    text = capsys.readouterr().err
    assert "StringToSign" not in text
    assert "our own" in text


def test_settings_show_no_secret(settings):
    """As text, which tracebacks and assertions hold."""
    assert "sesame" not in repr(settings)
    assert "secret/key" not in repr(settings)


def test_a_wrong_setting_is_told_without_its_value(monkeypatch):
    """An address that is none may be a password in the wrong place."""
    monkeypatch.setenv("DREAMFARM_REDIS_URL", "opensesame")
    monkeypatch.setenv("DREAMFARM_S3_BUCKET", "dreams")

    with pytest.raises(SettingsError, match="DREAMFARM_REDIS_URL") as caught:
        load_settings()
    assert "opensesame" not in str(caught.value)
