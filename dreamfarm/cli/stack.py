"""`dreamfarm up` and `dreamfarm demo`: the embedded stack."""

import typer


def up() -> None:
    """Start a farm on this machine, until Ctrl-C."""
    from dreamfarm.stack import run_up  # noqa: PLC0415  # servers and all that starts them, needed here alone

    raise typer.Exit(run_up() or 0)


def demo() -> None:
    """Start a farm, dream a photograph, show before and after."""
    from dreamfarm.demo import run_demo  # noqa: PLC0415  # needed here alone

    raise typer.Exit(run_demo() or 0)
