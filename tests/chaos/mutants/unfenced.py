"""A worker without fencing: whoever writes is let in, whoever renews goes on."""

from __future__ import annotations

from farm.store import Hold, JobStore
from worker.__main__ import main


class UnfencedStore(JobStore):
    """Asks nobody for a token."""

    def apply(self, change, *, worker=""):
        return super().apply(change.model_copy(update={"attempt": None, "lease": "any", "token": None}), worker=worker)

    def renew(self, job_id, *, token, lease_ms):
        return super().renew(job_id, token=token, lease_ms=lease_ms) or True

    def hold(self, job_id, *, token, worker):
        return Hold(held=True, draining=super().hold(job_id, token=token, worker=worker).draining)


def plant():
    """Put it in the place of the sound one."""
    from worker.app import services  # noqa: PLC0415  # there once the settings were read

    services.store.__class__ = UnfencedStore


if __name__ == "__main__":
    raise SystemExit(main("tests.chaos.mutants.unfenced"))
plant()
