"""`dreamfarm up` and `dreamfarm demo`: the embedded stack."""

from pathlib import Path
from typing import Annotated, Any

import typer

from dreamfarm.cli.dream_options import dream_options
from dreamfarm.cli.errors import CommandError

DataDir = Annotated[Path, typer.Option("--data", metavar="DIR", help="Folder for the farm's data, logs and addresses.")]


def up(
    *,
    data: DataDir = Path(".dreamfarm"),
    workers: Annotated[int, typer.Option(min=0, help="How many workers to start.")] = 1,
    host: Annotated[str, typer.Option(help="Address to serve on.")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65_535, help="Port to serve on; left out: 8000, or a free one.", show_default=False),
    ] = None,
    keys: Annotated[
        bool | None,
        typer.Option("--keys", help="Ask for keys on this machine, too; other machines always need one."),
    ] = None,
) -> None:
    """Start a farm on this machine, until Ctrl-C.

    Its data stays in the folder, for the next time.
    """
    from dreamfarm.stack import StackError, run_up  # noqa: PLC0415  # servers and all that starts them

    try:
        run_up(data, workers=workers, host=host, port=port, keys=keys)
    except StackError as error:
        raise CommandError(str(error)) from error


@dream_options
def demo(
    params: dict[str, Any],
    *,
    image: Annotated[
        Path | None,
        typer.Option("--image", exists=True, dir_okay=False, readable=True, metavar="FILE", help="Your own picture."),
    ] = None,
) -> None:
    """Start a farm, dream a photograph, show before and after.

    Uses the farm that runs in this folder where there is one.
    """
    from dreamfarm.demo import run_demo  # noqa: PLC0415  # servers and all that starts them

    raise typer.Exit(run_demo(image, params=params))
