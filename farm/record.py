"""The stored job: what is fixed when it is created, what changes, and how it is shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from farm.losses import Losses, read_losses
from farm.owners import LOCAL, Owner
from farm.schema import (
    AttemptView,
    ErrorView,
    EventView,
    JobKind,
    JobView,
    MetricsView,
    OutputFormat,
    OutputView,
    PictureView,
    ProgressView,
)
from farm.states import JobState

if TYPE_CHECKING:
    from collections.abc import Mapping

Model = TypeVar("Model", bound=BaseModel)


class JobSpec(BaseModel):
    """What a job is asked to do; fixed when it is created."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    owner: Owner = LOCAL
    kind: JobKind = "dream"
    params: dict[str, Any]
    zoom: dict[str, Any] | None = None
    format: OutputFormat
    input: PictureView
    guides: tuple[PictureView, ...] = ()
    masks: tuple[PictureView, ...] = ()
    name: str | None = None
    tags: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """Tags that a worker must offer to be given the job."""
    priority: int = 0
    expires_in: int | None = None
    """How long the result is kept after the job succeeds, in s. `lua/apply.lua` reads it."""
    notices: tuple[str, ...] = ()
    trace: Annotated[str, Field(exclude_if=lambda context: not context)] = ""
    """The context of the call that made the job, as `farm.traces` has it; empty where nobody traces."""
    work_s: Annotated[float, Field(exclude=True)] = 0.0
    """What the job weighs: seconds on `dreamcore.planner.REFERENCE`. A field of the hash, for Redis to sum up."""
    pack: Annotated[str, Field(exclude=True)] = ""
    """The model, a colon, and what jobs that share a pack have in common; nothing after the colon for a job that is
    rendered by itself. A field of the hash."""
    bytes: Annotated[int, Field(exclude=True)] = 0
    """What its steps take in a pack. A field of the hash."""


class StoredCheckpoint(BaseModel):
    """Where a render can be taken up again."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    sha256: str
    engine: str = ""
    """Version of the engine that began the render."""


class StoredOutput(OutputView):
    """The finished picture, and where it lies."""

    key: str


class JobRecord(BaseModel):
    """A job as it stands in the store."""

    model_config = ConfigDict(frozen=True)

    id: str
    batch: str | None
    state: JobState
    seq: int
    attempt: int
    lost: int
    previews: int
    losses: Losses = ()
    spec: JobSpec
    work_s: float
    progress: ProgressView
    checkpoint: StoredCheckpoint | None
    output: StoredOutput | None
    cached: bool
    error: ErrorView | None
    notices: tuple[str, ...]
    attempts: tuple[AttemptView, ...]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def from_hash(cls, job_id: str, fields: Mapping[str, str]) -> Self:
        """Read a record from its Redis hash."""
        return cls(
            id=job_id,
            batch=fields.get("batch"),
            state=JobState(fields["state"]),
            seq=int(fields["seq"]),
            attempt=int(fields["attempt"]),
            lost=int(fields["lost"]),
            previews=int(fields.get("previews", 0)),
            losses=read_losses(fields.get("losses")),
            spec=JobSpec.model_validate_json(fields["spec"]),
            work_s=float(fields.get("work_s", 0)),
            progress=ProgressView.model_validate_json(fields["progress"]),
            checkpoint=_parsed(StoredCheckpoint, fields.get("checkpoint")),
            output=_parsed(StoredOutput, fields.get("output")),
            cached="cached" in fields,
            error=_parsed(ErrorView, fields.get("error")),
            notices=tuple(fields["notices"].split("\n")) if fields.get("notices") else (),
            attempts=_attempts(fields),
            created_at=_required_time(fields["created_ms"]),
            started_at=_time(fields.get("started_ms")),
            finished_at=_time(fields.get("finished_ms")),
        )

    def view(self) -> JobView:
        """Return the job as the api shows it."""
        return JobView(
            id=self.id,
            owner=self.spec.owner,
            batch=self.batch,
            state=self.state,
            seq=self.seq,
            name=self.spec.name,
            progress=self.progress,
            kind=self.spec.kind,
            params=self.spec.params,
            zoom=self.spec.zoom,
            format=self.spec.format,
            input=self.spec.input,
            guides=list(self.spec.guides),
            masks=list(self.spec.masks),
            output=OutputView.model_validate(self.output.model_dump()) if self.output else None,
            cached=self.cached,
            error=self.error,
            notices=[*self.spec.notices, *self.notices],
            attempts=list(self.attempts),
            tags=list(self.spec.tags),
            needs=list(self.spec.needs),
            priority=self.spec.priority,
            expires_in=self.spec.expires_in,
            created_at=self.created_at,
            started_at=self.started_at,
            finished_at=self.finished_at,
            metrics=self._metrics(),
            links=self._links(),
        )

    def _metrics(self) -> MetricsView:
        return MetricsView(
            queued_s=_seconds(self.created_at, self.started_at),
            render_s=_seconds(self.started_at, self.finished_at),
        )

    def _links(self) -> dict[str, str]:
        own = f"/v1/jobs/{self.id}"
        links = {"self": own, "events": f"{own}/events"}
        if self.previews:
            links["preview"] = f"{own}/preview"
        if self.output:
            links["result"] = f"{own}/result"
        return links


def event_from_hash(fields: Mapping[str, str]) -> EventView:
    """Read one entry of a job's event stream."""
    return EventView(
        state=JobState(fields["state"]),
        seq=int(fields["seq"]),
        progress=ProgressView.model_validate_json(fields["progress"]),
        error=_parsed(ErrorView, fields.get("error")),
        previews=int(fields.get("previews", 0)),
    )


def _parsed(model: type[Model], text: str | None) -> Model | None:
    return model.model_validate_json(text) if text else None


def _required_time(milliseconds: str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def _time(milliseconds: str | None) -> datetime | None:
    return _required_time(milliseconds) if milliseconds else None


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return round((end - start).total_seconds(), 3) if start and end else None


def _attempts(fields: Mapping[str, str]) -> tuple[AttemptView, ...]:
    numbers = sorted(int(name.split(".")[1]) for name in fields if name.endswith(".worker"))
    return tuple(_attempt(fields, number) for number in numbers)


def _attempt(fields: Mapping[str, str], number: int) -> AttemptView:
    prefix = f"attempt.{number}."
    own = {name.removeprefix(prefix): value for name, value in fields.items() if name.startswith(prefix)}
    return AttemptView.model_validate(
        {
            "number": number,
            "worker": own["worker"],
            "started_at": _time(own["started_ms"]),
            "ended_at": _time(own.get("ended_ms")),
            "outcome": own.get("outcome", "running"),
        }
    )
