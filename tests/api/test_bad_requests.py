"""What a client sends wrong gets one clear answer, before anything is stored."""

from __future__ import annotations

import pytest

from tests.support import assert_problem, picture, submit


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        pytest.param(None, 400, "invalid_request", id="no-picture"),
        pytest.param(b"", 400, "bad_picture", id="empty-file"),
        pytest.param(b"this is no picture, whatever it is called", 400, "bad_picture", id="text"),
        pytest.param(picture(form="JPEG")[:2000], 400, "bad_picture", id="truncated-jpeg"),
        pytest.param(picture(400, 400, form="JPEG", quality=1), 413, "picture_too_large", id="too-many-pixels"),
        pytest.param(b"\x89PNG" + bytes(300_000), 413, "picture_too_large", id="too-many-bytes"),
        pytest.param(picture(1, 1), 400, "picture_too_small", id="one-pixel"),
    ],
)
def test_a_bad_picture_is_a_problem(client, data, status, code):
    """Each kind of bad file is refused by its code, though no server is there to store anything in."""
    assert_problem(submit(client, data), status, code)


@pytest.mark.parametrize(
    ("params", "pointer", "words"),
    [
        pytest.param({"layers": {"fire88": 1}}, "/params", ["fire88", "fire8"], id="unknown-layer"),
        pytest.param({"model": "inception"}, "/params", ["inception", "inception_v3"], id="unknown-model"),
        pytest.param({"stepz": 3}, "/params/stepz", ["stepz", "steps"], id="unknown-key"),
        pytest.param({"steps": "many"}, "/params/steps", ["steps", "many"], id="wrong-type"),
        pytest.param({"octaves": 0}, "/params/octaves", ["octaves", "0", "at least 1 and at most 16"], id="too-few"),
        pytest.param({"octaves": 17}, "/params/octaves", ["octaves", "17", "at least 1 and at most 16"], id="too-many"),
        pytest.param([], "/params", ["params"], id="a-list"),
    ],
)
def test_a_wrong_parameter_is_named(client, params, pointer, words):
    """The answer points at the field, and says what was given and what would do."""
    body = assert_problem(submit(client, picture(), params=params), 400, "invalid_request")

    assert body["errors"][0]["pointer"] == pointer
    assert all(word in body["detail"] for word in words), body["detail"]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        pytest.param({"params": "{"}, "/params", id="params-no-json"),
        pytest.param({"tags": "["}, "/tags", id="tags-no-json"),
        pytest.param({"tags": ["no spaces"]}, "/tags/0", id="tag-with-space"),
        pytest.param({"format": "bmp"}, "/format", id="unknown-format"),
        pytest.param({"colour": "red"}, "/colour", id="unknown-field"),
    ],
)
def test_a_wrong_field_is_named(client, fields, pointer):
    """Form fields are checked as strictly as parameters."""
    body = assert_problem(submit(client, picture(), **fields), 400, "invalid_request")

    assert body["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        pytest.param(b"{", "", id="no-json"),
        pytest.param(b"[" * 100_000, "", id="deep-json"),
        pytest.param(b"{}", "/image", id="no-image"),
        pytest.param(b'{"image": {}}', "/image", id="neither"),
        pytest.param(b'{"image": {"sha256": "xyz"}}', "/image/sha256", id="no-sha256"),
        pytest.param(b'{"image": {"path": "/etc/passwd"}}', "/image/path", id="unknown-reference"),
    ],
)
def test_a_wrong_json_body_is_named(client, body, pointer):
    """A JSON body is checked field by field."""
    answer = client.post("/v1/jobs", data=body, content_type="application/json")

    assert assert_problem(answer, 400, "invalid_request")["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "state=asleep", "colour=red", "tag=a%20b"])
def test_a_wrong_query_is_named(client, query):
    """A list asked for wrongly is refused by the name of the query's key."""
    body = assert_problem(client.get(f"/v1/jobs?{query}"), 400, "invalid_request")

    assert body["errors"][0]["pointer"] == "/" + query.split("=")[0]


def test_an_oversized_body_is_refused(client):
    """A body larger than two pictures is not read."""
    assert_problem(submit(client, bytes(3_000_000)), 413, "request_entity_too_large")


def test_unknown_paths_and_methods_are_problems(client):
    """Routing errors look like all others."""
    assert_problem(client.get("/v1/nothing"), 404, "not_found")
    assert client.put("/v1/jobs").headers["Allow"]
    assert_problem(client.put("/v1/jobs"), 405, "method_not_allowed")
