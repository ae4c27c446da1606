"""`dreamfarm workers`: who renders, and how they are."""

from __future__ import annotations

from typing import Annotated

import typer

from dreamfarm.cli.options import AsJson, FarmUrl, open_farm
from dreamfarm.cli.output import age_text, print_json, print_note, print_records
from farm.schema import WorkerView  # noqa: TC001  # typer reads it

GB = 1e9
SPARE = ("VERSION", "HOST", "STARTED", "TAGS", "SPEED", "MEMORY")
FOLDING = ("WORKER", "DEVICE", "JOB")

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
    print_records([_record(one) for one in alive], spare=SPARE, folding=FOLDING)
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


def _record(one: WorkerView) -> dict[str, str]:
    return {
        "WORKER": one.id,
        "STATE": one.state.replace("_", " "),
        "DEVICE": one.device,
        "MEMORY": f"{one.memory_bytes / GB:.1f} GB" if one.memory_bytes else "",
        "SPEED": f"{one.speed:.2f}x" if one.speed else "",
        "TAGS": ", ".join(one.tags),
        "JOB": one.job or "",
        "HOST": one.host,
        "VERSION": one.version,
        "STARTED": age_text(one.started_at),
    }
