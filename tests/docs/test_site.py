"""The documentation's site: built strictly, whole, and without anything from elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from dreamcore.profiles import PROFILES
from farm.settings import Settings
from infra.site import http

ROOT = Path(__file__).parents[2]
PICTURED = ("index", "tutorial", "studio", "presets", "zoom", "capacity", "objectives", "models")


class Page(HTMLParser):
    """What a page refers to, what it can be referred to by, and its text."""

    def __init__(self, path):
        super().__init__()
        self.path, self.ids, self.links, self.loaded, self.words = path, set(), [], [], []
        self.feed(path.read_text())
        self.text = "".join(self.words)

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        self.ids.update(told[name] for name in ("id", "name") if told.get(name))
        if tag == "a" and told.get("href"):
            self.links.append(told["href"])
        elif tag in {"img", "script", "iframe", "source"} and told.get("src"):
            self.loaded.append(told["src"])
        elif tag == "link" and told.get("href") and told.get("rel") != "canonical":
            self.loaded.append(told["href"])

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Build the site as `make docs` does."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, timeout=240,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(folder):
    return {path.relative_to(folder).as_posix(): Page(path) for path in folder.rglob("*.html")}


def targets(page):
    """Return what a page refers to within the site: (link, file, anchor)."""
    for link in page.links + page.loaded:
        parts = urlsplit(link)
        if not parts.scheme and not parts.netloc and page.path.name != "404.html":
            file = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
            yield link, file / "index.html" if file.is_dir() else file, parts.fragment


def test_every_page_is_built(folder, pages):
    """Each Markdown file of the folder, and those that are made from the program."""
    sources = {
        path.relative_to(ROOT / "docs").with_suffix(".html").as_posix() for path in (ROOT / "docs").rglob("*.md")
    }
    made = {f"reference/{name}.html" for name in ("http", "commands", "settings", "recipes")}

    assert sources | made | {"architecture.html", "contributing.html", "changelog.html"} <= set(pages)
    assert len(list((ROOT / "docs" / "decisions").glob("0*.md"))) >= 10
    assert (folder / "search" / "search_index.json").stat().st_size > 100_000


def test_every_link_and_anchor_leads_somewhere(pages):
    """Within the site: each file is there, and has the place that is named."""
    by_path = {page.path: page for page in pages.values()}
    broken = [
        (page.path.name, link)
        for page in pages.values()
        for link, file, anchor in targets(page)
        if not file.exists() or (anchor and anchor not in by_path[file].ids)
    ]

    assert broken == []


def test_nothing_is_loaded_from_elsewhere(pages):
    """Scripts, styles, fonts and pictures are the site's own, so that it can be read without internet."""
    foreign = {one for page in pages.values() for one in page.loaded if urlsplit(one).netloc}

    assert foreign == set()


def test_style_sheets_name_no_other_site(folder):
    """Not by an import or a font either."""
    for sheet in folder.rglob("*.css"):
        assert "url(http" not in sheet.read_text()
        assert "url(//" not in sheet.read_text()


def test_pictures_stand_where_they_help(pages):
    """These pages show what they speak of."""
    for name in PICTURED:
        assert any("images/" in one for one in pages[f"{name}.html"].loaded), name


def test_the_reference_is_whole(pages):
    """Each call and answer model, each setting, each recipe and each command is found."""
    told = http.contract()
    calls = [f"{verb.upper()} {path}" for path, verbs in told["paths"].items() for verb in verbs if verb in http.VERBS]
    on_http, on_settings = pages["reference/http.html"], pages["reference/settings.html"]

    assert len(calls) > 30
    assert [call for call in calls if call not in on_http.text] == []
    assert {name.lower() for name in told["components"]["schemas"]} <= on_http.ids
    assert [name for name in Settings.model_fields if f"DREAMFARM_{name.upper()}" not in on_settings.text] == []
    assert [name for name in PROFILES if name not in pages["reference/recipes.html"].text] == []
    for command in ("dream", "zoom", "submit", "workers drain", "keys create", "models atlas"):
        assert f"dreamfarm-{command.replace(' ', '-')}" in pages["reference/commands.html"].ids
