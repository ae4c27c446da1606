"""`dreamfarm doctor`: whether all that a farm stands on is well, and what to do where it isn't."""

from __future__ import annotations

import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dreamcore.errors import DreamError
from dreamfarm.address import find_stack
from dreamfarm.cli.errors import ExitCode
from dreamfarm.cli.options import AsJson  # noqa: TC001  # typer reads it
from dreamfarm.cli.output import print_json, print_rich, table
from dreamfarm.cli.quiet import quiet_stderr
from farm.doctor import Finding, look_at_redis, look_at_s3
from farm.settings import Settings, SettingsError, engine_library, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

SIDE_PX = 96
LEAST_FREE_GB = 2
GB = 1e9
MARKS = {"well": "[green]✓[/green]", "warning": "[yellow]![/yellow]", "problem": "[red]✗[/red]"}
FOLDER_STACK_HINT = "Start a farm here with `dreamfarm up`, or set what the lines above name."


def doctor(*, as_json: AsJson = False) -> None:
    """Look at what a farm stands on here, and name what is wrong.

    Redis, S3, the device, the weights, the disk. Ends with 1 at a problem.

    Redis and S3 are those of DREAMFARM_REDIS_URL and its like, or of the embedded stack that runs in this folder.
    """
    findings = [*_servers(), *_engine(), _disk()]
    if as_json:
        print_json(findings)
    else:
        rows = table("", "WHAT", "FOUND", folding=["FOUND"])
        for finding in findings:
            fix = f"\n[yellow]{finding.fix}[/yellow]" if finding.fix else ""
            rows.add_row(MARKS[finding.state], finding.subject, f"{finding.detail}{fix}")
        print_rich(rows)
    if any(finding.state == "problem" for finding in findings):
        raise typer.Exit(ExitCode.FAILED)


def _servers() -> Iterator[Finding]:
    try:
        settings = _settings()
    except SettingsError as error:
        yield Finding(subject="Settings", state="problem", detail=str(error), fix=FOLDER_STACK_HINT)
        return
    yield from look_at_redis(settings)
    yield from look_at_s3(settings)


def _settings() -> Settings:
    from dreamfarm.stack.servers import settings_of  # noqa: PLC0415  # loads what runs servers

    try:
        return load_settings()
    except SettingsError:
        if stack := find_stack():
            return settings_of(stack.folder)
        raise


def _engine() -> Iterator[Finding]:
    library = engine_library()
    if find_spec(library) is None:
        fix = "Install dreamfarm[cpu], dreamfarm[gpu] or dreamfarm[jax]; an api alone needs none of them."
        yield Finding(subject="Engine", state="problem", detail=f"{library} isn't installed.", fix=fix)
        return
    with quiet_stderr():
        yield from _dreamt()


def _dreamt() -> Iterator[Finding]:
    """Dream a tiny picture, and tell on what."""
    import numpy as np  # noqa: PLC0415  # loads the engine, and that alone takes seconds

    from dreamcore import DreamParams, dream  # noqa: PLC0415
    from dreamcore.backend import describe_backend, describe_device  # noqa: PLC0415

    params = DreamParams(octaves=1, steps=1)
    try:
        dream(np.full((SIDE_PX, SIDE_PX, 3), 128, np.uint8), params)
    except DreamError as error:
        yield Finding(subject="Weights", state="problem", detail=str(error), fix="Put the file where it is looked for.")
        return
    yield Finding(subject="Engine", state="well", detail=f"{describe_backend()} on {describe_device()} dreams.")
    yield Finding(subject="Weights", state="well", detail=f"Those of {params.model} are there, with the right hash.")


def _disk() -> Finding:
    folder = Path(tempfile.gettempdir())
    free_gb = shutil.disk_usage(folder).free / GB
    detail = f"{free_gb:.1f} GB are free below {folder}."
    if free_gb >= LEAST_FREE_GB:
        return Finding(subject="Disk", state="well", detail=detail)
    fix = f"Free some: at least {LEAST_FREE_GB} GB, for films, weights and compiled networks."
    return Finding(subject="Disk", state="warning", detail=detail, fix=fix)
