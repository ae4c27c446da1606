"""`dreamfarm workers`: who renders, and how they are."""

from __future__ import annotations

from typing import Annotated

import typer

from dreamfarm.cli.options import AsJson, FarmUrl, open_farm
from dreamfarm.cli.output import age_text, print_json, print_note, print_rich, table
from farm.schema import WorkerView  # noqa: TC001  # typer reads it

GB = 1e9

app = typer.Typer(help="List the workers; end one, or bring one back.", invoke_without_command=True)

WorkerId = Annotated[str, typer.Argument(metavar="WORKER", help="Its name, which `dreamfarm workers` shows.")]


@app.callback()
def workers(context: typer.Context, *, url: FarmUrl = None, as_json: AsJson = False) -> None:
    """List the workers and what they are at; end one, or bring one back that is set aside."""
    if context.invoked_subcommand:
        return
    with open_farm(url) as farm:
        alive = farm.workers()
    if as_json:
        print_json(alive)
        return
    if not alive:
        print_note("No worker is alive; jobs wait until one starts.", style="yellow")
        return
    rows = table("WORKER", "STATE", "DEVICE", "MEMORY", "SPEED", "TAGS", "JOB", "HOST", "VERSION", "STARTED")
    for one in alive:
        rows.add_row(*_row(one))
    print_rich(rows)
    for one in alive:
        if one.why:
            print_note(f"{one.id} is set aside. {one.why}", style="yellow")


@app.command("drain")
def drain(worker: WorkerId, *, url: FarmUrl = None) -> None:
    """Let a worker hand its job back, and end."""
    with open_farm(url) as farm:
        print_note(f"{worker} is {farm.drain(worker).state}.")


@app.command("bring-back")
def bring_back(worker: WorkerId, *, url: FarmUrl = None) -> None:
    """Give a worker jobs again that was set aside."""
    with open_farm(url) as farm:
        print_note(f"{worker} is {farm.bring_back(worker).state}.")


def _row(one: WorkerView) -> tuple[str, ...]:
    return (
        one.id,
        one.state.replace("_", " "),
        one.device,
        f"{one.memory_bytes / GB:.1f} GB" if one.memory_bytes else "",
        f"{one.speed:.2f}x" if one.speed else "",
        ", ".join(one.tags),
        one.job or "",
        one.host,
        one.version,
        age_text(one.started_at),
    )
