"""Keys are made once, known by their hash alone, and taken back at once."""

from __future__ import annotations

import ast
import contextlib
import functools
import inspect
import json
import textwrap
from itertools import takewhile

import pytest
from typer.testing import CliRunner
from ulid import ULID

from api.app import create_app
from dreamfarm.cli import app
from farm import keys
from farm.account_schema import Scope
from farm.api_keys import ApiKeys, Caller
from farm.errors import NotFoundError, UnknownKeyError
from tests.support import assert_problem


@pytest.fixture
def api_keys(services):
    return services.api_keys


def stored(services):
    """Return all that the store holds, as text."""
    redis = services.store.redis
    return repr([(key, redis.hgetall(key)) for key in redis.keys("*") if redis.type(key) == "hash"])


def test_a_key_is_known_again(api_keys):
    """It tells whose it is and what it is good for."""
    view, token = api_keys.create("ada", [Scope.READ, Scope.READ], name="laptop")

    assert api_keys.authenticate(token) == Caller("ada", frozenset({Scope.READ}), view.id)
    assert token.startswith(f"df_{view.id}_")


def test_the_secret_is_not_stored(api_keys, services):
    """Who reads the store can't make the key of it."""
    _, token = api_keys.create("ada", [Scope.READ])

    assert token[30:] not in stored(services)


def test_two_keys_share_no_secret(api_keys):
    """Every secret is its own, 256 bits long."""
    secrets = {api_keys.create("ada", [Scope.READ])[1][30:] for _ in range(20)}

    assert len(secrets) == 20
    assert {len(secret) for secret in secrets} == {43}


def asked(services, call):
    """Return what a call asks Redis, in order, but for the greetings of a new connection."""
    last, greetings = "the last of it", ("PING", "HELLO", "CLIENT", "SELECT")
    with services.store.redis.monitor() as monitor:
        call()
        services.store.redis.echo(last)
        commands = (one["command"] for one in monitor.listen())
        said = list(takewhile(lambda command: last not in command, commands))
    return [command for command in said if not command.startswith(greetings)]


def show(api_keys, token):
    with contextlib.suppress(UnknownKeyError):
        api_keys.authenticate(token)


def test_a_wrong_secret_takes_the_way_of_a_right_one(api_keys, services):
    """Right, wrong and unknown keys ask Redis for one hash each, by the key's id, and for nothing else."""
    view, right = api_keys.create("ada", [Scope.READ])
    api_keys.authenticate(right)  # its use is noted now, and not again for a minute
    nobody = str(ULID())
    tries = {right: view.id, right[:30] + "A" * 43: view.id, f"df_{nobody}_{'A' * 43}": nobody}

    for token, key_id in tries.items():
        assert asked(services, functools.partial(show, api_keys, token)) == [f"HGETALL {keys.api_key(key_id)}"]


def test_secrets_are_compared_in_constant_time():
    """The one comparison is of hashes and by `compare_digest`, also where there is no such key: time tells nothing."""
    body = ast.parse(textwrap.dedent(inspect.getsource(ApiKeys.authenticate)))

    called = [ast.unparse(node.func) for node in ast.walk(body) if isinstance(node, ast.Call)]
    compared = [ast.unparse(node) for node in ast.walk(body) if isinstance(node, ast.Compare)]
    assert "hmac.compare_digest" in called
    assert compared == []


def test_a_revoked_key_opens_nothing(api_keys):
    """At once, for good, and it can be said twice."""
    view, token = api_keys.create("ada", [Scope.READ])
    api_keys.revoke(view.id)
    [first] = api_keys.list()
    api_keys.revoke(view.id)

    with pytest.raises(UnknownKeyError):
        api_keys.authenticate(token)
    assert api_keys.list() == [first]
    assert first.revoked_at is not None


def test_an_unknown_key_can_not_be_revoked(api_keys):
    """It is named, and nothing else of the store is reached by its id."""
    for key_id in (str(ULID()), "", "../x", "s"):
        with pytest.raises(NotFoundError, match="GET /v1/keys"):
            api_keys.revoke(key_id)


def test_use_is_noted_once_a_minute(api_keys, services):
    """A busy key doesn't write to the store with every request."""
    view, token = api_keys.create("ada", [Scope.READ])
    field = (keys.api_key(view.id), "last_used_ms")
    api_keys.authenticate(token)
    first = int(services.store.redis.hget(*field))

    api_keys.authenticate(token)
    assert int(services.store.redis.hget(*field)) == first
    services.store.redis.hset(*field, first - 60_000)
    api_keys.authenticate(token)
    assert int(services.store.redis.hget(*field)) >= first


def test_keys_over_http(settings, services):
    """An admin makes one, sees it in the list without its text, and takes it back."""
    client = create_app(settings.model_copy(update={"auth": "required"})).test_client()
    root = {"Authorization": f"Bearer {services.api_keys.create('root', [Scope.ADMIN])[1]}"}

    answer = client.post("/v1/keys", json={"owner": "ada", "scopes": ["read"], "name": "laptop"}, headers=root)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    adas = {"Authorization": f"Bearer {answer.json['key']}"}
    assert client.get("/v1/jobs", headers=adas).status_code == 200
    listed = client.get("/v1/keys", headers=root)
    assert [key["owner"] for key in listed.json["keys"]] == ["root", "ada"]
    assert answer.json["key"] not in listed.text
    assert client.delete(f"/v1/keys/{answer.json['id']}", headers=root).status_code == 204
    assert client.get("/v1/jobs", headers=adas).status_code == 401


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        pytest.param({"owner": "local", "scopes": ["read"]}, "/owner", id="local"),
        pytest.param({"owner": "A b", "scopes": ["read"]}, "/owner", id="no-name"),
        pytest.param({"owner": "ada", "scopes": []}, "/scopes", id="no-scope"),
        pytest.param({"owner": "ada", "scopes": ["write"]}, "/scopes/0", id="unknown-scope"),
    ],
)
def test_a_wrong_key_is_not_made(client, body, pointer):
    """The answer points at the field."""
    problem = assert_problem(client.post("/v1/keys", json=body), 400, "invalid_request")

    assert problem["errors"][0]["pointer"] == pointer


def test_the_first_key_is_made_on_the_farms_machine(servers, services, settings, tmp_path, monkeypatch):
    """With the farm's settings and no key; what is printed opens the farm, and the list shows it without its text."""
    for name, value in servers.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke

    made = run(app, ["keys", "create", "--owner", "ada", "--scope", "admin", "--json"])
    assert made.exit_code == 0, made.output
    key = json.loads(made.stdout)
    client = create_app(settings.model_copy(update={"auth": "required"})).test_client()
    assert client.get("/v1/keys", headers={"Authorization": f"Bearer {key['key']}"}).status_code == 200
    listed = run(app, ["keys", "list", "--json"])
    assert [one["id"] for one in json.loads(listed.stdout)] == [key["id"]]
    assert key["key"] not in listed.output
    assert [entry.action for entry in services.audit.page(limit=9)[0]] == ["create_key"]
    assert run(app, ["keys", "revoke", key["id"]]).exit_code == 0
    with pytest.raises(UnknownKeyError):
        services.api_keys.authenticate(key["key"])
    assert run(app, ["keys", "create", "--owner", "local"]).exit_code != 0
