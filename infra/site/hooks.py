"""Pages of the documentation that are made from the program when the site is built."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

from infra.site import commands, http, recipes, settings

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parents[2]
PAGES = {
    "reference/http.md": http.page,
    "reference/commands.md": commands.page,
    "reference/settings.md": settings.page,
    "reference/recipes.md": recipes.page,
}
OF_THE_ROOT = {
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Files that people look for in the repository's root, and their pages."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put pages that the navigation doesn't name behind those that it does."""
    known = set(re.findall(r"[\w/-]+\.md", str(config.nav)))
    docs = ROOT / "docs"
    others = [file.name for file in sorted(docs.glob("*.md")) if file.name not in known]
    decisions = [{"Decisions": ["decisions/index.md", *(f"decisions/{file.name}" for file in _decisions())]}]
    nav = config.nav or []
    how_to = next(section["How to"] for section in nav if "How to" in section)
    how_to.extend(others)
    next(section["Explanation"] for section in nav if "Explanation" in section).extend(decisions)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are no files of the folder."""
    for path, made in PAGES.items():
        files.append(File.generated(config, path, content=made()))
    for name, path in OF_THE_ROOT.items():
        files.append(File.generated(config, path, content=_of_the_root(ROOT / name)))
    files.append(File.generated(config, "decisions/index.md", content=_index(_decisions())))
    return files


def _decisions() -> list[Path]:
    return sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


def _of_the_root(path: Path) -> str:
    """Return a file's text with its links as they are among the pages."""
    text = path.read_text().replace("](docs/", "](")
    for name, page in OF_THE_ROOT.items():
        text = text.replace(f"]({name})", f"]({page})")
    return text


def _index(decisions: list[Path]) -> str:
    lines = [
        "# Decisions",
        "",
        "The biggest ones: what stood to choose, what was chosen, and what follows from it.",
        "",
    ]
    for path in decisions:
        title = re.sub(r"^# ", "", path.read_text().split("\n", 1)[0])
        lines.append(f"- [{title}]({path.name})")
    return "\n".join(lines) + "\n"
