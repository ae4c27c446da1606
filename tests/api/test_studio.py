"""The studio's page: what it is allowed to load, and that all it names is there."""

import re

import pytest
from flask import Flask

from api import studio

ORIGIN = "http://127.0.0.1:9333"


@pytest.fixture
def client():
    app = Flask("studio alone")
    app.config["STUDIO_IMAGE_ORIGIN"] = ORIGIN
    app.register_blueprint(studio.bp)
    return app.test_client()


def test_page_loads_from_the_farm_alone(client):
    """The policy allows scripts and styles of this origin only, and pictures of the object store besides."""
    policy = dict(part.split(" ", 1) for part in client.get("/").headers["Content-Security-Policy"].split("; "))

    assert policy["default-src"] == "'self'"
    assert policy["img-src"].split() == ["'self'", "blob:", "data:", ORIGIN]
    assert "unsafe" not in " ".join(policy.values())


def test_the_key_is_in_no_address(client):
    """The page's scripts send it as a header, and keep it while the tab is open."""
    script = client.get("/studio/static/key.js").text

    assert "sessionStorage" in script
    assert "Authorization" in script
    assert not re.search(r"localStorage|cookie|[?&]key=", script)


def test_page_has_nothing_inline(client):
    """No script, style or handler is inline, where the policy would stop it."""
    page = client.get("/").text

    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)


def test_all_that_the_page_names_is_served(client):
    """Each file that the page or one of its scripts names is there."""
    page = client.get("/").text
    names = set(re.findall(r'"(/studio/static/[^"]+)"', page))
    waiting = {name for name in names if name.endswith(".js")}
    while waiting:
        imports = re.findall(r'from "\./([^"]+)"', client.get(waiting.pop()).text)
        waiting |= {f"/studio/static/{imported}" for imported in imports} - names
        names |= waiting

    assert len(names) >= 7
    assert {name: client.get(name).status_code for name in names} == dict.fromkeys(names, 200)


def test_every_field_has_a_label(client):
    """A screen reader can name each field of the form."""
    form = "".join(part.split("</form>")[0] for part in client.get("/").text.split("<form")[1:])
    fields = re.findall(r'<(?:input|select)[^>]*\sid="([^"]+)"', form)

    labelled = set(re.findall(r'<label for="([^"]+)"', form)) | set(
        re.findall(r'<label[^>]*>\s*<input[^>]*\sid="([^"]+)"', form)
    )
    assert set(fields) == labelled
