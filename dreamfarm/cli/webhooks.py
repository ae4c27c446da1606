"""`dreamfarm webhooks`: who is told what happens to your jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dreamfarm.cli.options import AsJson, FarmUrl, open_farm
from dreamfarm.cli.output import age_text, print_json, print_note, print_rich, table

if TYPE_CHECKING:
    from farm.account_schema import DeliveryView

app = typer.Typer(help="Have other programs told what happens to your jobs.", no_args_is_help=True)

WebhookId = Annotated[str, typer.Argument(metavar="WEBHOOK_ID", help="As `webhooks list` shows it.")]


@app.command("add")
def add(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The URL to POST to.")],
    *,
    event: Annotated[
        list[str] | None,
        typer.Option(help="job.succeeded, job.failed, job.canceled, job.expired or batch.finished; left out: all."),
    ] = None,
    url: FarmUrl = None,
    as_json: AsJson = False,
) -> None:
    """Add an endpoint and print the secret that it checks signatures with, this once."""
    with open_farm(url) as farm:
        made = farm.add_webhook(address, event or ())
    if as_json:
        print_json(made)
        return
    print_note(f"Webhook {made.id}, told of {', '.join(made.events)}. Keep its secret: it is not shown again.")
    typer.echo(made.secret)


@app.command("list")
def list_webhooks(*, url: FarmUrl = None, as_json: AsJson = False) -> None:
    """List your endpoints; a disabled one says why."""
    with open_farm(url) as farm:
        found = farm.webhooks()
    if as_json:
        print_json(found)
        return
    if not found:
        print_note("No webhooks. `dreamfarm webhooks add https://…` adds one.")
        return
    rows = table("WEBHOOK", "ADDRESS", "EVENTS", "LAST TOLD", "DISABLED", folding=["ADDRESS", "EVENTS", "DISABLED"])
    for one in found:
        told = age_text(one.delivered_at) if one.delivered_at else "never"
        rows.add_row(one.id, one.url, ", ".join(one.events), told, one.disabled or "")
    print_rich(rows)


@app.command("remove")
def remove(webhook_id: WebhookId, *, url: FarmUrl = None) -> None:
    """Remove an endpoint; what was not delivered yet is dropped."""
    with open_farm(url) as farm:
        farm.remove_webhook(webhook_id)
    print_note(f"{webhook_id} is removed.")


@app.command("deliveries")
def deliveries(
    webhook_id: WebhookId,
    *,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Deliveries to list.")] = 20,
    url: FarmUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the latest deliveries, newest first, with what came of them."""
    with open_farm(url) as farm:
        found = farm.deliveries(webhook_id, limit=limit)
    if as_json:
        print_json(found)
        return
    rows = table("DELIVERY", "EVENT", "STATE", "TRIES", "LAST", folding=["DELIVERY", "LAST"])
    for one in found:
        rows.add_row(one.id, one.type, one.state, str(len(one.attempts)), _last(one))
    print_rich(rows)


@app.command("replay")
def replay(
    webhook_id: WebhookId,
    delivery_id: Annotated[str, typer.Argument(metavar="DELIVERY_ID", help="As `webhooks deliveries` shows it.")],
    *,
    url: FarmUrl = None,
) -> None:
    """Deliver once more, under the same id."""
    with open_farm(url) as farm:
        farm.replay(webhook_id, delivery_id)
    print_note(f"{delivery_id} is delivered again.")


def _last(delivery: DeliveryView) -> str:
    if not delivery.attempts:
        return ""
    last = delivery.attempts[-1]
    return last.error or f"{last.status}, {age_text(last.at)}"
