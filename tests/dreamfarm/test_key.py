"""The client shows its key to the farm, and to nobody else."""

from __future__ import annotations

import pytest
from flask import redirect
from typer.testing import CliRunner

from dreamfarm import Farm, FarmError
from dreamfarm.cli import app
from tests.dreamfarm.fake_farm import FakeFarm, problem

KEY = "df_01ARZ3NDEKTSV4RRFFQ69G5FAV_" + "s3cret" * 7 + "A"


@pytest.fixture
def store():
    """Another server, as the object store is one."""
    with FakeFarm() as other:
        other.add("01JOB", "succeeded")
        yield other


def test_every_call_shows_the_key(fake):
    """As a bearer token, with streams as with plain calls."""
    fake.add("01JOB")
    with Farm(fake.url, key=KEY, poll_s=0.01) as farm:
        farm.get("01JOB")
        farm.cancel("01JOB")
        list(farm.events("01JOB"))

    assert {headers.get("Authorization") for _, _, headers in fake.requests} == {f"Bearer {KEY}"}


def test_the_store_is_shown_no_key(fake, store, tmp_path):
    """A presigned link leads elsewhere; the key stays behind."""
    fake.add("01JOB", "succeeded")
    fake.answers["GET", "/v1/jobs/01JOB/result"].append(redirect(f"{store.url}/store/01JOB"))

    with Farm(fake.url, key=KEY) as farm:
        farm.download_result("01JOB", tmp_path / "dream.png")

    [seen] = store.asked("GET", "/store/01JOB")
    assert "Authorization" not in seen


def test_the_key_is_in_no_error_and_no_repr(fake):
    """What a program prints or logs when it is refused does not give the key away."""
    fake.answers["GET", "/v1/workers"].append(problem(401, "unauthorized", "This key is wrong, or it was revoked."))
    with Farm(fake.url, key=KEY) as farm:
        with pytest.raises(FarmError) as caught:
            farm.workers()
        shown = repr(
            [farm, vars(farm), vars(farm._calls), vars(farm._calls._transport), caught.value, vars(caught.value)]
        )

    assert "s3cret" not in shown


@pytest.mark.parametrize("key", ["two words", "quoted\n", "schlüssel"])
def test_a_key_that_no_header_can_carry_is_refused(fake, key):
    """At once, and without repeating it."""
    with pytest.raises(FarmError) as caught:
        Farm(fake.url, key=key)

    assert (caught.value.code, key in str(caught.value)) == ("bad_key", False)


def test_the_command_line_takes_the_key_from_option_and_environment(fake):
    """Both open the farm, and neither help nor an error shows it."""
    run = CliRunner(env={"DREAMFARM_KEY": KEY, "DREAMFARM_URL": fake.url}).invoke
    run(app, ["workers"])
    run(app, ["--key", "df_other", "workers"])

    assert [one.get("Authorization") for one in fake.asked("GET", "/v1/workers")] == [
        f"Bearer {KEY}",
        "Bearer df_other",
    ]
    refused = problem(401, "unauthorized", "This key is wrong, or it was revoked.")
    fake.answers["GET", "/v1/workers"].append(refused)
    outputs = run(app, ["workers"]).output + run(app, ["--help"]).output + run(app, ["--debug", "workers"]).output
    assert "s3cret" not in outputs
    assert "DREAMFARM_KEY" in outputs


def test_without_a_key_none_is_shown(fake):
    """A farm on this machine asks for none."""
    with Farm(fake.url) as farm:
        farm.workers()

    [seen] = fake.asked("GET", "/v1/workers")
    assert "Authorization" not in seen
