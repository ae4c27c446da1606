"""Presigned links on a real S3 server: each opens one object, in one way, for a while."""

from __future__ import annotations

import io

import httpx2
import pytest

from api.app import create_app
from farm.account_schema import Scope
from farm.storage import ObjectStore
from tests.support import assert_problem, picture, until

PAGE = b"<html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
SECRET = b"the bytes of "
REFUSED = {400, 403}
CHANGES = {
    "another-object": lambda link: link.replace("/mine?", "/other?"),
    "a-way-round": lambda link: link.replace("/mine?", "/x/../other?"),
    "a-hidden-way-round": lambda link: link.replace("/mine?", "/x/%2e%2e/other?"),
    "the-bucket": lambda link: link.replace("/mine?", "/?"),
    "the-bucket's-list": lambda link: link.replace("/mine?", "/?list-type=2&"),
    "a-longer-life": lambda link: link.replace("X-Amz-Expires=", "X-Amz-Expires=9"),
    "another-type": lambda link: link + "&response-content-type=text/html",
    "its-permissions": lambda link: link + "&acl",
    "another-signature": lambda link: link[:-1] + ("0" if link[-1] != "0" else "1"),
    "no-signature": lambda link: link.partition("?")[0],
}
"""What can be done to a link, by what it would lead to."""


@pytest.fixture
def storage(services):
    for name in ("mine", "other"):
        services.storage.put(name, SECRET + name.encode(), content_type="text/plain")
    return services.storage


@pytest.fixture
def ada(settings, services):
    client = create_app(settings.model_copy(update={"auth": "required"})).test_client()
    key = services.api_keys.create("ada", [Scope.READ, Scope.SUBMIT])[1]
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    return client


def call(method, url, **options):
    return httpx2.request(method, url, trust_env=False, **options)


def test_a_link_ends(settings, storage):
    """One of an hour opens its object; one of a second opens nothing after it, neither to read nor to write."""
    short = ObjectStore(settings.model_copy(update={"presign_expiry_s": 1}))
    reading, writing = short.presigned_get("mine"), short.presigned_put("mine")

    until(lambda: call("GET", reading).status_code in REFUSED)
    assert call("PUT", writing, content=b"late").status_code in REFUSED
    assert call("GET", storage.presigned_get("mine")).content == SECRET + b"mine"


@pytest.mark.parametrize("way", ["presigned_get", "presigned_put"])
def test_a_link_that_was_changed_opens_nothing(storage, way):
    """Neither reads nor writes: the signature covers the object, the way and every word of the address."""
    link = getattr(storage, way)("mine")
    before = sorted(storage.names(""))

    for name, change in CHANGES.items():
        for method, content in (("GET", None), ("PUT", b"changed")):
            answer = call(method, change(link), content=content)
            assert answer.is_client_error, (name, method, answer.status_code)
            assert SECRET not in answer.content, (name, method)
    assert sorted(storage.names("")) == before
    assert [storage.get(name) for name in ("mine", "other")] == [SECRET + b"mine", SECRET + b"other"]


@pytest.mark.parametrize(
    ("way", "others"),
    [("presigned_get", ["PUT", "POST", "DELETE"]), ("presigned_put", ["GET", "HEAD", "POST", "DELETE"])],
)
def test_a_link_is_for_one_method(storage, way, others):
    """One that reads doesn't write or remove, one that writes doesn't read or remove."""
    link = getattr(storage, way)("mine")

    for method in others:
        assert call(method, link).is_client_error, method
    assert storage.get("mine") == SECRET + b"mine"


def test_an_upload_is_whatever_its_owner_put_there_and_shown_to_nobody_as_such(ada, services):
    """A page or a drawing with a script is refused when it is claimed; nothing of it is kept as a picture."""
    for data, kind in ((PAGE, "text/html"), (SVG, "image/svg+xml")):
        made = ada.post("/v1/uploads").json
        assert call("PUT", made["url"], content=data, headers={"Content-Type": kind}).is_success

        assert_problem(ada.post(f"/v1/uploads/{made['upload']}/claim"), 400, "bad_picture")
        job = {"image": {"upload": made["upload"]}, "params": {"octaves": 1}}
        assert_problem(ada.post("/v1/jobs", json=job), 400, "bad_picture")
    assert not services.store.redis.exists("pictures:ada")


def test_a_picture_is_served_as_bytes_whatever_it_was_called(ada):
    """One that was put as a page, and is a page too behind its pixels, leaves the store as bytes to download."""
    made = ada.post("/v1/uploads").json
    both = picture() + PAGE
    call("PUT", made["url"], content=both, headers={"Content-Type": "text/html"})
    job = ada.post("/v1/jobs", json={"image": {"upload": made["upload"]}, "params": {"octaves": 1, "steps": 1}}).json

    answer = call("GET", ada.get(f"/v1/jobs/{job['id']}/input").headers["Location"])
    assert (answer.content, answer.headers["Content-Type"]) == (both, "application/octet-stream")
    content = ada.get(f"/v1/pictures/{job['input']['sha256']}/content")
    assert content.mimetype == "application/octet-stream"
    assert (content.headers["Content-Disposition"], content.headers["X-Content-Type-Options"]) == (
        "attachment",
        "nosniff",
    )


def test_a_result_is_no_page(ada):
    """There are formats of pictures and films, and no others."""
    for kind in ("svg", "html", "text/html", "png;text/html", "PNG", "../png"):
        parts = {"image": (io.BytesIO(picture()), "a.png"), "format": kind}

        assert_problem(ada.post("/v1/jobs", data=parts), 400, "invalid_request")
