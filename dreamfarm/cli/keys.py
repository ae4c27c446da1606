"""`dreamfarm keys`: who may use a farm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dreamfarm.address import find_stack
from dreamfarm.cli.errors import CommandError, ExitCode
from dreamfarm.cli.options import AsJson, FarmUrl, given_key, open_farm
from dreamfarm.cli.output import age_text, print_json, print_note, print_rich, table
from farm.account_schema import KeyView, NewKeyView, Scope

if TYPE_CHECKING:
    from rich.table import Table

    from farm.api_keys import ApiKeys

app = typer.Typer(help="Make, list and revoke keys.", no_args_is_help=True)

KeyId = Annotated[str, typer.Argument(metavar="KEY_ID", help="The key's id, which `keys list` shows.")]


@app.command("create")
def create(
    *,
    owner: Annotated[str, typer.Option(help="Whose jobs it sees and makes.", metavar="NAME")],
    scope: Annotated[
        str, typer.Option(help="What it is good for, comma-separated: read, submit, admin.", metavar="SCOPES")
    ] = "submit,read",
    name: Annotated[str | None, typer.Option(help="What it is for.", show_default=False)] = None,
    url: FarmUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, this once.

    The first one is made on a machine that has the farm's settings (DREAMFARM_REDIS_URL …) or in the folder of an
    embedded stack; others also from elsewhere, with the key of an admin.
    """
    scopes = _scopes(scope)
    if _by_http(url):
        with open_farm(url) as farm:
            made = farm.create_key(owner, scopes, name=name)
    else:
        made = _made_in_store(owner, scopes, name)
    if as_json:
        print_json(made)
        return
    print_note(f"Key {made.id} of {owner}, good for {', '.join(made.scopes)}. Keep it: it is not shown again.")
    typer.echo(made.key)


@app.command("list")
def list_keys(*, url: FarmUrl = None, as_json: AsJson = False) -> None:
    """List all keys, the revoked ones too."""
    if _by_http(url):
        with open_farm(url) as farm:
            found = farm.keys()
    else:
        found = _store().list()
    if as_json:
        print_json(found)
    elif found:
        print_rich(_rows(found))
    else:
        print_note("No keys. `dreamfarm keys create --owner NAME --scope admin` makes one.")


@app.command("revoke")
def revoke(key_id: KeyId, *, url: FarmUrl = None) -> None:
    """Revoke a key: it opens nothing from now on."""
    if _by_http(url):
        with open_farm(url) as farm:
            farm.revoke_key(key_id)
    else:
        keys = _store()
        keys.revoke(key_id)
        _note(keys, "revoke_key", key_id)
    print_note(f"{key_id} is revoked.")


def _by_http(url: str | None) -> bool:
    return bool(url or given_key())


def _scopes(text: str) -> list[Scope]:
    try:
        return [Scope(part.strip()) for part in text.split(",")]
    except ValueError:
        raise CommandError(
            f"--scope {text!r}: each must be one of {', '.join(Scope)}, as in --scope submit,read.", ExitCode.USAGE
        ) from None


def _made_in_store(owner: str, scopes: list[Scope], name: str | None) -> NewKeyView:
    from farm.api_keys import checked_owner  # noqa: PLC0415  # see _store

    try:
        keys = _store()
        view, token = keys.create(checked_owner(owner), scopes, name=name)
        _note(keys, "create_key", view.id)
    except ValueError as error:
        raise CommandError(str(error), ExitCode.USAGE) from None
    return NewKeyView(**view.model_dump(), key=token)


def _store() -> ApiKeys:
    """Return the farm's keys themselves, for those who hold its settings or run the embedded stack here."""
    from farm.api_keys import ApiKeys  # noqa: PLC0415  # what speaks with Redis isn't loaded for other commands
    from farm.redis import connect_redis  # noqa: PLC0415
    from farm.settings import Settings, load_settings  # noqa: PLC0415

    stack = find_stack()
    settings = Settings(redis_url=stack.redis_url, s3_bucket="dreams") if stack else load_settings()
    return ApiKeys(connect_redis(settings))


def _note(keys: ApiKeys, action: str, key_id: str) -> None:
    from farm.audit import AuditLog  # noqa: PLC0415  # see _store
    from farm.owners import LOCAL  # noqa: PLC0415

    AuditLog(keys.redis).add(owner=LOCAL, key_id=None, action=action, subject=key_id, address=None)


def _rows(found: list[KeyView]) -> Table:
    rows = table("KEY", "OWNER", "SCOPES", "NAME", "MADE", "LAST USED", "REVOKED", folding=["NAME"])
    for key in found:
        used, gone = (age_text(moment) if moment else "" for moment in (key.last_used_at, key.revoked_at))
        rows.add_row(key.id, key.owner, ",".join(key.scopes), key.name or "", age_text(key.created_at), used, gone)
    return rows
