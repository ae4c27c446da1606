"""``dreamfarm up``: the stack in the foreground."""

from __future__ import annotations

import threading
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dreamfarm.stack.ports import LOOPBACK
from dreamfarm.stack.signals import treat_signals_as_interrupt
from dreamfarm.stack.stack import Stack


def run_up(
    data_dir: Path = Path(".dreamfarm"),
    *,
    workers: int = 1,
    host: str = LOOPBACK,
    port: int | None = None,
    keys: bool | None = None,
) -> None:
    """Run a farm until Ctrl-C or SIGTERM, then stop all of it.

    Raises
    ------
    StackError
        It can't be started.
    """
    console = Console()
    treat_signals_as_interrupt()
    try:
        with Stack(data_dir, workers=workers, host=host, api_port=port, keys=keys, say=console.print) as stack:
            _serve(stack, workers, console)
    except KeyboardInterrupt:
        console.print("Stopped.")


def _serve(stack: Stack, workers: int, console: Console) -> None:
    try:
        if workers:
            console.print("Loading the engine …")
            stack.wait_for_workers(workers)
        console.print(_addresses(stack))
        if stack.asks_for_keys:
            console.print("Requests need a key: `dreamfarm keys create --owner NAME --scope admin` makes one here.")
        console.print("Ctrl-C stops it. The data stays.")
        threading.Event().wait()
    finally:
        console.print("Stopping; jobs at work are handed back …")


def _addresses(stack: Stack) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False)
    rows = {
        "studio": f"{stack.api_url}/",
        "api": f"{stack.api_url}/v1",
        "docs": f"{stack.api_url}/docs",
        "data": str(stack.data_dir),
        "logs": str(stack.data_dir / "logs"),
    }
    for name, value in rows.items():
        table.add_row(f"[bold]{name}[/bold]", value)
    return table
