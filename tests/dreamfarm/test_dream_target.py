"""Where a dream is written, what is dreamt again, and what a picture looks like in a terminal. No engine."""

import hashlib
import io
import re

import pytest
from PIL import Image
from rich.console import Console

from dreamcore.params import DreamParams
from dreamcore.pictures import decode, encode
from dreamcore.recipe import Recipe
from dreamfarm.cli.again import Earlier
from dreamfarm.cli.dream_target import Target, Wanted
from dreamfarm.cli.errors import CommandError
from dreamfarm.cli.terminal import can_show, half_blocks
from tests.support import picture

HASHES = {"weights_sha256": "0" * 64}
PARAMS = DreamParams(steps=3, seed=5)


def wanted(params=PARAMS, **changes):
    given = {"input_sha256": "1" * 64, "guides_sha256": (), "masks_sha256": (), **HASHES}
    return Wanted(params, **{**given, **changes})


def make_dream(path, what):
    """Write a result that was made by this recipe."""
    recipe = Recipe(**{**vars(what), "params": what.params}, backend="none", device="none")
    path.write_bytes(encode(decode(picture()), format="png", recipe=recipe.to_json()))


def test_a_dream_takes_the_first_name_that_is_free(tmp_path):
    """Another dream of the same picture stays; a third one is put beside both; this very one is found."""
    photo, target = tmp_path / "sky.jpg", Target.chosen(None, None, several=False)
    other = wanted(DreamParams(seed=6))

    assert target.place(photo, wanted()) == (tmp_path / "sky-dream.png", False)
    make_dream(tmp_path / "sky-dream.png", other)
    assert target.place(photo, wanted()) == (tmp_path / "sky-dream-2.png", False)
    make_dream(tmp_path / "sky-dream-2.png", wanted())
    assert target.place(photo, wanted()) == (tmp_path / "sky-dream-2.png", True)
    assert target.place(photo, other) == (tmp_path / "sky-dream.png", True)


@pytest.mark.parametrize("change", ["input_sha256", "weights_sha256"])
def test_a_dream_of_something_else_is_another_one(tmp_path, change):
    """The same parameters on another picture, or with other weights, are not this very dream."""
    make_dream(tmp_path / "sky-dream.png", wanted(**{change: "2" * 64}))

    assert not Target.chosen(None, None, several=False).place(tmp_path / "sky.jpg", wanted())[1]


def test_a_file_that_was_named_is_written(tmp_path):
    """Whatever lies there: a dream of another kind, or no picture at all."""
    target = Target.chosen(tmp_path / "out.png", None, several=False)
    (tmp_path / "out.png").write_text("no picture")

    assert target.place(tmp_path / "sky.jpg", wanted()) == (tmp_path / "out.png", False)


def test_several_go_into_a_folder(tmp_path):
    """It is made; pictures of one name in two folders don't get in each other's way."""
    target = Target.chosen(tmp_path / "out", "webp", several=True)

    first, _ = target.place(tmp_path / "a" / "x.jpg", wanted())
    make_dream(first, wanted())
    second, _ = target.place(tmp_path / "b" / "x.jpg", wanted(input_sha256="2" * 64))

    assert (first, second) == (tmp_path / "out" / "x-dream.webp", tmp_path / "out" / "x-dream-2.webp")


@pytest.mark.parametrize(
    ("output", "kind", "several", "words"),
    [
        pytest.param("out.jpg", "png", False, "agrees with --format", id="format"),
        pytest.param("out.tiff", None, False, r"\.png, \.jpg or \.webp", id="ending"),
        pytest.param("no/out.png", None, False, "there is no folder", id="folder"),
        pytest.param("out.png", None, True, "name a folder", id="several"),
    ],
)
def test_a_target_that_can_not_be_is_refused(tmp_path, output, kind, several, words):
    """The message names the file and what to name instead."""
    with pytest.raises(CommandError, match=words):
        Target.chosen(tmp_path / output, kind, several=several)


@pytest.fixture
def earlier(tmp_path):
    """Return a result in a folder with the picture and the guide that it was made of, under other names."""
    (tmp_path / "renamed.png").write_bytes(picture(30, 20, seed=1))
    (tmp_path / "guide of then.png").write_bytes(picture(30, 20, seed=2))
    hashes = [hashlib.sha256(picture(30, 20, seed=seed)).hexdigest() for seed in (1, 2)]
    make_dream(tmp_path / "dream.png", wanted(input_sha256=hashes[0], guides_sha256=(hashes[1],)))
    return Earlier(tmp_path / "dream.png")


def test_again_finds_the_pictures_beside_the_result(earlier, tmp_path):
    """By their bytes, whatever they are called now; those that are given go first."""
    assert earlier.picture() == tmp_path / "renamed.png"
    assert earlier.guides(None) == [tmp_path / "guide of then.png"]
    assert earlier.guides([tmp_path / "other.png"]) == [tmp_path / "other.png"]
    assert earlier.masks(None) == []


def test_again_names_what_is_missing(earlier, tmp_path):
    """And how to give it."""
    (tmp_path / "guide of then.png").unlink()

    with pytest.raises(CommandError, match=r"made with a guide that is not in .* Name it with --guide"):
        earlier.guides(None)


def test_again_takes_the_recipe_with_changes(earlier):
    """All parameters are the result's but those given; another network doesn't keep the layers of the first."""
    assert DreamParams.model_validate(earlier.params({})) == PARAMS
    assert earlier.params({"seed": 9}) == {**PARAMS.model_dump(mode="json"), "seed": 9}
    assert earlier.params({"model": "squeezenet"})["layers"] == PARAMS.model_dump(mode="json")["layers"]
    assert "layers" not in earlier.params({"model": "inception_v3"})


def test_again_and_a_whole_look_contradict_each_other(earlier):
    """A preset fills in what isn't given, and a recipe gives everything."""
    with pytest.raises(CommandError, match=r"--preset .* Leave one of them out"):
        earlier.params({"preset": "glowing-embers"})


def test_a_picture_without_a_recipe_is_named(tmp_path):
    """A photograph is no dream."""
    (tmp_path / "sky.png").write_bytes(picture())

    with pytest.raises(CommandError, match=r"sky\.png has no recipe"):
        Earlier(tmp_path / "sky.png")


def terminal(**settings):
    return Console(file=io.StringIO(), width=40, height=20, **settings)


def test_half_blocks_are_the_pictures_colours():
    """Red above blue: the upper rows of characters are red, the lower blue, in the picture's shape."""
    image = Image.new("RGB", (20, 20), (255, 0, 0))
    image.paste((0, 0, 255), (0, 10, 20, 20))
    console = terminal(force_terminal=True, color_system="truecolor")

    console.print(half_blocks(image, console))

    rows = console.file.getvalue().rstrip("\n").split("\n")
    assert len(rows) == 12
    assert {row.count("▀") for row in rows} == {24}
    assert set(re.findall(r"[34]8;2;(\d+;\d+;\d+)", rows[0])) == {"255;0;0"}
    assert set(re.findall(r"[34]8;2;(\d+;\d+;\d+)", rows[-1])) == {"0;0;255"}


@pytest.mark.parametrize(
    "settings", [{}, {"force_terminal": True, "color_system": "standard"}], ids=["file", "few colours"]
)
def test_pictures_need_a_terminal_with_colours(settings):
    """A file, or a terminal of sixteen colours, gets none."""
    assert not can_show(terminal(**settings))
