"""A call with an Idempotency-Key makes its thing once, however often it is sent and whatever dies meanwhile."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.app import create_app
from farm import keys
from farm.account_schema import Scope
from farm.errors import ConflictError, InvalidKeyReuseError
from tests.support import assert_problem, picture

KEY = {"Idempotency-Key": "once"}


def post_job(client, data=None, *, headers=KEY, boundary="one", **fields):
    """Hand in a picture, the parts of the form divided as `boundary` says."""
    parts = {"image": (io.BytesIO(data or picture()), "photo.png"), "params": json.dumps({"octaves": 1}), **fields}
    content = f"multipart/form-data; boundary={boundary}"
    return client.post("/v1/jobs", data=parts, content_type=content, headers=headers)


def jobs(client):
    return client.get("/v1/jobs").json["jobs"]


@pytest.fixture
def store(services):
    return services.idempotency


def test_a_repeated_call_gets_the_first_answer(client):
    """Status, place and content are the same, byte by byte, and there is one job; a client divides its form anew."""
    first, second = post_job(client), post_job(client, boundary="two")

    assert first.status_code == second.status_code == 202
    assert (second.data, second.headers["Location"]) == (first.data, first.headers["Location"])
    assert (first.headers.get("Idempotency-Replayed"), second.headers["Idempotency-Replayed"]) == (None, "true")
    assert len(jobs(client)) == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"data": picture(seed=1)}, id="picture"),
        pytest.param({"name": "another"}, id="field"),
        pytest.param({"params": '{"octaves": 2}'}, id="params"),
    ],
)
def test_another_call_by_the_same_key_is_refused(client, other):
    """422 says so, and nothing is made."""
    post_job(client)

    assert_problem(post_job(client, **other), 422, "idempotency_key_reused")
    assert len(jobs(client)) == 1


def test_the_same_body_elsewhere_is_another_call(client):
    """The key stands for the address, too."""
    sha256 = post_job(client, headers={}).json["input"]["sha256"]
    client.post("/v1/batches", json={"inputs": [{"sha256": sha256}]}, headers=KEY)

    answer = client.post("/v1/keys", json={"inputs": [{"sha256": sha256}]}, headers=KEY)

    assert_problem(answer, 422, "idempotency_key_reused")


def test_batches_and_uploads_are_made_once(client, services):
    """Whatever makes something takes the header."""
    sha256 = post_job(client, headers={}).json["input"]["sha256"]
    batch = {"inputs": [{"sha256": sha256}], "params": {"octaves": 1}}
    upload = client.post("/v1/uploads").json["upload"]
    services.storage.put(keys.upload(upload), picture(), content_type="image/png")

    for path, body in (("/v1/batches", batch), ("/v1/uploads", None), (f"/v1/uploads/{upload}/claim", None)):
        first, second = (client.post(path, json=body, headers={"Idempotency-Key": path}) for _ in range(2))
        assert second.data == first.data, path
    assert len(client.get("/v1/batches").json["batches"]) == 1


def test_a_keys_text_is_shown_once_all_the_same(client, services):
    """A repeat makes no second key, and tells all of the first but its text, which the store doesn't hold."""
    body = {"owner": "ada", "scopes": ["read"]}

    first, second = (client.post("/v1/keys", json=body, headers=KEY) for _ in range(2))

    assert second.json == first.json | {"key": None}
    assert len(services.api_keys.list()) == 1


def test_owners_have_keys_of_their_own(settings, services):
    """Two people may choose the same name for different calls."""
    client = create_app(settings.model_copy(update={"auth": "required"})).test_client()
    made = set()
    for owner in ("ada", "bob"):
        token = services.api_keys.create(owner, [Scope.SUBMIT])[1]
        answer = post_job(client, headers=KEY | {"Authorization": f"Bearer {token}"})
        made.add((answer.status_code, answer.json["id"]))

    assert len(made) == 2
    assert {status for status, _ in made} == {202}


def test_calls_at_once_make_one_job(settings, services):  # noqa: ARG001  # the store is emptied first
    """One is taken; the others are told that it is on its way, or get its answer."""
    app = create_app(settings)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post_job(app.test_client()), range(16)))

    taken = [answer for answer in answers if answer.status_code == 202]
    assert len({answer.json["id"] for answer in taken}) == 1
    for answer in answers:
        if answer not in taken:
            assert_problem(answer, 409, "in_flight")
    assert len(jobs(app.test_client())) == 1


def test_a_refused_call_leaves_the_key_free(client):
    """What was wrong can be mended and sent with the same key."""
    assert_problem(post_job(client, b"no picture"), 400, "bad_picture")

    assert post_job(client).status_code == 202


def test_a_call_that_died_is_taken_up_with_its_id(store, services):
    """The next try has the same id, so that what the first one made is found and not made again."""
    first = store.claim("ada", "once", "print")
    with pytest.raises(ConflictError):
        store.claim("ada", "once", "print")
    services.store.redis.hset(first.key, "until_ms", 0)

    second = store.claim("ada", "once", "print")
    store.end(first, "keep", answer="too late")

    assert (second.id, second.answer) == (first.id, None)
    with pytest.raises(ConflictError):
        store.claim("ada", "once", "print")
    store.end(second, "keep", answer="made")
    assert store.claim("ada", "once", "print").answer == "made"


def test_the_same_id_makes_one_job_and_one_batch(client, services):
    """What a try made before it died stays as it is."""
    first = post_job(client)
    key = services.store.redis.keys("idempotency:*")[0]
    services.store.redis.hdel(key, "answer")
    services.store.redis.hset(key, "until_ms", 0)

    assert post_job(client).json["id"] == first.json["id"]
    assert len(jobs(client)) == 1


def test_a_key_is_kept_for_a_day(store, services):
    """And not for ever."""
    one = store.claim("ada", "once", "print")
    store.end(one, "keep", answer="made")

    assert 23 * 3600 < services.store.redis.ttl(one.key) <= 24 * 3600
    with pytest.raises(InvalidKeyReuseError):
        store.claim("ada", "once", "other print")


@pytest.mark.parametrize("name", ["", "a" * 256, "tab\tin it"])
def test_a_key_that_is_none_is_refused(client, name):
    """It says what it takes."""
    problem = assert_problem(post_job(client, headers={"Idempotency-Key": name}), 400, "invalid_request")

    assert "255" in problem["detail"]


def test_a_try_that_the_client_sends_again_unanswered_is_itself(store):
    """Redis' answer was lost and the same call comes once more: it is the try that is on its way, not another one."""
    call = {"keys": [keys.idempotency("ada", "once")], "args": ["print", "id-1", "token", 10_000, 60_000]}

    assert store._claim(**call) == store._claim(**call) == ["new", "id-1"]
    assert store._claim(keys=call["keys"], args=["print", "id-2", "other", 10_000, 60_000]) == ["running"]
