"""Signing in from a browser: the cookie, what it opens, and what other sites' pages can't do with it."""

from __future__ import annotations

import pytest

from api.app import create_app
from farm import keys
from farm.account_schema import Scope
from farm.sessions import LIFE_S
from tests.support import assert_problem, picture, submit, until

OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def token(services):
    return services.api_keys.create("ada", [Scope.READ, Scope.SUBMIT])[1]


@pytest.fixture
def locked(settings, services):  # noqa: ARG001  # the store is emptied first
    return create_app(settings.model_copy(update={"auth": "required"})).test_client()


@pytest.fixture
def signed_in(locked, token):
    assert locked.post("/v1/session", json={"key": token}, headers=OWN).status_code == 200
    return locked


def test_signing_in_opens_what_the_key_opens(locked, token):
    """Before it nothing is answered; after it the caller is known, until they sign out."""
    assert_problem(locked.get("/v1/session"), 401, "unauthorized")

    told = locked.post("/v1/session", json={"key": f" {token}\n"}, headers=OWN).json

    assert (told["owner"], told["scopes"]) == ("ada", ["read", "submit"])
    assert locked.get("/v1/session").json == told
    assert locked.get("/v1/jobs").status_code == 200
    assert locked.delete("/v1/session", headers=OWN).status_code == 204
    assert_problem(locked.get("/v1/jobs"), 401, "unauthorized")


def test_the_cookie_is_out_of_reach(locked, token):
    """No script reads it, no other site sends it, it ends with the browser, and TLS keeps it to itself."""
    for origin, secure in (("http://localhost", False), ("https://localhost", True)):
        answer = locked.post("/v1/session", json={"key": token}, headers=OWN | {"Origin": origin})
        attributes = answer.headers["Set-Cookie"].split("; ")[1:]
        assert {"HttpOnly", "SameSite=Strict"} <= set(attributes)
        assert ("Secure" in attributes) == secure
        assert not [one for one in attributes if one.startswith(("Expires", "Max-Age"))]
        assert answer.headers["Cache-Control"] == "no-store"


def cookie(client):
    return client.get_cookie("dreamfarm_session").value


def session_key(services):
    [found] = services.store.redis.keys(keys.session("*"))
    return found


def test_the_cookie_is_not_the_key(signed_in, services, token):
    """What a browser keeps opens nothing as a key, the key nothing as a cookie, and the store can tell neither."""
    kept = cookie(signed_in)

    assert kept not in token
    assert token[30:] not in kept
    assert kept not in session_key(services)
    signed_in.set_cookie("dreamfarm_session", token)
    assert_problem(signed_in.get("/v1/jobs"), 401, "unauthorized")
    signed_in.delete_cookie("dreamfarm_session")
    assert_problem(signed_in.get("/v1/jobs", headers={"Authorization": f"Bearer {kept}"}), 401, "unauthorized")


def test_signing_out_ends_copies_of_the_cookie_too(signed_in):
    """Who copied it has nothing from then on."""
    copy = cookie(signed_in)
    assert signed_in.delete("/v1/session", headers=OWN).status_code == 204

    signed_in.set_cookie("dreamfarm_session", copy)
    assert_problem(signed_in.get("/v1/jobs"), 401, "unauthorized")


def test_a_session_that_was_planted_is_not_taken_over(locked, services, token):
    """Whoever put a cookie into somebody's browser before doesn't know the session that signing in begins."""
    planted = services.sessions.begin(services.api_keys.create("eve", [Scope.READ])[1])[1]
    for value in (planted, "a" * 43):
        locked.set_cookie("dreamfarm_session", value)
        assert locked.post("/v1/session", json={"key": token}, headers=OWN).status_code == 200

        assert cookie(locked) != value
        assert locked.get("/v1/session").json["owner"] == "ada"
        locked.set_cookie("dreamfarm_session", value)
        assert_problem(locked.get("/v1/session"), 401, "unauthorized")


def test_a_session_ends_when_nobody_uses_it(signed_in, services):
    """Every call gives it its full life again; Redis ends it after that."""
    redis, key = services.store.redis, session_key(services)
    redis.expire(key, 60)

    assert signed_in.get("/v1/jobs").status_code == 200
    assert LIFE_S - 5 <= redis.ttl(key) <= LIFE_S
    redis.pexpire(key, 1)
    until(lambda: not redis.exists(key))
    assert_problem(signed_in.get("/v1/jobs"), 401, "unauthorized")


@pytest.mark.parametrize("value", ["", "*", "../x", "a" * 43, "a" * 4000, "apikey:x", "a\\x00b"])
def test_a_cookie_of_nobodys_opens_nothing(locked, value):
    """Whatever it holds, it is an unknown session and no error."""
    locked.set_cookie("dreamfarm_session", value)

    assert_problem(locked.get("/v1/jobs"), 401, "unauthorized")


def test_a_wrong_key_sets_nothing(locked):
    """It is answered as everywhere, and what isn't a key at all as a wrong field."""
    answer = locked.post("/v1/session", json={"key": "df_nonsense"}, headers=OWN)

    assert_problem(answer, 401, "unauthorized")
    assert "Set-Cookie" not in answer.headers
    assert "df_nonsense" not in answer.text
    assert_problem(locked.post("/v1/session", json={"key": ""}, headers=OWN), 400, "invalid_request")


def test_a_revoked_key_ends_its_sessions(signed_in, services):
    """From the next call on."""
    services.api_keys.revoke(services.api_keys.list()[0].id)

    assert_problem(signed_in.get("/v1/jobs"), 401, "unauthorized")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param({"Sec-Fetch-Site": "same-origin"}, 202, id="the-studio"),
        pytest.param({"Origin": "http://localhost"}, 202, id="the-studio-in-an-older-browser"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, 403, id="another-site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, 403, id="another-port"),
        pytest.param({"Origin": "http://evil.example"}, 403, id="another-site-in-an-older-browser"),
        pytest.param({"Origin": "null"}, 403, id="a-sandboxed-page"),
        pytest.param({}, 403, id="nobody-says"),
    ],
)
def test_only_the_studio_changes_things_by_the_cookie(signed_in, sent, status):
    """A page of another site that makes the browser send a form changes nothing, though the cookie came along."""
    for name, value in sent.items():
        signed_in.environ_base[f"HTTP_{name.upper().replace('-', '_')}"] = value

    assert submit(signed_in, picture()).status_code == status
    assert len(signed_in.get("/v1/jobs").json["jobs"]) == (status == 202)


def test_a_key_in_the_header_needs_no_page(signed_in, services):
    """Programs send no such headers; their key counts, not the cookie's."""
    bobs = services.api_keys.create("bob", [Scope.SUBMIT])[1]
    signed_in.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {bobs}"

    assert submit(signed_in, picture()).json["owner"] == "bob"


@pytest.mark.parametrize("sent", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}])
def test_other_sites_change_nothing_on_a_farm_without_keys(client, sent):
    """A page that somebody visits can't send jobs to the farm on their machine; programs can."""
    for name, value in sent.items():
        client.environ_base[f"HTTP_{name.upper().replace('-', '_')}"] = value
    assert_problem(submit(client, picture()), 403, "forbidden")
    for name in sent:
        del client.environ_base[f"HTTP_{name.upper().replace('-', '_')}"]

    assert submit(client, picture()).status_code == 202


def test_nobody_is_signed_in_or_out_by_another_site(locked, token):
    """Signing somebody in as somebody else would make them hand their pictures to that one."""
    foreign = {"Sec-Fetch-Site": "cross-site"}

    assert_problem(locked.post("/v1/session", json={"key": token}, headers=foreign), 403, "forbidden")
    assert_problem(locked.delete("/v1/session", headers=foreign), 403, "forbidden")


def test_without_keys_everybody_is_local(client):
    """There is nothing to sign in to."""
    told = client.get("/v1/session").json

    assert (told["owner"], told["key_id"]) == ("local", None)
