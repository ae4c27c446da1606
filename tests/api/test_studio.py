"""The studio's pages: what they may load, that all they name is there, and what they weigh."""

import gzip
import json
import re
from html import unescape
from pathlib import Path

import pytest
from flask import Flask

from api import studio
from api.studio.controls import GROUPS
from api.studio.thumbnails import pictured_layers
from dreamcore.params import DreamParams
from dreamcore.presets import PRESETS

ORIGIN = "http://127.0.0.1:9333"
PAGES = ["/", "/jobs", "/jobs/01ABC", "/batches", "/batches/01ABC", "/farm", "/models", "/settings"]
LINK = re.compile(r'"(/studio/static/[^"#]+)')


@pytest.fixture
def client():
    app = Flask("studio alone")
    app.config["STUDIO_IMAGE_ORIGIN"] = ORIGIN
    app.register_blueprint(studio.bp)
    return app.test_client()


def files_of(client, path):
    """All that a page loads: what it names, and what its scripts import in their turn."""
    page = client.get(path).text
    names = set(LINK.findall(page))
    waiting = {name for name in names if name.endswith(".js")}
    while waiting:
        script = client.get(waiting.pop()).text
        imports = {f"/studio/static/{name}" for name in re.findall(r'from "\./([^"]+)"', script)}
        waiting |= imports - names
        names |= imports
    return names


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_from_the_farm_alone(client, path):
    """The policy allows scripts and styles of this origin only, and pictures of the object store besides."""
    policy = dict(part.split(" ", 1) for part in client.get(path).headers["Content-Security-Policy"].split("; "))

    assert policy["default-src"] == "'self'"
    assert policy["img-src"].split() == ["'self'", "blob:", "data:", ORIGIN]
    assert "unsafe" not in " ".join(policy.values())


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_nothing_inline(client, path):
    """No script, style or handler is inline, where the policy would stop it."""
    page = client.get(path).text

    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)


@pytest.mark.parametrize("path", PAGES)
def test_all_that_a_page_names_is_served(client, path):
    """Each file that the page or one of its scripts names is there."""
    names = files_of(client, path)

    assert len(names) >= 5
    assert {name: client.get(name).status_code for name in names} == dict.fromkeys(names, 200)


@pytest.mark.parametrize("path", PAGES)
def test_a_pages_first_load_is_small(client, path):
    """Page, styles, scripts and the pictures that it names are less than 150 kB together as they are sent."""
    packed = {"Accept-Encoding": "gzip"}
    names = [path, *files_of(client, path)]
    layers = Path(studio.__file__).parent.glob("static/layers/squeezenet/*.webp")

    sent = [client.get(name, headers=packed).data for name in names] + [layer.read_bytes() for layer in layers]
    assert sum(map(len, sent)) < 150_000


def test_a_file_is_packed_for_those_who_unpack_it_and_sent_once(client):
    """It is the same file either way, and a browser that has it is told so."""
    path = "/studio/static/studio.css"
    plain, packed = client.get(path), client.get(path, headers={"Accept-Encoding": "gzip"})

    assert gzip.decompress(packed.data) == plain.data
    assert "Content-Encoding" not in plain.headers
    for answer in (plain, packed):
        again = {"Accept-Encoding": "gzip", "If-None-Match": answer.headers["ETag"]}
        assert client.get(path, headers=again).status_code == 304


@pytest.mark.parametrize("path", PAGES)
def test_every_field_has_a_name(client, path):
    """A screen reader can name each field: by a label of its own, around it, or in words."""
    page = client.get(path).text
    for field in re.findall(r"<(?:input|select)\b[^>]*>", page):
        named = re.search(r'\sid="([^"]+)"', field)
        labelled = (named and f'<label for="{named[1]}"' in page) or "aria-label=" in field
        around = re.search(r"<label[^>]*>(?:(?!</label>).)*" + re.escape(field), page, re.DOTALL)
        assert labelled or around or f'for="{named[1]}"' in page, field


def test_a_path_shows_as_text(client):
    """An id that is markup stays within its attribute."""
    page = client.get('/jobs/"><script src=x>').text

    assert "<script src=x>" not in page


def test_the_key_is_out_of_scripts_reach(client):
    """No script keeps the key or reads a cookie; the browser sends it by itself."""
    for name in files_of(client, "/"):
        if name.endswith(".js"):
            assert not re.search(r"Storage|\.cookie|Authorization", client.get(name).text), name


def test_each_control_is_a_parameter_within_its_bounds():
    """The page offers what the engine takes: each control's default and its slider's ends are valid."""
    controls = [control for group in GROUPS for control in group.controls]

    assert len({control.name for control in controls}) == len(controls)
    for control in controls:
        ends = {"range": (control.low, control.high), "choice": [value for value, _ in control.choices]}
        for value in (control.default, *ends.get(control.kind, ())):
            DreamParams.model_validate({control.name: value})


def test_every_parameter_can_be_set_or_is_known_to_be_left_out():
    """Nothing that the engine takes is missing on the page, but terms, which are written as JSON."""
    shown = {control.name for group in GROUPS for control in group.controls}

    assert shown | {"preset", "profile", "model", "layers", "terms"} == set(DreamParams.model_fields)


def test_each_preset_is_shown_by_a_picture(client):
    """The presets are chosen by looking; their pictures are small."""
    page = client.get("/").text

    for name in PRESETS:
        picture = client.get(f"/studio/static/presets/{name}.webp")
        assert f"presets/{name}.webp" in page
        assert picture.data[8:12] == b"WEBP"
        assert len(picture.data) < 10_000


def test_pictures_of_layers_are_shown_once_they_are_there(client, tmp_path):
    """A folder for a network is all that it takes; the pages are told which layers have one."""
    for name in ("vgg16/block1_conv1.webp", "vgg16/notes.txt", "squeezenet/fire8.webp"):
        file = tmp_path / "layers" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()

    assert pictured_layers(tmp_path) == {"squeezenet": ["fire8"], "vgg16": ["block1_conv1"]}
    assert pictured_layers(tmp_path / "none") == {}
    for path in ("/", "/models"):
        told = json.loads(unescape(re.search(r'data-pictured="([^"]*)"', client.get(path).text)[1]))
        for model, layers in told.items():
            assert [client.get(f"/studio/static/layers/{model}/{layer}.webp").status_code for layer in layers] == [
                200
            ] * len(layers)
        assert "fire8" in told["squeezenet"]
