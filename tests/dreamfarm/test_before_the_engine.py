"""What `dreamfarm dream` and `zoom` refuse before they load the engine, which takes its time."""

import pytest
from typer.testing import CliRunner

from dreamfarm.cli import app
from tests.support import picture

TERM = '[{"layer": "fire8", "mask": 1}]'
MATCH = '[{"layer": "fire8", "kind": "guide-match"}]'


@pytest.fixture
def files(tmp_path):
    """Make a photo, a mask of another shape and a guide that is too small."""
    for name, size in (("photo", (80, 64)), ("mask", (64, 80)), ("guide", (20, 20))):
        (tmp_path / f"{name}.png").write_bytes(picture(*size))
    return tmp_path


@pytest.mark.parametrize("command", ["dream", "zoom"])
@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param(["--mask", "mask.png"], "The mask is ", id="a mask of another shape"),
        pytest.param(["--guide", "guide.png", "--terms", MATCH], "The guide is 20x20 px", id="a guide too small"),
        pytest.param(["--terms", TERM], "A term names mask 1", id="a mask that is absent"),
        pytest.param(["--objective", "guide-dot"], "follows a guide picture: give one", id="no guide"),
    ],
)
def test_what_does_not_go_together_is_wrong_input(files, monkeypatch, command, options, says):
    """It is said in one line with the exit code of wrong input, and the engine wasn't loaded for it."""
    monkeypatch.chdir(files)

    told = CliRunner().invoke(app, [command, "photo.png", *options])

    assert (told.exit_code, told.stdout) == (2, "")
    [line] = told.stderr.splitlines()
    assert says in line
