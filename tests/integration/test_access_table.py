"""The table of who gets what: each route of the api with every kind of key, down to the problem's code."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import pytest
from ulid import ULID

from api.app import create_app
from dreamcore.params import DreamParams
from farm.account_schema import Scope
from farm.batch_store import BatchInput, BatchSpec
from tests.support import picture

OWN = {"Sec-Fetch-Site": "same-origin"}
SHORT = {"octaves": 1, "steps": 1}
SCOPES = {"read": "submit", "submit": "read", "admin": "read"}
"""For each scope, one that doesn't open what it opens."""


class Row(NamedTuple):
    """A route: the scope that opens it, whether its path names a thing of somebody's, and its answer to the owner."""

    scope: str
    answer: object = 200
    owned: bool = False
    body: str = ""


READS, OWN_READ = Row("read"), Row("read", owned=True)
NOT_YET = (409, "no_result")
NO_SUCH = (404, "not_found")

ROWS = {
    ("GET", "/metrics"): Row("admin"),
    ("GET", "/v1/audit"): Row("admin"),
    ("GET", "/v1/keys"): Row("admin"),
    ("POST", "/v1/keys"): Row("admin", 201, body="key"),
    ("DELETE", "/v1/keys/<key_id>"): Row("admin", 204),
    ("POST", "/v1/workers/<worker_id>/drain"): Row("admin", 202),
    ("POST", "/v1/workers/<worker_id>/bring-back"): Row("admin", 202),
    ("GET", "/v1/history"): READS,
    ("GET", "/v1/models"): READS,
    ("GET", "/v1/models/<name>"): READS,
    ("GET", "/v1/session"): READS,
    ("GET", "/v1/workers"): READS,
    ("GET", "/v1/jobs"): READS,
    ("POST", "/v1/jobs"): Row("submit", 202, body="job"),
    ("GET", "/v1/jobs/<job_id>"): OWN_READ,
    ("DELETE", "/v1/jobs/<job_id>"): Row("submit", 204, owned=True),
    ("POST", "/v1/jobs/<job_id>/cancel"): Row("submit", 202, owned=True),
    ("POST", "/v1/jobs/<job_id>/retry"): Row("submit", 202, owned=True),
    ("GET", "/v1/jobs/<job_id>/events"): OWN_READ,
    ("GET", "/v1/jobs/<job_id>/losses"): OWN_READ,
    ("GET", "/v1/jobs/<job_id>/input"): Row("read", 302, owned=True),
    ("GET", "/v1/jobs/<job_id>/result"): Row("read", NOT_YET, owned=True),
    ("GET", "/v1/jobs/<job_id>/preview"): Row("read", NO_SUCH, owned=True),
    ("GET", "/v1/jobs/<job_id>/octaves/<int:octave>"): Row("read", NO_SUCH, owned=True),
    ("GET", "/v1/batches"): READS,
    ("POST", "/v1/batches"): Row("submit", 202, body="batch"),
    ("GET", "/v1/batches/<batch_id>"): OWN_READ,
    ("POST", "/v1/batches/<batch_id>/cancel"): Row("submit", 202, owned=True),
    ("POST", "/v1/batches/<batch_id>/retry-failed"): Row("submit", 202, owned=True),
    ("GET", "/v1/batches/<batch_id>/results.jsonl"): OWN_READ,
    ("GET", "/v1/batches/<batch_id>/results.zip"): OWN_READ,
    ("GET", "/v1/batches/<batch_id>/sheet.jpg"): OWN_READ,
    ("GET", "/v1/batches/<batch_id>/states"): OWN_READ,
    ("POST", "/v1/estimate"): Row("submit", 200, body="estimate"),
    ("POST", "/v1/pictures"): Row("submit", (415, "unsupported_media_type")),
    ("GET", "/v1/pictures/<sha256>"): OWN_READ,
    ("GET", "/v1/pictures/<sha256>/content"): OWN_READ,
    ("POST", "/v1/uploads"): Row("submit", 201),
    ("POST", "/v1/uploads/<upload>/claim"): Row("submit", 200, owned=True),
    ("GET", "/v1/webhooks"): READS,
    ("POST", "/v1/webhooks"): Row("submit", (400, "address_refused"), body="webhook"),
    ("GET", "/v1/webhooks/<webhook_id>"): OWN_READ,
    ("DELETE", "/v1/webhooks/<webhook_id>"): Row("submit", 204, owned=True),
    ("GET", "/v1/webhooks/<webhook_id>/deliveries"): OWN_READ,
    ("POST", "/v1/webhooks/<webhook_id>/deliveries/<delivery_id>/replay"): Row("submit", 202, owned=True),
}
PAGES = {
    *("/", "/jobs", "/jobs/<job_id>", "/batches", "/batches/<batch_id>", "/farm", "/models", "/settings", "/docs"),
    *("/studio/static/<path:filename>", "/docs/static/<path:filename>", "/docs/swagger/<path:name>"),
    *("/openapi.json", "/healthz", "/readyz"),
}
"""What shows nothing of anybody: answered without a key, and the same with any."""

SIGNING = {("POST", "/v1/session"), ("DELETE", "/v1/session")}
ANYBODYS = {"name": "squeezenet", "octave": "1", "delivery_id": "none"}


class World:
    """A farm that asks for keys, and what Ada has there."""

    def __init__(self, settings, services):
        self.services = services
        self.app = create_app(settings.model_copy(update={"auth": "required", "event_stream_life_s": 1}))
        self.seen = services.pictures.look_at(picture())

    def key(self, owner, *scopes):
        return self.services.api_keys.create(owner, [Scope(scope) for scope in scopes])

    def bearer(self, owner, *scopes):
        return {"Authorization": f"Bearer {self.key(owner, *scopes)[1]}"}

    def things(self):
        """Make Ada's things anew; return them by the variables of paths."""
        farm = self.services
        upload, worker = str(ULID()), str(ULID())
        farm.pictures.new_upload(upload, "ada")
        farm.storage.put(f"uploads/{upload}", self.seen.data, content_type="image/png")
        for old in farm.webhooks.of("ada"):
            farm.webhooks.delete(old.id)
        webhook = farm.webhooks.create("ada", "https://example.org/", ["job.failed"])
        farm.webhooks.enqueue(json.dumps({"id": str(ULID())}), [(webhook.id, "job.failed", "{}")])
        farm.workers.beat(worker, {"host": "h", "pid": 1, "version": "1", "started_at": "2026-01-02T03:04:05Z"})
        return {
            **ANYBODYS,
            "job_id": farm.jobs.create(self.seen, DreamParams(**SHORT), owner="ada", fresh=True).id,
            "batch_id": farm.batches.create(BatchSpec(owner="ada"), [BatchInput(sha256=self.seen.view.sha256)]).id,
            "sha256": self.seen.view.sha256,
            "upload": upload,
            "webhook_id": webhook.id,
            "delivery_id": farm.webhooks.deliveries(webhook.id, limit=1)[0].id,
            "key_id": self.key("carol", "read")[0].id,
            "worker_id": worker,
        }

    def body(self, name):
        image = {"sha256": self.seen.view.sha256}
        return {
            "job": {"image": image, "params": SHORT},
            "batch": {"inputs": [image], "params": SHORT},
            "estimate": {"width": 96, "height": 80},
            "key": {"owner": "carol", "scopes": ["read"]},
            "webhook": {"url": "http://127.0.0.1/"},
        }.get(name)

    def ask(self, route, things, headers, **options):
        """Send what a row says."""
        method, rule = route
        sent = {"json": self.body(ROWS[route].body)} if ROWS[route].body else {}
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: things[found[1]], rule)
        return self.app.test_client().open(path, method=method, headers=headers, **sent, **options)


@pytest.fixture
def world(settings, services):
    return World(settings, services)


def told(answer):
    """Return an answer's status, with the problem's code where it is one."""
    status = answer.status_code
    return status if status < 400 else (status, answer.json["code"])


def routes(app):
    found = {(method, rule.rule) for rule in app.url_map.iter_rules() for method in rule.methods - {"OPTIONS", "HEAD"}}
    return {route for route in found if route not in SIGNING and route[1] not in PAGES}


def test_every_route_has_a_row(world):
    """A route that nobody has thought about here fails this, as does a row of a route that is gone."""
    assert routes(world.app) == ROWS.keys()


def test_the_right_key_gets_the_answer(world):
    """Each route answers its owner's key, of that scope alone, with the status that its row says."""
    found, things = {}, world.things()
    for route, row in ROWS.items():
        found[route] = told(world.ask(route, things, world.bearer("ada", row.scope)))
        things = things if route[0] == "GET" else world.things()

    assert found == {route: row.answer for route, row in ROWS.items()}


def wrong_keys(world):
    """Return what is sent by those who have no right key, by what is wrong with it."""
    revoked, gone = world.key("ada", *Scope)
    world.services.api_keys.revoke(revoked.id)
    _, right = world.key("ada", *Scope)
    texts = {
        "nonsense": "Bearer let me in",
        "other-scheme": f"Basic {right}",
        "wrong-secret": f"Bearer {right[:-1]}{'A' if right[-1] != 'A' else 'B'}",
        "wrong-id": f"Bearer {right.replace(right[3:29], str(ULID()))}",
        "revoked": f"Bearer {gone}",
    }
    return {
        "none": {},
        **{name: {"headers": {"Authorization": text}} for name, text in texts.items()},
        "no-session": {"headers": OWN | {"Cookie": f"dreamfarm_session={'a' * 43}"}},
        "in-the-address": {"query_string": {"key": right}},
    }


def test_without_a_right_key_each_is_401(world):
    """Whatever is wrong with the key: one answer for all routes, with a challenge, which says nothing of any thing."""
    things = world.things()
    for kind, sent in wrong_keys(world).items():
        answers = {route: world.ask(route, things, **{"headers": {}, **sent}) for route in ROWS}

        found = {route: told(answer) for route, answer in answers.items()}
        assert found == dict.fromkeys(ROWS, (401, "unauthorized")), kind
        assert len({answer.text for answer in answers.values()}) == 1, kind
        assert all(answer.headers["WWW-Authenticate"].startswith("Bearer ") for answer in answers.values()), kind


def test_a_key_of_another_scope_is_403(world):
    """Before it is looked whose things are named: a reader's key isn't told by a change what there is."""
    things = world.things()
    absent = things | {name: str(ULID()) for name in things if name not in ANYBODYS}

    for named in (things, absent):
        found = {
            route: told(world.ask(route, named, world.bearer("ada", SCOPES[row.scope]))) for route, row in ROWS.items()
        }
        assert found == dict.fromkeys(ROWS, (403, "forbidden"))


def test_anothers_things_are_answered_as_if_there_were_none(world):
    """By status, code, headers and every letter of the body, but for the name that was asked for."""
    bobs = {scope: world.bearer("bob", scope) for scope in ("read", "submit")}
    things = world.things()
    for route, row in ROWS.items():
        if not row.owned:
            continue
        named = {name for name in things if f"{name}>" in route[1]} - {"octave"}
        absent = things | {name: "e" * 64 if name == "sha256" else str(ULID()) for name in named}
        hidden, missing = (world.ask(route, each, bobs[row.scope]) for each in (things, absent))

        assert told(hidden) == (404, "not_found"), route
        assert told(missing) == (404, "not_found"), route
        text = missing.text
        for name in named:
            text = text.replace(absent[name], things[name])
        assert hidden.text == text, route
        assert set(hidden.headers.keys()) == set(missing.headers.keys()), route


def test_anothers_things_are_left_as_they_were(world):
    """After every change that Bob may ask for, Ada's job waits, her batch goes on, her webhook is there."""
    things = world.things()
    for route, row in ROWS.items():
        if row.owned:
            world.ask(route, things, world.bearer("bob", "read", "submit"))

    farm = world.services
    assert farm.jobs.get(things["job_id"]).state == "queued"
    assert not farm.batches.store.get(things["batch_id"]).canceled
    assert farm.webhooks.get(things["webhook_id"]).disabled is None
    assert not farm.store.redis.sismember("pictures:bob", things["sha256"])


def test_what_names_nothing_shows_nothing_of_others(world):
    """Lists, numbers and the caller's own facts, asked for by Bob, hold no id of Ada's, and not her name."""
    things = world.things()
    world.services.workers.note(things["worker_id"], job=things["job_id"])
    bobs = world.bearer("bob", "read")
    secrets = {"ada", *(things[name] for name in things if name not in ANYBODYS and name != "worker_id")}

    for route, row in ROWS.items():
        if row.scope == "read" and not row.owned:
            text = world.ask(route, things, bobs).text
            assert not [secret for secret in secrets if secret in text], route


def test_pages_are_the_same_for_everybody(world):
    """What is public holds nothing that depends on who asks."""
    adas = world.bearer("ada", "read", "submit", "admin")
    client = world.app.test_client()
    for rule in sorted(PAGES):
        path = re.sub(r"<path:\w+>", "none", rule).replace("<job_id>", "01ABC").replace("<batch_id>", "01ABC")
        assert client.get(path, headers=adas).data == client.get(path).data, rule
