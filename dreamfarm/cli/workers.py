"""`dreamfarm workers`."""

from dreamfarm.cli.options import AsJson, FarmUrl, open_farm
from dreamfarm.cli.output import age_text, print_json, print_note, print_rich, table


def workers(*, url: FarmUrl = None, as_json: AsJson = False) -> None:
    """List the workers and what they are at."""
    with open_farm(url) as farm:
        alive = farm.workers()
    if as_json:
        print_json(alive)
        return
    if not alive:
        print_note("No worker is alive; jobs wait until one starts.", style="yellow")
        return
    rows = table("WORKER", "STATE", "DEVICE", "JOB", "HOST", "VERSION", "STARTED", folding=["DEVICE", "HOST"])
    for one in alive:
        rows.add_row(one.id, one.state, one.device, one.job or "", one.host, one.version, age_text(one.started_at))
    print_rich(rows)
