"""`dreamfarm audit`: who changed what."""

from typing import Annotated

import typer

from dreamfarm.cli.options import AsJson, FarmUrl, open_farm
from dreamfarm.cli.output import print_json, print_note, print_rich, table


def audit(
    *,
    owner: Annotated[str | None, typer.Option(help="Only this owner's changes.", show_default=False)] = None,
    subject: Annotated[
        str | None, typer.Option("--id", help="Only changes of the job, batch, upload or key of this id.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    url: FarmUrl = None,
    as_json: AsJson = False,
) -> None:
    """List who changed what, newest first; for admins."""
    with open_farm(url) as farm:
        found = list(farm.audit(owner=owner, subject=subject, limit=limit))
    if as_json:
        print_json(found)
        return
    if not found:
        print_note("No changes.")
        return
    rows = table("WHEN", "OWNER", "CHANGE", "OF", "KEY", "FROM")
    for one in found:
        when = f"{one.made_at:%Y-%m-%d %H:%M:%S}"
        rows.add_row(when, one.owner, one.action, one.subject, one.key or "", one.address or "")
    print_rich(rows)
