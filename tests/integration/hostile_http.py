"""Requests that mean harm, as bytes: what HTTP clients refuse to send. Each with the statuses that may answer it."""

from __future__ import annotations

import json
from typing import NamedTuple

PICTURE = {"sha256": "a" * 64}
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=x"}
CHUNKED = {"Transfer-Encoding": "chunked"}


class Row(NamedTuple):
    """A request, the answer's status, and who gives it: the api in problems, or gunicorn, which never hands it on."""

    sent: bytes
    status: int
    by_api: bool = True


def request(target="/v1/jobs", *, method="GET", headers=None, lines=b"", body=b"", host="localhost"):
    given = {"Host": host, "Connection": "close", **(headers or {})}
    if body and not {"Content-Length", "Transfer-Encoding"} & given.keys():
        given["Content-Length"] = str(len(body))
    head = b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in given.items())
    return f"{method} {target} HTTP/1.1\r\n".encode("latin-1") + head + lines + b"\r\n" + body


def posted(body, target="/v1/jobs", **headers):
    return request(target, method="POST", headers={**JSON, **headers}, body=body)


def batch(**fields):
    return posted(json.dumps({"inputs": [PICTURE], **fields}).encode(), "/v1/batches")


def estimate(fields):
    return posted(b'{"width": 64, "height": 64, %s}' % fields, "/v1/estimate")


def form(*parts, **headers):
    body = b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + b"--x--\r\n"
    return request(method="POST", headers={**FORM, **headers}, body=body)


def field(name, value, more=b""):
    return b'Content-Disposition: form-data; name="%s"%s\r\n\r\n%s' % (name, more, value)


def file(file_name, value=b"no picture"):
    return field(b"image", value, b'; filename="%s"' % file_name)


def chunked(body, target="/v1/jobs", lines=b"", **headers):
    return request(target, method="POST", headers={**JSON, **CHUNKED, **headers}, lines=lines, body=body)


def lengths(lines, body=b"aaaaa"):
    return request("/v1/uploads", method="POST", headers={"Transfer-Encoding": "x"}, body=body).replace(
        b"Transfer-Encoding: x\r\n", lines
    )


JSON_ROWS = {
    "100,000 nested arrays": Row(posted(b"[" * 100_000), 400),
    "50,000 nested objects": Row(posted(b'{"params":' * 50_000), 400),
    "150 levels within bounds of JSON": Row(
        estimate(b'"params": {"layers": ' + b'{"a":' * 150 + b"1" + b"}" * 151), 400
    ),
    "NaN": Row(estimate(b'"params": {"step_size": NaN}'), 400),
    "minus infinity": Row(estimate(b'"params": {"max_loss": -Infinity}'), 400),
    "1e400": Row(estimate(b'"params": {"max_loss": 1e400}'), 400),
    "a number of 4,000 digits": Row(estimate(b'"params": {"seed": ' + b"9" * 4000 + b"}"), 400),
    "a number of 50,000 digits": Row(estimate(b'"params": {"seed": ' + b"9" * 50_000 + b"}"), 400),
    "a key twice": Row(estimate(b'"width": 65'), 400),
    "a key twice, deep": Row(estimate(b'"params": {"steps": 1, "steps": 2}'), 400),
    "invalid UTF-8": Row(posted(b'{"name": "\xff\xfe"}'), 400),
    "UTF-16": Row(posted('{"name": "a"}'.encode("utf-16")), 400),
    "half a surrogate pair": Row(posted(b'{"name": "\\ud800"}'), 400),
    "half a surrogate pair as a key": Row(posted(b'{"\\udc00": 1}'), 400),
    "NUL in a name": Row(batch(name="a\0b"), 400),
    "an escape sequence in a name": Row(batch(name="\x1b[2J"), 400),
    "NUL in a tag": Row(batch(tags=["a\0b"]), 400),
    "NUL in a URL": Row(posted(b'{"image": {"url": "http://a\\u0000b/"}}'), 400),
    "NUL in a prefix": Row(batch(inputs=[{"prefix": "a\0b/"}]), 400),
    "nothing": Row(request(method="POST", headers={**JSON, "Content-Length": "0"}), 400),
    "two values": Row(posted(b"{} {}"), 400),
    "a string": Row(posted(b'"image"'), 400),
    "packed": Row(posted(b"\x1f\x8b\x08\0", **{"Content-Encoding": "gzip"}), 400),
    "100,000 wrong inputs": Row(batch(inputs=[{"sha": 1}] * 100_000), 400),
    "30,000 unknown keys": Row(batch(**{f"k{number}": 1 for number in range(30_000)}), 400),
    "a sweep of 10^24 points": Row(batch(sweep={"product": {f"n{n}": list(range(100)) for n in range(12)}}), 400),
    "a sweep 5,000 levels down": Row(batch(sweep={"product": {"a." * 5000: [1]}}), 400),
    "a sweep of 50,000 names": Row(batch(sweep={"product": {f"n{n}": [1] for n in range(50_000)}}), 400),
}

TYPES = {
    "text": Row(request(method="POST", headers={"Content-Type": "text/plain"}, body=b"{}"), 415),
    "a form of the web's first days": Row(
        request(method="POST", headers={"Content-Type": "application/x-www-form-urlencoded"}, body=b"a=1"), 415
    ),
    "no type at all": Row(request(method="POST", headers={"Content-Type": "\xff/\xfe; charset=\x80"}, body=b"{}"), 415),
    "a picture alone": Row(
        request("/v1/pictures", method="POST", headers={"Content-Type": "image/png"}, body=b"\x89PNG"), 415
    ),
    "a charset that nobody has": Row(posted(b"{}", **{"Content-Type": "application/json; charset=utf-99"}), 400),
}

FORMS = {
    "no boundary": Row(form(file(b"a"), **{"Content-Type": "multipart/form-data"}), 400),
    "another boundary": Row(form(file(b"a"), **{"Content-Type": "multipart/form-data; boundary=y"}), 400),
    "a boundary of 5,000 characters": Row(
        form(file(b"a"), **{"Content-Type": "multipart/form-data; boundary=" + "y" * 5000}), 400
    ),
    "5,000 parts": Row(form(*(field(b"a%d" % number, b"1") for number in range(5000))), 413),
    "900 files": Row(form(*(file(b"%d.png" % number) for number in range(900))), 400),
    "a part's head of 3 MB": Row(form(b"X: " + b"a" * 3_000_000 + b"\r\n\r\n1"), 413),
    "a part without a head": Row(form(b"\r\n\r\n1"), 400),
    "a part without a name": Row(form(b"Content-Disposition: form-data\r\n\r\n1"), 400),
    "a part of another kind": Row(form(b"Content-Disposition: attachment\r\n\r\n1"), 400),
    "a text field of 2 MB": Row(form(field(b"params", b"a" * 2_000_000)), 413),
    "a deep text field": Row(form(field(b"params", b"[" * 100_000), file(b"a.png")), 400),
    "a file name that climbs": Row(form(file(b"../../../etc/passwd")), 400),
    "a file name with NUL": Row(form(file(b"a\0.png")), 400),
    "a file name with a line's end": Row(form(file(b"a%0d%0aSet-Cookie: a=b")), 400),
    "a file name of 100,000 characters": Row(form(file(b"a" * 100_000)), 400),
    "a file name in no charset": Row(form(field(b"image", b"", b"; filename*=utf-99''%ff")), 400),
    "a file where text should be": Row(form(field(b"params", b"{}", b'; filename="p"')), 400),
}

TARGETS = {
    "NUL": Row(request("/v1/jobs/%00"), 404),
    "no UTF-8": Row(request("/v1/jobs/%ff%fe"), 404),
    "a line's end": Row(request("/v1/jobs/a%0d%0aX-Injected:%201"), 404),
    "bytes above ASCII": Row(request("/v1/jobs/\xff"), 400, by_api=False),
    "NUL in a query": Row(request("/v1/jobs?tag=%00"), 400),
    "500 parameters": Row(request("/v1/jobs?" + "&".join(f"a{number}=1" for number in range(500))), 400),
    "dot segments": Row(request("/v1/../../etc/passwd"), 404),
    "encoded dot segments": Row(request("/docs/swagger/%2e%2e/%2e%2e/pyproject.toml"), 404),
    "encoded slashes": Row(request("/studio/static/..%2f..%2fpages.py"), 404),
    "a backslash": Row(request("/studio/static/..%5c..%5cpages.py"), 404),
    "NUL in a file's name": Row(request("/studio/static/%00"), 404),
    "a long file's name": Row(request("/studio/static/" + "a" * 3000), 404),
    "two slashes": Row(request("//v1//jobs"), 404),
    "two slashes and a host": Row(request("//evil.example/v1/jobs"), 404),
    "longer than a line may be": Row(request("/" + "a" * 9000), 414, by_api=False),
    "another host's": Row(request("http://evil.example/v1/nothing"), 404),
    "all of the server": Row(request("*", method="OPTIONS"), 404),
    "a tunnel": Row(request("evil.example:443", method="CONNECT"), 404),
    "a cursor beyond all ids": Row(request("/v1/audit?cursor=99999999999999999999-0"), 400),
    "a cursor in other digits": Row(request("/v1/audit?cursor=%D9%A3-%D9%A3"), 400),
    "a cursor with NUL": Row(request("/v1/audit?cursor=1-1%00"), 400),
    "a cursor of 65 characters": Row(request("/v1/jobs?cursor=" + "0" * 65), 400),
}

METHODS = {
    "made up": Row(request(method="FROB"), 405),
    "TRACE": Row(request(method="TRACE"), 405),
    "PATCH": Row(request(method="PATCH", body=b"{}"), 405),
    "in small letters": Row(request(method="get"), 400, by_api=False),
    "5,000 letters": Row(request(method="A" * 5000), 414, by_api=False),
}

HEADERS = {
    "5,000 of them": Row(request(lines=b"".join(b"X-%d: 1\r\n" % n for n in range(5000))), 431, by_api=False),
    "200 kB in one": Row(request(headers={"X": "a" * 200_000}), 431, by_api=False),
    "NUL": Row(request(headers={"X": "a\0b"}), 400, by_api=False),
    "no name": Row(request(lines=b": x\r\n"), 400, by_api=False),
    "a space after the name": Row(request(lines=b"X : x\r\n"), 400, by_api=False),
    "folded": Row(request(lines=b"X: x\r\n y\r\n"), 400, by_api=False),
    "a bare line feed": Row(request(lines=b"X: x\nY: y\r\n"), 400, by_api=False),
    "two hosts": Row(request(lines=b"Host: evil.example\r\n"), 400, by_api=False),
    "a host that is no address": Row(request(host="[a:::::b]"), 403),
    "a host with a user": Row(request(host="localhost@evil.example"), 403),
    "an origin that is no URL": Row(request("/v1/uploads", method="POST", headers={"Origin": "http://["}), 403),
    "an origin that is no URL, signing out": Row(
        request("/v1/session", method="DELETE", headers={"Origin": "http://["}), 403
    ),
    "an expectation": Row(request(headers={"Expect": "200-maybe"}), 417, by_api=False),
    "an empty Idempotency-Key": Row(request("/v1/uploads", method="POST", headers={"Idempotency-Key": ""}), 400),
    "a long Idempotency-Key": Row(request("/v1/uploads", method="POST", headers={"Idempotency-Key": "a" * 256}), 400),
    "control characters in an Idempotency-Key": Row(
        request("/v1/uploads", method="POST", headers={"Idempotency-Key": "a\x80\x9fb"}), 400
    ),
    "a range beyond the file": Row(request("/studio/static/studio.css", headers={"Range": "bytes=99999999-"}), 416),
    "a range backwards": Row(request("/v1/jobs/none", headers={"Range": "bytes=9-1,,--"}), 404),
    "conditions that are none": Row(
        request("/v1/jobs/none", headers={"If-None-Match": '"\xff', "If-Modified-Since": "never", "If-Range": ","}), 404
    ),
    "preferences that are none": Row(
        request("/v1/jobs/none", headers={"Accept": ";;q=9e999,*/*;q=nan", "Cookie": "==; ;;\xff"}), 404
    ),
}

FRAMING = {
    "a length and chunks": Row(
        lengths(b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\nGET /x HTTP/1.1\r\n\r\n"),
        400,
        by_api=False,
    ),
    "chunks, then something else": Row(
        lengths(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), 400, by_api=False
    ),
    "two lengths": Row(lengths(b"Content-Length: 4\r\nContent-Length: 5\r\n"), 400, by_api=False),
    "a length below zero": Row(lengths(b"Content-Length: -1\r\n"), 400, by_api=False),
    "a length with a sign": Row(lengths(b"Content-Length: +5\r\n"), 400, by_api=False),
    "a length of 5,000 digits": Row(lengths(b"Content-Length: " + b"9" * 5000 + b"\r\n"), 400, by_api=False),
    # RFC 9112, 6.1: 501 says that the coding isn't known.
    "a coding that is none": Row(lengths(b"Transfer-Encoding: xchunked\r\n"), 501, by_api=False),
    "chunks in HTTP/1.0": Row(chunked(b"0\r\n\r\n").replace(b"HTTP/1.1", b"HTTP/1.0"), 400, by_api=False),
    "a chunk whose size is no number": Row(chunked(b"zz\r\n"), 400),
    "a chunk whose size is below zero": Row(chunked(b"-1\r\n\r\n"), 400),
    "a chunk longer than it says": Row(chunked(b"1\r\n{}\r\n0\r\n\r\n"), 400),
    "a chunk's extension of 100 kB": Row(chunked(b"1;" + b"a" * 100_000 + b"\r\n{\r\n0\r\n\r\n"), 400),
    "trailers of 2 MB": Row(chunked(b"0\r\n" + b"X: a\r\n" * 350_000 + b"\r\n"), 400),
    "100 GB, says its length": Row(posted(b"{", **{"Content-Length": "99999999999"}), 413),
    "a form of 100 GB, says its length": Row(form(**{"Content-Length": "99999999999"}), 413),
}

TABLES = {
    "json": JSON_ROWS,
    "type": TYPES,
    "form": FORMS,
    "target": TARGETS,
    "method": METHODS,
    "header": HEADERS,
    "framing": FRAMING,
}
