"""Who changed what, when, and from where: the last so many changes, newest last."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from farm import keys
from farm.account_schema import AuditEntry
from farm.redis import redis_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from farm.redis import TextRedis

PAGE = 200
KEPT = 100_000
"""Entries kept, about 20 MB of Redis."""


class AuditLog:
    """A stream, capped at `kept` entries or a few more."""

    def __init__(self, redis: TextRedis, *, kept: int = KEPT) -> None:
        self.redis = redis
        self.kept = kept

    @redis_errors()
    def add(self, *, owner: str, key_id: str | None, action: str, subject: str, address: str | None) -> None:
        """Note a change that was made."""
        fields = {"owner": owner, "key": key_id, "action": action, "subject": subject, "address": address}
        given = {name: value for name, value in fields.items() if value}
        self.redis.xadd(keys.AUDIT, given, maxlen=self.kept, approximate=True)

    @redis_errors()
    def page(
        self, *, limit: int, before: str | None = None, owner: str | None = None, subject: str | None = None
    ) -> tuple[list[AuditEntry], str | None]:
        """Return up to `limit` entries older than the id `before`, newest first, and the id to go on from."""
        found: list[AuditEntry] = []
        for entry in self._newest_first(before):
            if owner in {None, entry.owner} and subject in {None, entry.subject}:
                if len(found) == limit:
                    return found, found[-1].id
                found.append(entry)
        return found, None

    def _newest_first(self, before: str | None) -> Iterator[AuditEntry]:
        if before and not any(map(int, before.split("-"))):
            return  # nothing is older than the first id of all, and Redis refuses the question
        highest = f"({before}" if before else "+"
        while entries := self.redis.xrevrange(keys.AUDIT, max=highest, count=PAGE):
            for entry_id, fields in entries:
                yield _entry(entry_id, fields)
            highest = f"({entries[-1][0]}"


def _entry(entry_id: str, fields: Mapping[str, str]) -> AuditEntry:
    made_at = datetime.fromtimestamp(int(entry_id.partition("-")[0]) / 1000, UTC)
    return AuditEntry.model_validate({**fields, "id": entry_id, "made_at": made_at})
