"""A batch handed in: its sweep checked first, its pictures uploaded, and found again where it was handed in before."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamfarm.calls import PICTURE_OPTIONS
from dreamfarm.cli.errors import CommandError, ExitCode
from dreamfarm.cli.local import sha256_of
from dreamfarm.cli.output import age_text, counts_text, print_note
from dreamfarm.cli.uploads import upload_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dreamfarm.cli.batches import Source
    from dreamfarm.client import Farm
    from farm.batch_schema import BatchView

    Inputs = list[tuple[str, str]]

ANY_PICTURE = "0" * 64
"""Stands for all pictures where only what is to be done with them is looked at."""
GOOD = ("queued", "running", "succeeded", "failed")


def submit_batch(
    farm: Farm, sources: list[Source], sweep: dict[str, Any], options: dict[str, Any]
) -> tuple[BatchView, ExitCode]:
    """Hand in a batch, or find it again; the code tells whether a picture was left out."""
    files = [source for source in sources if isinstance(source, Path)]
    if files:
        _check(farm, sweep, options)
    stored = upload_all(farm, files)
    inputs = [
        (stored[source].sha256, source.name) if isinstance(source, Path) else (source, source)
        for source in sources
        if not isinstance(source, Path) or source in stored
    ]
    if not inputs:
        raise CommandError("No picture is left to dream.", ExitCode.USAGE)
    left_out = len(files) - len(stored)
    if left_out:
        print_note(f"{left_out} of {len(files)} pictures are left out.", style="yellow")
    batch = _found_or_made(farm, inputs, sweep, options)
    return batch, ExitCode.USAGE if left_out else ExitCode.OK


def _check(farm: Farm, sweep: dict[str, Any], options: dict[str, Any]) -> None:
    """Let the farm refuse what can't be before anything is uploaded."""
    plain = {name: value for name, value in options.items() if name not in PICTURE_OPTIONS}
    farm.plan_batch([(ANY_PICTURE, "any")], sweep=sweep, **plain)


def _found_or_made(farm: Farm, inputs: Inputs, sweep: dict[str, Any], options: dict[str, Any]) -> BatchView:
    key = None if options["fresh"] else batch_key(inputs, sweep, options)
    while True:
        made = farm.submit_batch(inputs, sweep=sweep, **options, idempotency_key=key)
        batch = farm.batch(made.id) if made.replayed else made
        if key is None or not made.replayed or is_whole(batch):
            break
        key = _sha256(f"{key} {batch.id}")  # its successor, which may have been made by now as well
    if made.replayed:
        age = age_text(batch.created_at)
        print_note(f"{batch.id} was handed in before, {age}: {counts_text(batch)}. --fresh makes a new one.")
    return batch


def batch_key(inputs: Inputs, sweep: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    """Return the key of a batch: the same for the same pictures, options and sweep, in the same order."""
    pictures = {name: [sha256_of(file) for file in options.get(name) or ()] for name in PICTURE_OPTIONS}
    return _sha256(json.dumps([inputs, sweep, {**options, **pictures}]))


def is_whole(batch: BatchView) -> bool:
    """Tell whether nothing of a batch was canceled, deleted or has expired, so that it need not be made anew."""
    return sum(batch.counts.get(state, 0) for state in GOOD) == batch.total


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
