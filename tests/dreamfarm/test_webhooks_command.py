"""`dreamfarm webhooks` against a farm that plays a script."""

from __future__ import annotations

import json

HOOK = {
    "id": "01HOOK",
    "owner": "ada",
    "url": "https://a.example/x",
    "events": ["job.failed"],
    "disabled": None,
    "created_at": "2026-01-01T00:00:00Z",
}
TRY = {"at": "2026-01-01T00:00:00Z", "status": 500, "error": "The endpoint answered 500, not 2xx.", "seconds": 0.1}
DELIVERY = {
    "id": "01JOB.3.01HOOK",
    "type": "job.failed",
    "state": "pending",
    "created_at": "2026-01-01T00:00:00Z",
    "attempts": [TRY],
    "body": {},
}


def test_the_secret_alone_is_printed(run, fake):
    """For scripts: webhooks add … > secret."""
    fake.answers["POST", "/v1/webhooks"].append(({**HOOK, "secret": "whsec_abc"}, 201))

    result = run("webhooks", "add", "https://a.example/x", "--event", "job.failed")

    assert (result.exit_code, result.stdout) == (0, "whsec_abc\n")


def test_a_disabled_endpoint_says_why(run, fake):
    """In the list."""
    fake.answers["GET", "/v1/webhooks"].append(({"webhooks": [{**HOOK, "disabled": "Nothing got through"}]}, 200))

    result = run("webhooks", "list")

    assert result.exit_code == 0
    assert "Nothing got" in result.output


def test_deliveries_show_what_came_of_them(run, fake):
    """As a table, and as JSON."""
    for _ in range(2):
        fake.answers["GET", "/v1/webhooks/01HOOK/deliveries"].append(({"deliveries": [DELIVERY]}, 200))

    assert "500" in run("webhooks", "deliveries", "01HOOK").output
    [shown] = json.loads(run("webhooks", "deliveries", "01HOOK", "--json").stdout)
    assert shown["attempts"][0]["status"] == 500


def test_replay_and_remove(run, fake):
    """Each is one call."""
    fake.answers["POST", "/v1/webhooks/01HOOK/deliveries/01JOB.3.01HOOK/replay"].append((DELIVERY, 202))
    fake.answers["DELETE", "/v1/webhooks/01HOOK"].append(("", 204))

    assert run("webhooks", "replay", "01HOOK", "01JOB.3.01HOOK").exit_code == 0
    assert run("webhooks", "remove", "01HOOK").exit_code == 0
