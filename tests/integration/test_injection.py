"""Names that are more than names: paths, patterns, parts of Redis keys, Lua. They reach nothing of somebody else's."""

from __future__ import annotations

import io
from urllib.parse import quote

import pytest
from ulid import ULID

from api.app import create_app
from dreamcore.params import DreamParams
from farm import keys
from farm.account_schema import Scope
from farm.batch_store import BatchInput, BatchSpec
from tests.support import assert_problem, picture

SHORT = {"octaves": 1, "steps": 1}
LUA = '"] redis.call("FLUSHALL") --[['
CYRILLIC = "\N{CYRILLIC SMALL LETTER A}da"
NOISE = ("rate:", "audit", "metrics:http")
"""What each request moves, whatever it asks."""

HOSTILE = {
    "a-part-of-the-key": "{id}:events",
    "the-lease": "{id}:lease",
    "the-inputs": "{id}:inputs",
    "the-counts": "{id}:counts",
    "the-deliveries": "{id}:deliveries",
    "the-whole-key": "job:{id}",
    "up-and-down": "../jobs/{id}",
    "hidden-up-and-down": "..%2f{id}",
    "a-folder": "{id}/attempt-1",
    "nul": "{id}\0",
    "nul-inside": "\0{id}",
    "a-line-more": "{id}\n",
    "a-header-more": "{id}\r\nX-Evil: 1",
    "a-space": " {id}",
    "small-letters": "{lower}",
    "wide-digits": "{wide}",
    "a-pattern": "*",
    "a-range": "[0-9A-Z]*",
    "a-lexical-end": "+",
    "lua": LUA,
    "json": '{{"id": 1}}',
    "a-template": "{{{{7*7}}}}",
    "an-index": "index",
    "nothing": " ",
    "very-long": "A" * 2000,
}
PATHS = {
    "job": [
        ("GET", "/v1/jobs/{}"),
        ("DELETE", "/v1/jobs/{}"),
        ("POST", "/v1/jobs/{}/cancel"),
        ("POST", "/v1/jobs/{}/retry"),
        ("GET", "/v1/jobs/{}/events"),
        ("GET", "/v1/jobs/{}/input"),
        ("GET", "/v1/jobs/{}/octaves/1"),
        ("DELETE", "/v1/keys/{}"),
        ("POST", "/v1/workers/{}/drain"),
        ("POST", "/v1/workers/{}/bring-back"),
        ("GET", "/v1/models/{}"),
    ],
    "batch": [
        ("GET", "/v1/batches/{}"),
        ("POST", "/v1/batches/{}/cancel"),
        ("POST", "/v1/batches/{}/retry-failed"),
        ("GET", "/v1/batches/{}/results.zip"),
    ],
    "sha256": [("GET", "/v1/pictures/{}"), ("GET", "/v1/pictures/{}/content")],
    "upload": [("POST", "/v1/uploads/{}/claim")],
    "webhook": [
        ("GET", "/v1/webhooks/{}"),
        ("DELETE", "/v1/webhooks/{}"),
        ("GET", "/v1/webhooks/{}/deliveries"),
        ("POST", "/v1/webhooks/{webhook}/deliveries/{}/replay"),
    ],
}
"""Calls whose path names something, by what Ada has of the kind."""


class World:
    """What Ada has on a farm that asks for keys, and those who would have it too."""

    def __init__(self, settings, services):
        self.services = services
        self.app = create_app(settings.model_copy(update={"auth": "required", "event_stream_life_s": 1}))
        self.seen = services.pictures.look_at(picture())
        self.sha256 = self.seen.view.sha256
        self.job = services.jobs.create(self.seen, DreamParams(**SHORT), owner="ada", tags=("sky",)).id
        self.batch = services.batches.create(BatchSpec(owner="ada"), [BatchInput(sha256=self.sha256)]).id
        self.webhook = services.webhooks.create("ada", "https://example.org/", ["job.failed"]).id
        self.upload = str(ULID())
        services.pictures.new_upload(self.upload, "ada")

    def client(self, owner, *scopes):
        client = self.app.test_client()
        token = self.services.api_keys.create(owner, [Scope(scope) for scope in scopes])[1]
        client.get("/v1/session", headers={"Authorization": f"Bearer {token}"})  # its first use is noted
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client

    def everything(self):
        """Return all that Redis holds, and the name of each object that S3 does."""
        redis = self.services.store.redis
        found = {key: redis.dump(key) for key in self.raw_keys() if not key.startswith(NOISE)}
        return found, sorted(self.services.storage.names(""))

    def raw_keys(self):
        return sorted(self.services.store.redis.keys("*"))


@pytest.fixture
def world(settings, services):
    services.store.redis.connection_pool.connection_kwargs["encoding_errors"] = "surrogateescape"  # dumps are bytes
    return World(settings, services)


def spelled(pattern, thing):
    wide = thing.translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)})
    return pattern.format(id=thing, lower=thing.lower() + "x", wide=wide)


def addresses(world, pattern):
    """Yield each call with a path that spells Ada's thing so."""
    for kind, calls in PATHS.items():
        name = quote(spelled(pattern, getattr(world, kind)), safe="")
        for method, path in calls:
            yield method, path.replace("{webhook}", world.webhook).replace("{}", name)


def test_a_path_names_a_thing_or_nothing(world):
    """No spelling of Ada's ids reaches what is hers, for Bob or for an admin: all are 4xx, and nothing has changed."""
    callers = [world.client("bob", "read", "submit"), world.client("root", "admin")]
    before = world.everything()

    for spelling, pattern in HOSTILE.items():
        for method, address in addresses(world, pattern):
            for client in callers:
                answer = client.open(address, method=method)
                assert 400 <= answer.status_code < 500, (spelling, method, address, answer.status_code)
                assert answer.content_type == "application/problem+json", (spelling, method, address)
                assert "X-Evil" not in answer.headers
    assert world.everything() == before


def test_a_query_finds_ones_own_things_alone(world):
    """Lists that Bob asks for hold nothing of Ada's, whatever he filters by and wherever he goes on from."""
    bob = world.client("bob", "read")
    lists = [("/v1/jobs", name) for name in ("batch", "tag", "state", "cursor")] + [("/v1/batches", "cursor")]
    for spelling, pattern in {"as-it-is": "{id}", **HOSTILE}.items():
        for path, name in lists:
            for thing in (world.batch, "sky"):
                answer = bob.get(path, query_string={name: spelled(pattern, thing)})
                assert answer.status_code in {200, 400}, (spelling, path, name)
                found = [*answer.json.get("jobs", ()), *answer.json.get("batches", ())]
                assert found == [], (spelling, path, name)


def test_what_a_job_is_called_is_only_that(world):
    """Tags and names that look like keys, patterns or code are kept as they are, and stand in no other's index."""
    bob = world.client("bob", "read", "submit")
    ada = world.client("ada", "read")
    index = keys.by_owner("ada")
    image = {"sha256": bob.post("/v1/pictures", data={"image": (io.BytesIO(picture(seed=3)), "a.png")}).json["sha256"]}
    tags = [f"x:{index}", "owner:ada", f"{world.job}:events", "state:queued", "..", "a.b-c:d"]
    names = [
        LUA,
        "../../jobs/x",
        "{{7*7}}",
        "%s%n",
        '"}',
        "\N{ZERO WIDTH JOINER}",
        f"job:{world.job}",
    ]

    for name in names:
        body = {"image": image, "params": SHORT, "name": name, "tags": tags, "fresh": True}
        made = bob.post("/v1/jobs", json=body)
        assert made.status_code == 202, made.text
        assert bob.get(f"/v1/jobs/{made.json['id']}").json["name"] == name
    for tag in tags:
        assert len(bob.get("/v1/jobs", query_string={"tag": tag}).json["jobs"]) == len(names)
        assert ada.get("/v1/jobs", query_string={"tag": tag}).json["jobs"] == []
    assert world.services.store.redis.zrange(index, 0, -1) == [world.job]
    assert world.services.jobs.get(world.job).state == "queued"


FIELDS = {
    "sha256-path": ({"image": {"sha256": "../" + "0" * 61}}, "/image/sha256"),
    "sha256-line": ({"image": {"sha256": "0" * 64 + "\n"}}, "/image/sha256"),
    "upload-path": ({"image": {"upload": "../jobs/" + "0" * 18}}, "/image/upload"),
    "upload-line": ({"image": {"upload": "A" * 26 + "\n"}}, "/image/upload"),
    "upload-pattern": ({"image": {"upload": "*"}}, "/image/upload"),
    "tag-space": ({"tags": ["a b"]}, "/tags/0"),
    "tag-nul": ({"tags": ["a\0"]}, "/tags/0"),
    "tag-line": ({"tags": ["a\n"]}, "/tags/0"),
    "tag-path": ({"tags": ["a/../b"]}, "/tags/0"),
    "tag-pattern": ({"tags": ["*"]}, "/tags/0"),
    "name-nul": ({"name": "a\0b"}, "/name"),
    "name-terminal": ({"name": "\x1b[31m"}, "/name"),
    "name-header": ({"name": "a\r\nX-Evil: 1"}, "/name"),
    "need-colon": ({"needs": ["gpu:ada"]}, "/needs/0"),
    "need-plus": ({"needs": ["gpu+large"]}, "/needs/0"),
    "need-line": ({"needs": ["gpu\n"]}, "/needs/0"),
    "model-path": ({"params": {"model": "../../etc/passwd"}}, "/params"),
    "model-file": ({"params": {"model": "net.h5"}}, "/params"),
    "another-owner": ({"owner": "ada"}, "/owner"),
    "an-id-of-ones-own": ({"id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, "/id"),
}
"""Fields of a job that hold more than they may, each with where the answer points."""


def test_a_field_that_is_more_than_its_kind_is_refused(world):
    """The answer points at it, and nothing is stored."""
    bob = world.client("bob", "read", "submit")
    before = world.everything()

    for name, (fields, pointer) in FIELDS.items():
        answer = bob.post("/v1/jobs", json={"image": {"sha256": "0" * 64}, "params": SHORT, **fields})
        problem = assert_problem(answer, 400, "invalid_request")
        assert problem["errors"][0]["pointer"] == pointer, name
    assert world.everything() == before


def test_an_owner_is_a_plain_name(world):
    """No key is made for a name that could lead to another owner's things, in Redis or in a folder of the store."""
    root = world.client("root", "admin")
    before = world.everything()

    for owner in (
        *("a:b", "../ada", "ada\n", "ada\0", "*", "Ada", "{owner}", "ada/", "", " ada", "local"),
        CYRILLIC,
        "a" * 65,
    ):
        answer = root.post("/v1/keys", json={"owner": owner, "scopes": ["read"]})
        assert_problem(answer, 400, "invalid_request")
    assert world.everything() == before


def test_a_repeat_is_the_same_callers(world):
    """The same Idempotency-Key of two owners is two, however it is written; one that looks like a key is only text."""
    ada, bob = world.client("ada", "read", "submit"), world.client("bob", "read", "submit")
    for name in ("same", "ada:same", "*", f"{keys.job(world.job)}", LUA):
        first, second = (client.post("/v1/uploads", headers={"Idempotency-Key": name}) for client in (ada, bob))
        again = ada.post("/v1/uploads", headers={"Idempotency-Key": name})

        assert first.json["upload"] != second.json["upload"]
        assert again.json["upload"] == first.json["upload"]
