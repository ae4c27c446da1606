"""Batches on the command line: which pictures and points are meant, and how a sheet is laid out."""

from __future__ import annotations

import pytest
import typer
from PIL import Image

from dreamfarm.cli.batches import checked_source, is_several, parse_sweep, pictures_in
from dreamfarm.cli.errors import CommandError
from farm.contact_sheet import CELL_PX, GAP_PX, MISSING, SIDE_PX, TOP_PX, Grid, contact_sheet, grid_of
from farm.sweep import Sweep


def test_a_folder_means_every_picture_below_it_once(tmp_path):
    """Other files are passed over, and a picture named beside its folder is not dreamt twice."""
    (tmp_path / "deep").mkdir()
    for name in ("b.JPG", "a.png", "notes.txt", "deep/c.webp"):
        (tmp_path / name).touch()

    found = pictures_in([tmp_path, tmp_path / "a.png"])

    assert [path.name for path in found] == ["a.png", "b.JPG", "c.webp"]


def test_a_prefix_in_the_farms_store_is_left_to_the_farm(tmp_path):
    """It is several pictures, as a folder is, and stands for itself."""
    prefix = checked_source("s3:photos/ada/")

    assert pictures_in([prefix]) == ["s3:photos/ada/"]
    assert [is_several(one) for one in (prefix, tmp_path, "https://a.example/b.png")] == [True, True, False]


def test_a_folder_without_pictures_is_named(tmp_path):
    """Nothing is handed in, and the message says which folder and what would count."""
    with pytest.raises(CommandError, match=r"holds no pictures \(.*\.png"):
        pictures_in([tmp_path])


@pytest.mark.parametrize(
    ("texts", "product", "zipped"),
    [
        (["step_size=0.01,0.02"], {"step_size": [0.01, 0.02]}, []),
        (["step-size=0.01", "seed=1,2"], {"step_size": [0.01], "seed": [1, 2]}, []),
        (["steps=5,10;octaves=3,4"], {}, [{"steps": [5, 10], "octaves": [3, 4]}]),
        (["layers=fire8,fire9=2"], {"layers": [{"fire8": 1.0}, {"fire9": 2.0}]}, []),
        (["profile=keras,dreamfarm"], {"profile": ["keras", "dreamfarm"]}, []),
        (["max_loss=null,5"], {"max_loss": [None, 5]}, []),
    ],
)
def test_a_sweep_is_read_as_typed(texts, product, zipped):
    """Numbers are numbers, names are names, `;` joins lists; the farm's grammar takes what comes out."""
    sweep = parse_sweep(texts)

    assert sweep == {"product": product, "zip": zipped}
    Sweep.model_validate(sweep)


@pytest.mark.parametrize("text", ["steps", "=1", "steps=", ""])
def test_what_is_no_sweep_is_refused(text):
    """The message shows how one is written."""
    with pytest.raises(typer.BadParameter, match=r"step_size=0\.01"):
        parse_sweep([text])


def test_a_grid_has_the_last_list_across_and_all_others_down():
    """Labels stand in the order of the jobs' numbers."""
    sweep = {"product": {"seed": [1, 2], "steps": [5, 10, 20]}}

    grid = grid_of(sweep, ["sky.png"])

    assert grid.columns == ("steps=5", "steps=10", "steps=20")
    assert grid.rows == ("sky.png  seed=1", "sky.png  seed=2")
    axes = Sweep.model_validate(sweep).axes()
    assert [
        f"seed={axes[i]['seed']}" in grid.rows[i // 3] and f"steps={axes[i]['steps']}" == grid.columns[i % 3]
        for i in range(6)
    ] == [True] * 6


def test_a_sheet_shows_each_picture_in_its_place_and_grey_where_one_is_missing():
    """Job 3 of a grid of two columns is in the second row's second cell."""
    red = Image.new("RGB", (CELL_PX, CELL_PX), "red")

    sheet = contact_sheet(Grid(("a", "b"), ("x", "y")), {3: red})

    middle, pitch = CELL_PX // 2, CELL_PX + GAP_PX
    at = {
        (row, column): sheet.getpixel((SIDE_PX + column * pitch + middle, TOP_PX + row * pitch + middle))
        for row in (0, 1)
        for column in (0, 1)
    }
    assert at == {(0, 0): MISSING, (0, 1): MISSING, (1, 0): MISSING, (1, 1): (255, 0, 0)}
