"""Requests that mean harm get one clear answer, and the api goes on: over real sockets, from a real gunicorn."""

from __future__ import annotations

import io
import json
import re
import socket
from contextlib import suppress

import pytest

from tests.integration.hostile_http import TABLES, chunked, request
from tests.real_api import real_api
from tests.support import picture, submit

pytestmark = pytest.mark.slow

ROWS = [pytest.param(row, id=f"{table}: {name}") for table, rows in TABLES.items() for name, row in rows.items()]
MANY_BYTES = 300_000_000


@pytest.fixture(scope="module")
def api(servers, tmp_path_factory):
    environment = {**servers.environment(), "DREAMFARM_AUTH": "off"}
    with real_api(tmp_path_factory.mktemp("api"), environment) as running:
        yield running
        assert running.unexpected() == []


def ask(api, sent, *, ends_early=False):
    """Return status, headers and body of the answer to these bytes."""
    with api.connect() as connection:
        with suppress(OSError):  # it may answer, and close, before all is sent
            connection.sendall(sent)
        if ends_early:
            connection.shutdown(socket.SHUT_WR)
        return parsed(all_from(connection))


def all_from(connection):
    received = b""
    with suppress(ConnectionResetError):
        while more := connection.recv(65_536):
            received += more
    return received


def parsed(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return int(first.split()[1]) if first else None, headers, body


def assert_well(api):
    assert ask(api, request("/healthz"))[0] == 200


def assert_is_problem(status, headers, body):
    assert headers["content-type"] == "application/problem+json"
    assert len(body) < 30_000
    assert json.loads(body)["status"] == status


@pytest.mark.parametrize("row", ROWS)
def test_a_hostile_request_is_refused(api, row):
    """The status is the one that says what is wrong; the api's own answers are problems, short, and for programs."""
    status, headers, body = ask(api, row.sent)

    assert status == row.status, body
    assert "x-injected" not in headers
    if row.by_api:
        assert_is_problem(status, headers, body)
    assert_well(api)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(request(method="POST", headers={"Content-Length": "100"}, body=b'{"image"'), id="a length"),
        pytest.param(chunked(b"5\r\n{"), id="within a chunk"),
        pytest.param(chunked(b"1\r\n{\r\n"), id="between chunks"),
        pytest.param(
            request(
                "/v1/pictures",
                method="POST",
                headers={"Content-Type": "multipart/form-data; boundary=x", "Content-Length": "100"},
                body=b"--x\r\nContent-Disposition",
            ),
            id="within a form",
        ),
    ],
)
def test_a_body_that_ends_early_is_refused(api, sent):
    """What was sent of it is not taken for the whole."""
    status, headers, body = ask(api, sent, ends_early=True)

    assert status == 400
    assert_is_problem(status, headers, body)


def test_a_body_without_end_is_cut_off(api):
    """Chunks that go on and on are read up to the limit, and then refused."""
    piece = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    with api.connect() as connection:
        connection.sendall(chunked(b""))
        sent = 0
        with suppress(OSError):
            while sent < MANY_BYTES:
                connection.sendall(piece)
                sent += len(piece)
        status, headers, body = parsed(all_from(connection))

    assert sent < MANY_BYTES
    # A client that goes on sending may find the connection reset, its answer lost.
    assert status in {413, None}
    if status:
        assert_is_problem(status, headers, body)
    assert_well(api)


def test_what_follows_a_refused_body_is_no_request(api):
    """The rest of a body that was refused unread is never taken for the next request of its connection."""
    hidden = request("/v1/models")
    oversized = request(
        method="POST", headers={"Connection": "keep-alive", "Content-Length": "99999999999"}, body=b"{" + hidden
    )
    with api.connect() as connection:
        connection.sendall(oversized)
        answers = re.findall(rb"HTTP/1\.1 (\d+)", all_from(connection))

    assert answers == [b"413"]


def test_every_route_answers_head_and_options(client):
    """HEAD is GET without its body, whatever the route; OPTIONS says what is allowed; neither is an error of ours."""
    rules = {rule.rule for rule in client.application.url_map.iter_rules()}
    for rule in rules:
        path = re.sub(r"<int:\w+>", "1", rule)
        path = re.sub(r"<[^>]+>", "0" * 26, path)
        head, full = client.head(path), client.get(path)
        assert head.data == b"", path
        assert head.status_code == full.status_code < 500, path
        assert "OPTIONS" in client.options(path).headers["Allow"], path


def test_head_of_a_stream_keeps_no_place(client):
    """A reader that asks for nothing but the head of a job's events is no reader."""
    job = submit(client, picture()).json["id"]
    places = client.application.extensions["event_streams"]
    before = places._value

    with client.head(f"/v1/jobs/{job}/events") as answer:
        assert answer.status_code == 200
    assert places._value == before


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param("99999999999999999999-0", id="beyond all ids"),
        pytest.param("18446744073709551615-18446744073709551615", id="the last of all ids"),
        pytest.param("-", id="Redis' first"),
        pytest.param("+", id="Redis' last"),
        pytest.param("0-0\u00b2", id="a raised digit"),
        pytest.param("1" * 5000, id="5,000 digits"),
    ],
)
def test_an_event_id_that_is_none_means_from_the_start(client, sent):
    """Whatever stands in `Last-Event-ID`, a reader gets the job's events and no error."""
    job = submit(client, picture()).json["id"]
    client.post(f"/v1/jobs/{job}/cancel")

    answer = client.get(f"/v1/jobs/{job}/events", headers={"Last-Event-ID": sent})

    assert answer.status_code == 200
    assert '"state":"canceled"' in answer.text


def test_a_file_name_is_kept_as_a_name_alone(client):
    """No path and no control character of it comes into the job."""
    data = {"image": (io.BytesIO(picture()), "..\\../etc/\x1b[2Jcloud.png")}
    answer = client.post("/v1/jobs", data=data, content_type="multipart/form-data")

    assert answer.json["name"] == "[2Jcloud.png"
