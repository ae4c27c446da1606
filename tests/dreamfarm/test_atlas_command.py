"""`dreamfarm models atlas`: a page of dreams, made picture by picture."""

import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from dreamcore.atlas import strongest_channels
from dreamcore.models import load_model

QUICK = ("--layers", "fire3,fire5", "--channels", 2, "--size", 75, "--steps", 1)


@pytest.fixture
def photo(tmp_path):
    file = tmp_path / "noise.png"
    Image.fromarray(np.random.default_rng(3).integers(0, 255, (97, 123, 3), dtype=np.uint8)).save(file)
    return file


@pytest.fixture
def atlas(run, tmp_path, photo):
    """Return a function that makes an atlas in one folder, and the folder."""

    def make(*args):
        return run("models", "atlas", "squeezenet", "--photo", photo, "-o", tmp_path / "atlas", *args, url="")

    return make, tmp_path / "atlas"


def test_every_layer_and_its_strongest_channels_are_pictures_on_the_page(atlas):
    """The page shows files that exist, of the asked size, three for each layer, and what dreams each."""
    make, folder = atlas

    result = make(*QUICK)

    assert result.exit_code == 0, result.output
    page = (folder / "index.html").read_text()
    pictures = re.findall(r'<img src="([^"]+)"', page)
    assert len(pictures) == 6
    assert {Image.open(folder / picture).size for picture in pictures} == {(75, 75)}
    assert page.count("--channels fire3:") == page.count("--channels fire5:") == 2


def test_a_run_goes_on_where_another_stopped(atlas):
    """Pictures that are there are kept as they are; the one that is missing is made anew, to the same bytes."""
    make, folder = atlas
    make(*QUICK)
    kept, lost = folder / "pictures/fire3.webp", folder / "pictures/fire5.webp"
    kept.write_bytes(b"somebody's own")
    before = lost.read_bytes()
    lost.unlink()

    assert make(*QUICK).exit_code == 0

    assert kept.read_bytes() == b"somebody's own"
    assert lost.read_bytes() == before


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        ((*QUICK, "--steps", 2), 2, ["holds an atlas that was made otherwise"]),
        (("--layers", "fire33"), 3, ["fire33", "fire3"]),
    ],
)
def test_what_does_not_fit_is_refused(atlas, args, code, words):
    """A folder's atlas is not mixed with one made otherwise, and a wrong layer is answered with the nearest."""
    make, folder = atlas
    make("--layers", "fire3", "--channels", 0, "--size", 75, "--steps", 1)
    before = sorted(folder.rglob("*"))

    result = make(*args)

    assert result.exit_code == code
    assert all(word in result.output for word in words)
    assert sorted(folder.rglob("*")) == before


def test_channels_that_answer_nothing_are_left_out(atlas, photo):
    """On black, some channels have no gradient to follow: they have no picture, and the page stands without them."""
    make, folder = atlas
    Image.new("RGB", (75, 75)).save(photo)

    result = make("--layers", "conv1", "--channels", 64, "--size", 75, "--steps", 1, "--from-photo")

    assert result.exit_code == 0, result.output
    shown = {path.name for path in (folder / "pictures").iterdir()}
    assert 1 <= len(shown) < 65
    assert set(re.findall(r'src="pictures/([^"]+)"', (folder / "index.html").read_text())) == shown


def test_the_strongest_channels_are_those_of_the_highest_means():
    """They come strongest first, and are those that a loop over the layer's answers finds."""
    model = load_model("squeezenet")
    photo = np.random.default_rng(5).integers(0, 255, (97, 123, 3), dtype=np.uint8)
    scaled = photo[None].astype(np.float32) / 127.5 - 1.0
    (answers,) = model.features(("fire3",))(scaled)
    means = [float(np.asarray(answers)[0, :, :, channel].mean()) for channel in range(answers.shape[-1])]

    assert strongest_channels(model, photo, "fire3", 3) == tuple(np.argsort(means)[::-1][:3])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "args", "made"),
    [("atlas", map(str, (*QUICK[:3], 1, *QUICK[4:])), "index.html"), ("export", ("--layers", "fire3"), "")],
    ids=["atlas", "export"],
)
def test_what_the_engines_libraries_say_is_kept_from_the_user(tmp_path, command, args, made):
    """Of making an atlas or an extractor the terminal shows that the engine loads, the bar, and what was made."""
    output = tmp_path / "made.keras"
    wanted = [sys.executable, "-m", "dreamfarm.cli", "models", command, "squeezenet", "-o", str(output), *args]
    done = subprocess.run(wanted, capture_output=True, text=True, check=True)

    assert done.stdout == f"{output / made}\n"
    assert {line.split()[0].rstrip("0123456789-") for line in done.stderr.splitlines()} <= {
        "Loading",
        "fire",
        "Dreaming",
    }
