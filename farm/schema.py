"""The job as the HTTP api shows it: what the api answers with and what clients read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from farm.owners import LOCAL, Owner
from farm.states import JobState

ResultFormat = Literal["png", "jpeg", "webp"]
OutputFormat = Literal["png", "jpeg", "webp", "mp4", "webm", "gif", "zip"]
JobKind = Literal["dream", "zoom"]


class View(BaseModel):
    """Base of all answers: immutable; a reader ignores keys that a newer farm adds."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ProgressView(View):
    """How far a render is."""

    fraction: Annotated[float, Field(ge=0, le=1, description="Share of the work done, by pixels times steps.")] = 0
    frame: Annotated[int, Field(description="Frame at work, from 1; 0 where the job makes a single picture.")] = 0
    frames: Annotated[int, Field(description="Frames in all; 0 where the job makes a single picture.")] = 0
    octave: Annotated[int, Field(description="Octave at work, from 1; 0 before the first.")] = 0
    octaves: Annotated[int, Field(description="Octaves in all, after clamping.")] = 0
    step: Annotated[int, Field(description="Steps done in this octave.")] = 0
    steps: Annotated[int, Field(description="Steps per octave.")] = 0
    loss: Annotated[float | None, Field(description="Objective before the latest step.")] = None
    eta_s: Annotated[float | None, Field(description="Seconds to go, estimated.")] = None


class PictureView(View):
    """A stored picture."""

    sha256: str
    width: Annotated[int, Field(description="Upright, in px.")]
    height: Annotated[int, Field(description="Upright, in px.")]


class OutputView(View):
    """The finished picture or film."""

    format: OutputFormat
    sha256: str
    bytes: int
    width: int
    height: int


class ErrorView(View):
    """Why a job failed."""

    code: Annotated[str, Field(description="Stable, for programs.")]
    message: Annotated[str, Field(description="For people.")]


class AttemptView(View):
    """One worker's try at a job."""

    number: int
    worker: str
    started_at: datetime
    ended_at: datetime | None = None
    outcome: Literal["running", "succeeded", "failed", "canceled", "handed_back", "lost"] = "running"


class MetricsView(View):
    """Where the time went."""

    queued_s: float | None = None
    render_s: float | None = None


class JobView(View):
    """A job."""

    id: str
    owner: Owner = LOCAL
    batch: Annotated[str | None, Field(description="The batch that it belongs to.")] = None
    state: JobState
    seq: Annotated[int, Field(description="Grows with every change of the job.")]
    name: Annotated[str | None, Field(description="The picture's file name, if one was given.")] = None
    progress: ProgressView
    kind: Annotated[JobKind, Field(description="dream: a picture; zoom: a film.")] = "dream"
    params: Annotated[dict[str, Any], Field(description="DreamParams, complete.")]
    zoom: Annotated[dict[str, Any] | None, Field(description="ZoomParams, complete; null for other kinds.")] = None
    format: OutputFormat
    input: PictureView
    guides: list[PictureView] = []
    masks: list[PictureView] = []
    output: OutputView | None = None
    cached: Annotated[bool, Field(description="An earlier result is served: of the same pictures and parameters.")] = (
        False
    )
    error: ErrorView | None = None
    notices: Annotated[list[str], Field(description="What was done otherwise than asked, and why.")] = []
    expires_in: Annotated[int | None, Field(description="The result is kept so long, in s; null: for ever.")] = None
    attempts: list[AttemptView] = []
    tags: list[str] = []
    needs: Annotated[list[str], Field(description="Tags that a worker must offer to be given the job.")] = []
    priority: int = 0
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    metrics: MetricsView
    links: Annotated[dict[str, str], Field(description="Where to go from here, as paths.")] = {}


class JobPage(View):
    """A page of jobs, in the order that was asked for."""

    jobs: list[JobView]
    next_cursor: Annotated[str | None, Field(description="Pass as `cursor` for the next page; null at the end.")] = None


class EstimateView(View):
    """What a job would take."""

    operations: Annotated[float, Field(description="Multiplications and additions of the network.")]
    pixel_steps: Annotated[int, Field(description="Pixels, each as often as it is moved.")]
    peak_memory_bytes: Annotated[int, Field(description="Of the process that dreams, untiled.")]
    seconds: Annotated[float | None, Field(description="On a worker of this farm; null where none has dreamt so.")]
    sweep_seconds: Annotated[
        float | None, Field(description="Of all points of the sweep together; null where none is given or known.")
    ] = None
    queue_s: Annotated[float | None, Field(description="Wait before it, in s; null where nobody knows.")]
    jobs_before: Annotated[
        int | None, Field(description="How many jobs come before it; null where no farm was asked.")
    ] = None
    cost: Annotated[float | None, Field(description="By the price of a worker's hour; null where none is set.")]


class EventView(View):
    """The `data` of one server-sent event; its `id` is what `Last-Event-ID` takes."""

    state: JobState
    seq: int
    progress: ProgressView
    error: ErrorView | None = None
    previews: Annotated[
        int, Field(description="Previews that can be fetched: one per octave, or of a zoom's frames.")
    ] = 0


class LossesView(View):
    """How a job's objective grew."""

    octaves: Annotated[
        list[list[float]],
        Field(description="For each octave that is done, the objective before its steps; of many steps 60."),
    ]


class LayerView(View):
    """A layer that can be dreamt with."""

    name: str
    kind: str
    channels: int
    stride: Annotated[int, Field(description="Input px per unit.")]
    receptive_field: Annotated[int, Field(description="Input px that one unit sees, per side.")]
    shape: Annotated[tuple[int, int, int], Field(description="(height, width, channels) at the size asked for.")]


class ModelView(View):
    """A network."""

    name: str
    title: str
    min_size: Annotated[int, Field(description="Shortest side that it takes, in px.")]
    parameters: Annotated[int, Field(description="Weights and biases.")]
    default_layers: dict[str, float]
    layers: list[LayerView]


class ModelSummary(View):
    """A network, without its layers."""

    name: str
    title: str
    min_size: Annotated[int, Field(description="Shortest side that it takes, in px.")]
    parameters: Annotated[int, Field(description="Weights and biases.")]
    default_layers: dict[str, float]
    layer_count: int


class ModelPage(View):
    """The networks that can be dreamt with."""

    models: list[ModelSummary]


class WorkerView(View):
    """A worker that is alive."""

    id: str
    host: str
    pid: int
    device: str
    version: str
    library: Annotated[str | None, Field(description="What the engine computes with, and its version.")] = None
    memory_bytes: Annotated[int | None, Field(description="Of its device.")] = None
    tags: Annotated[list[str], Field(description="What it offers to jobs that need it.")] = []
    speed: Annotated[
        float | None, Field(description="Work that it does, in seconds of the reference device a second.")
    ] = None
    state: Literal["idle", "busy", "draining", "set_aside"]
    why: Annotated[str | None, Field(description="Why it is set aside.")] = None
    job: str | None = None
    started_at: datetime
    seen_at: datetime


class WorkerPage(View):
    """The workers that are alive, longest at work first."""

    workers: list[WorkerView]


class HistoryMinute(View):
    """How the farm stood at the beginning of a minute; sums grow for ever."""

    at: datetime
    queued: Annotated[int, Field(description="Jobs that wait, of all owners.")]
    running: Annotated[int, Field(description="Jobs at work, of all owners.")]
    backlog_s: Annotated[float, Field(description="Work of what waits, in s on the reference device.")]
    succeeded: Annotated[int, Field(description="Attempts that succeeded until then.")]
    failed: Annotated[int, Field(description="Attempts that failed until then.")]
    work_s: Annotated[float, Field(description="Work done until then, in s on the reference device.")]
    workers: int
    busy: int


class HistoryView(View):
    """The farm's last two hours."""

    minutes: Annotated[list[HistoryMinute], Field(description="Oldest first; none where nobody was there to note it.")]


class Health(View):
    """The answer of a process that is well."""

    status: Literal["ok"]


class LinkView(View):
    """Where the bytes are, for a reader that asked for JSON."""

    url: Annotated[str, Field(description="Presigned, short-lived: GET the bytes here, without a key.")]


class UploadView(View):
    """Where to PUT a picture, past the api."""

    upload: Annotated[str, Field(description='Name it in a job: {"image": {"upload": …}}.')]
    url: Annotated[str, Field(description="Presigned: PUT the bytes here.")]
    expires_at: datetime


class Problem(View):
    """An error, as RFC 9457 describes it."""

    type: str = "about:blank"
    title: str
    status: int
    code: Annotated[str, Field(description="Stable, for programs.")]
    detail: str
    errors: Annotated[list[dict[str, str]], Field(description="`pointer` (JSON pointer) and `detail` per field.")] = []
