"""A job as it enters the store: what ``lua/enter.lua`` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from farm.losses import losses_text
from farm.pools import pool_name
from farm.states import JobState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm.losses import Losses
    from farm.record import JobSpec, StoredOutput
    from farm.schema import ErrorView, ProgressView


class Served(NamedTuple):
    """An earlier result that a job is given as its own."""

    output: StoredOutput
    progress: ProgressView
    notices: Sequence[str]
    cache_key: str
    losses: Losses = ()


class NewJob(NamedTuple):
    """A job as it is made: queued; succeeded, where an earlier result is served; or failed, as it can't be dreamt."""

    id: str
    state: JobState
    spec: JobSpec
    progress: ProgressView
    error: ErrorView | None = None
    pixel_steps: int = 0
    served: Served | None = None

    def given(self, served: Served) -> NewJob:
        """Return the job with an earlier result as its own."""
        return self._replace(state=JobState.SUCCEEDED, progress=served.progress, pixel_steps=0, served=served)

    def to_dict(self) -> dict[str, Any]:
        """Return it as ``lua/enter.lua`` takes it."""
        return {
            "id": self.id,
            "state": self.state,
            "owner": self.spec.owner,
            "work_s": self.spec.work_s,
            "pack": self.spec.pack,
            "bytes": self.spec.bytes,
            "needs": pool_name(self.spec.needs),
            "priority": self.spec.priority,
            "pixel_steps": self.pixel_steps,
            "spec": self.spec.model_dump_json(),
            "progress": self.progress.model_dump_json(),
            "error": self.error.model_dump_json() if self.error else "",
            "code": self.error.code if self.error else "",
            "tags": self.spec.tags,
            **self._result(),
        }

    def _result(self) -> dict[str, Any]:
        if self.served is None:
            return {}
        return {
            "output": self.served.output.model_dump_json(),
            "notices": "\n".join(self.served.notices),
            "cache_key": self.served.cache_key,
            "losses": losses_text(self.served.losses),
            "expires_in": self.spec.expires_in or 0,
        }
