"""What the contract says of all calls, and that tests notice answers that it doesn't describe."""

from __future__ import annotations

from copy import deepcopy

import pytest

from tests.contract.answers import Described

GET, POST = {"400", "401", "403", "429", "503"}, {"408", "409", "413", "422"}
ANYBODYS = {("/healthz", "get"), ("/readyz", "get"), ("/v1/session", "post"), ("/v1/session", "delete")}


def operations(app):
    return [(path, verb, one) for path, item in app.api_doc["paths"].items() for verb, one in item.items()]


def test_every_call_tells_how_it_is_refused(app):
    """Who isn't let in, is too fast, or names what isn't there; a POST also how it is repeated, and how bounded."""
    for path, verb, one in operations(app):
        wanted = {"400"} if (path, verb) in ANYBODYS else set(GET)
        wanted |= POST if verb == "post" and (path, verb) not in ANYBODYS else set()
        wanted |= {"404"} if "{" in path else set()
        wanted |= {"415"} if "requestBody" in one else set()
        assert wanted <= one["responses"].keys(), (path, verb)


def test_every_refusal_is_a_problem_with_its_headers(app):
    """4xx and 5xx have one form; 429 and 503 say when to come back, 401 what is asked for."""
    headers = {"401": "WWW-Authenticate", "429": "Retry-After", "503": "Retry-After"}
    for path, verb, one in operations(app):
        for status, answer in one["responses"].items():
            if status >= "400":
                assert list(answer["content"]) == ["application/problem+json"], (path, verb, status)
            if status in headers:
                assert answer["headers"][headers[status]]["required"], (path, verb, status)


def test_what_nobody_is_asked_for_says_so(app):
    """The calls without a key are marked; every other inherits what all of them ask for."""
    assert {(path, verb) for path, verb, one in operations(app) if one.get("security") == []} == ANYBODYS
    assert app.api_doc["security"] == [{"key": []}, {"session": []}]


def test_what_is_made_says_how_to_go_on(app):
    """Each link of an answer leads to a call that there is, by a variable that its path has."""
    by_id = {one["operationId"]: (path, one) for path, _, one in operations(app)}
    links = [
        link
        for _, _, one in operations(app)
        for answer in one["responses"].values()
        for link in answer.get("links", {}).values()
    ]

    assert len(links) > 20
    for link in links:
        [variable] = link["parameters"]
        assert f"{{{variable}}}" in by_id[link["operationId"]][0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param(lambda one: one["responses"].pop("400"), "400 is no status", id="status"),
        pytest.param(
            lambda one: one["responses"]["400"].update(content={"text/html": {}}), "is application", id="type"
        ),
        pytest.param(
            lambda one: one["responses"]["400"].update(headers={"Retry-After": {"required": True}}),
            "lacks",
            id="header",
        ),
        pytest.param(
            lambda one: one["responses"]["400"]["content"]["application/problem+json"].update(schema={"type": "array"}),
            "is not of type 'array'",
            id="body",
        ),
    ],
)
def test_an_answer_that_is_not_described_is_noticed(app, change, says):
    """The clients of the tests would fail for a status, a type, a header or a body that the contract doesn't say."""
    answer = app.test_client().get("/v1/jobs?limit=0")
    described = Described(app)
    assert described.wrong(answer) is None

    described.document = deepcopy(app.api_doc)
    change(described.document["paths"]["/v1/jobs"]["get"])

    assert says in described.wrong(answer)
