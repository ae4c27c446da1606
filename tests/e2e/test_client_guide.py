"""The client's page: all its examples run, one after the other, against a whole farm."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from tests.support import picture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PAGE = Path(__file__).parents[2] / "docs" / "client.md"
ADDRESS = "http://127.0.0.1:8000"


def examples(address):
    """Return the page's Python as one program, whose lines have the numbers that they have on the page."""
    text = PAGE.read_text()
    program = re.sub(r"[^\n]", "", text)
    for block in re.finditer(r"```python\n(.*?)```", text, re.DOTALL):
        first = text[: block.start(1)].count("\n")
        lines = program.split("\n")
        code = block[1].split("\n")
        program = "\n".join([*lines[:first], *code, *lines[first + len(code) :]])
    return program.replace(ADDRESS, address)


def test_every_example_runs(stack, tmp_path, monkeypatch, capsys):
    """As written, with the farm's address in place of the page's; each says and leaves what the page promises."""
    monkeypatch.chdir(tmp_path)
    Path("sky.jpg").write_bytes(picture(160, 120))

    exec(compile(examples(stack.api_url), PAGE, "exec"), {})  # noqa: S102  # our own page

    said = capsys.readouterr().out.splitlines()
    dreams = {file.name: Image.open(file).size for file in tmp_path.glob("*.png")}
    assert dreams == dict.fromkeys(["dream.png", "molten.png", "dream-1.png", "dream-2.png", "dream-3.png"], (160, 120))
    assert said[0].startswith("160 120 ")
    assert {"[1, 2, 3]", "2", "0.01 succeeded", "0.04 succeeded", "invalid_request 400"} <= set(said)
    assert any(line.startswith("succeeded 100%") for line in said)
    assert any("octaves" in line and "99" in line for line in said)
