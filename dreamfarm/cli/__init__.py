"""The `dreamfarm` command."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from dreamcore.own_models import add_folder
from dreamcore.version import __version__
from dreamfarm.cli import (
    atlas,
    audit,
    doctor,
    dream,
    estimate,
    jobs,
    keys,
    models,
    own_models,
    results,
    stack,
    submit,
    webhooks,
    workers,
    zoom,
)
from dreamfarm.cli.errors import DreamfarmGroup
from dreamfarm.cli.options import remember_key

app = typer.Typer(
    cls=DreamfarmGroup,
    invoke_without_command=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)

HERE = "On this machine"
FARM = "With a farm"
JOBS = "Jobs"

app.command(rich_help_panel=HERE)(dream.dream)
app.command(rich_help_panel=HERE)(zoom.zoom)
app.command(rich_help_panel=HERE)(estimate.estimate)
models.app.command("atlas")(atlas.atlas)
models.app.command("add")(own_models.add)
app.add_typer(models.app, name="models", rich_help_panel=HERE)
app.command(rich_help_panel=FARM)(stack.demo)
app.command(rich_help_panel=FARM)(stack.up)
app.add_typer(workers.app, name="workers", rich_help_panel=FARM)
app.add_typer(keys.app, name="keys", rich_help_panel=FARM)
app.add_typer(webhooks.app, name="webhooks", rich_help_panel=FARM)
app.command(rich_help_panel=FARM)(audit.audit)
app.command(rich_help_panel=FARM)(doctor.doctor)
app.command(rich_help_panel=JOBS)(submit.submit)
app.command(rich_help_panel=JOBS)(submit.watch)
app.command("list", rich_help_panel=JOBS)(jobs.list_jobs)
app.command("batches", rich_help_panel=JOBS)(jobs.list_batches)
app.command(rich_help_panel=JOBS)(jobs.show)
app.command(rich_help_panel=JOBS)(results.get)
app.command(rich_help_panel=JOBS)(jobs.cancel)
app.command(rich_help_panel=JOBS)(jobs.retry)
app.command(rich_help_panel=JOBS)(jobs.delete)


def _print_version(wanted: bool) -> None:  # noqa: FBT001  # a callback's signature is typer's
    if wanted:
        typer.echo(f"dreamfarm {__version__}")
        raise typer.Exit


@app.callback()
def dreamfarm(
    context: typer.Context,
    *,
    version: Annotated[  # noqa: ARG001  # its callback does it
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            envvar="DREAMFARM_KEY",
            metavar="KEY",
            help="Your key to the farm. Others on this machine can see options, and not the variable.",
            show_default=False,
        ),
    ] = None,
    models_dir: Annotated[
        Path | None,
        typer.Option(
            "--models-dir",
            envvar="DREAMFARM_MODELS_DIR",
            metavar="DIR",
            help="Folder of networks of your own, made with `dreamfarm models add`.",
            show_default=False,
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show on stderr what happens inside.")] = False,
) -> None:
    """DeepDream for one picture or ten thousand."""
    remember_key(key)
    add_folder(models_dir)
    if debug:
        logging.basicConfig(level=logging.DEBUG)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the command line; the entry point of the program."""
    app(prog_name="dreamfarm")
