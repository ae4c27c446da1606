"""What browsers are told with every answer."""

from __future__ import annotations

import re

import pytest

from api.app import create_app

PAGES = ["/", "/docs", "/jobs", "/jobs/01ABC", "/batches", "/batches/01ABC", "/farm", "/models", "/settings"]
GUARDS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.fixture(scope="module")
def locked(app):
    """An api that asks for keys, so that it answers without its servers."""
    settings = app.extensions["dreamfarm"].settings
    return create_app(settings.model_copy(update={"auth": "required"}))


def policy_of(answer):
    return dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))


def answers(app):
    """Yield an answer of each kind: of every route, of none, and of a wrong method."""
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<[^>]+>", "1", rule.rule)
        for method in sorted(rule.methods - {"HEAD"}):
            if not (rule.endpoint.startswith(("operations.ready",)) or method == "OPTIONS"):
                yield f"{method} {rule.rule}", client.open(path, method=method, json={})
    yield "nothing", client.get("/nothing/here")
    yield "wrong method", client.put("/v1/jobs")


def test_every_answer_is_guarded(locked):
    """Pages, files, JSON and errors alike: framed nowhere, taken for what they say they are, told to nobody."""
    for name, answer in answers(locked):
        assert {header: answer.headers.get(header) for header in GUARDS} == GUARDS, name
        policy = policy_of(answer)
        assert policy["frame-ancestors"] == "'none'", name
        assert policy["base-uri"] == "'none'", name
        assert "unsafe" not in " ".join(policy.values()), name


def test_what_is_no_page_loads_nothing(locked):
    """A browser that takes data for a page runs nothing of it."""
    client = locked.test_client()

    for path in ("/v1/jobs", "/openapi.json", "/healthz", "/nothing"):
        assert policy_of(client.get(path))["default-src"] == "'none'"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_scripts_of_the_farm_alone(locked, path):
    """No policy of scripts or styles is wider than the page's own, which names the farm, and pages hold none inline."""
    answer = locked.test_client().get(path)

    policy = policy_of(answer)
    assert policy["default-src"] == "'self'"
    assert not {"script-src", "script-src-elem", "style-src", "style-src-elem", "connect-src"} & policy.keys()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", answer.text)
