"""The page of the command line, from the program's own help."""

from __future__ import annotations

import re

import typer
from typer.cli import get_docs_for_click

from dreamfarm.cli import app


def page() -> str:
    """Return every command with its arguments and options."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="dreamfarm")
    text = get_docs_for_click(obj=command, ctx=context, name="dreamfarm", title="Commands")
    return _escaped(text)


def _escaped(text: str) -> str:
    """Return Markdown in which what stands for something, as <path>, is no HTML."""
    parts = re.split(r"(```.*?```|`[^`\n]*`)", text, flags=re.DOTALL)
    return "".join(part if part.startswith("`") else part.replace("<", "&lt;") for part in parts)
