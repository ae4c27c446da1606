"""`dreamfarm --help` and the shell's completion."""

import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from dreamfarm.cli import app
from dreamfarm.cli.errors import ExitCode

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


@pytest.fixture
def overview(run):
    return run("--help").stdout


def commands():
    return {name: one for name, one in typer.main.get_command(app).commands.items() if not one.hidden}


def test_the_overview_fits_one_screen(overview):
    """Forty lines of eighty characters, however it is asked for."""
    lines = overview.splitlines()

    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80


def test_the_overview_is_complete(overview, run):
    """It names every command with what it does, in its place, and is what the bare command says, too."""
    for name, command in commands().items():
        about = command.help.split("\n")[0].rstrip(".")[:40]
        assert re.search(rf"^  {name} +{re.escape(about)}", overview, re.MULTILINE), name
    assert run().stdout == overview


def test_every_exit_code_is_told(overview):
    """On the screen and on the command line's page, with its number."""
    told = overview.split("Exit codes")[1]

    for code in ExitCode:
        assert re.search(rf"\b{int(code)} ", told)
        assert f"| {int(code)} |" in PAGE.read_text()


def test_the_page_names_no_command_that_is_not_there():
    """Each that a reader of the page types can be run."""
    named = set(re.findall(r"dreamfarm ([a-z]+)", PAGE.read_text()))

    assert {"dream", "submit", "watch"} <= named <= set(commands())


def program(*args, **environment):
    """Return what the program of this name prints."""
    return CliRunner().invoke(app, args, env=environment, prog_name="dreamfarm").stdout


def completed(words, **environment):
    """Return what bash offers for the last of some words."""
    asked = {"_DREAMFARM_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    return program(**asked, **environment).split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        pytest.param(["dreamfarm", "dr"], ["dream"], id="command"),
        pytest.param(["dreamfarm", "dream", "--preset", "mol"], ["molten-color"], id="choice"),
        pytest.param(
            ["dreamfarm", "dream", "--model", "vgg16", "--layers", "block5_conv3,block1_p"],
            ["block5_conv3,block1_pool"],
            id="layers of the model",
        ),
        pytest.param(["dreamfarm", "models", "inception_v"], ["inception_v3"], id="model"),
    ],
)
def test_the_shell_completes(words, offered):
    """Commands, choices, the layers of the model that was named before."""
    assert completed(words) == offered


def test_the_shell_completes_the_farms_jobs(fake):
    """The latest ones; a farm that is away offers none and makes no noise."""
    fake.add("01J")
    fake.add("01K")
    fake.add("02A")

    assert completed(["dreamfarm", "watch", "01"], DREAMFARM_URL=fake.url) == ["01J", "01K"]
    assert completed(["dreamfarm", "watch", "01"], DREAMFARM_URL="http://127.0.0.1:9") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell, monkeypatch):
    """It calls the command back for what to offer."""
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")  # or that of the tests is meant
    script = program("--show-completion", shell)

    assert f"complete_{shell}" in script
    assert "_DREAMFARM_COMPLETE" in script
