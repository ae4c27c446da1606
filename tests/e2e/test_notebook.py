"""The notebook runs from top to bottom, as a reader would run it."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "dream.ipynb"


@pytest.fixture
def run(tmp_path):
    """Return the notebook's cells of code after a run in a kernel of its own."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    client = NotebookClient(notebook, timeout=200, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env=environment)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def said(cells):
    return "".join(one.text for cell in cells for one in cell.outputs if one.output_type == "stream")


def test_the_notebook_runs(run, tmp_path):
    """Every cell ends well; there are six pictures, the farm's is the engine's, and nothing is left behind."""
    pictures = [one for cell in run for one in cell.outputs if "image/jpeg" in one.get("data", {})]
    words = said(run)

    assert len(pictures) == 6
    assert "succeeded  100%" in words
    assert "the same pixels: True" in words
    assert "'seed': 1" in words
    assert not [line for cell in run for line in cell.outputs if line.output_type == "error"]
    assert list(tmp_path.iterdir()) == []
