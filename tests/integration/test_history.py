"""The farm's last two hours, minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dreamcore.params import DreamParams
from farm import keys
from farm.history import KEPT_MINUTES, HistoryStore
from tests.support import picture

NOON = datetime(2026, 3, 4, 12, 0, 30, tzinfo=UTC)


def submit(services):
    return services.jobs.create(services.pictures.look_at(picture()), DreamParams(octaves=1))


def test_a_minute_is_noted_once(services):
    """By whoever is first; what happens later in it shows in the next."""
    submit(services)
    services.history.note(now=NOON)
    submit(services)
    services.history.note(now=NOON + timedelta(seconds=20))
    HistoryStore(services.store.redis, services.workers).note(now=NOON + timedelta(seconds=29))
    services.history.note(now=NOON + timedelta(seconds=40))

    first, second = services.history.read(now=NOON + timedelta(minutes=1))
    assert (first.at, first.queued) == (NOON.replace(second=0), 1)
    assert (second.at - first.at, second.queued) == (timedelta(minutes=1), 2)
    assert 0 < first.backlog_s < second.backlog_s


def test_what_is_old_is_forgotten(services):
    """The store holds two hours, however long the farm runs, and tells no more."""
    for minute in range(0, 400, 10):
        services.history.note(now=NOON + timedelta(minutes=minute))
    last = NOON + timedelta(minutes=390)

    told = services.history.read(now=last)
    assert services.store.redis.hlen(keys.HISTORY) <= KEPT_MINUTES / 10 + 1
    assert told[-1].at == last.replace(second=0)
    assert all(last - one.at <= timedelta(minutes=KEPT_MINUTES, seconds=60) for one in told)


def test_the_api_tells_it(client, services):
    """Also where no worker is there to note it."""
    submit(services)
    services.workers.beat("w", {"host": "h", "pid": 1, "version": "1", "started_at": "2026-01-02T03:04:05Z"})

    [minute] = client.get("/v1/history").json["minutes"]
    assert (minute["queued"], minute["running"], minute["workers"], minute["busy"]) == (1, 0, 1, 0)
