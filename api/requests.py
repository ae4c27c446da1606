"""What clients send: the models of request bodies, queries and paths."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from api.problems import InvalidRequestError
from dreamcore.explain import FieldProblem, explain
from dreamcore.params import DreamParams
from dreamcore.zoom_path import ZoomParams
from farm.account_schema import Scope, WebhookEvent
from farm.address_guard import LONGEST_URL
from farm.api_keys import checked_owner
from farm.events import is_stream_id
from farm.owners import LOCAL, OWNER
from farm.pools import Needs, Priority
from farm.schema import JobKind, ResultFormat
from farm.states import JobState
from farm.sweep import Sweep, check_points

Model = TypeVar("Model", bound=BaseModel)
MAX_JOBS = 100_000
"""Jobs that a batch may have."""
MAX_COMPANIONS = 16
"""Guides, or masks, that a job may have."""

FOLDER = r"^([^/.][^/]*/)*([^/.][^/]*)?$"
"""What a prefix looks like: no part of it is empty or begins with a dot, so that it leads nowhere else."""

Name = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""What things are recognised by: any letters, and no control characters, which a terminal would obey."""

Tag = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w.:-]+$")]
ExpiresIn = Annotated[
    int | None,
    Field(ge=60, le=31_536_000, description="Seconds that a result is kept after its job succeeds."),
]

Fresh = Annotated[bool, Field(description="Render even what was rendered before, and serve no earlier result.")]


class Closed(BaseModel):
    """Base of what clients send: immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PictureRef(Closed):
    """A picture: in the object store, by its upload or its SHA-256, or anywhere on the web, by its URL."""

    sha256: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$", description="Of a picture stored before.")] = None
    upload: Annotated[str | None, Field(pattern=r"^[0-9A-Z]{26}$", description="From POST /v1/uploads.")] = None
    url: Annotated[str | None, Field(max_length=LONGEST_URL, description="http(s), public; fetched once.")] = None

    ways: ClassVar[tuple[str, ...]] = ("sha256", "upload", "url")

    @model_validator(mode="after")
    def _one_of_all(self) -> Self:
        if sum(getattr(self, way) is not None for way in self.ways) != 1:
            names = ", ".join(f'"{way}"' for way in self.ways[:-1])
            raise ValueError(f'A picture is named by {names} or "{self.ways[-1]}", by one of them.')
        return self


def _listed(given: Any) -> Any:
    return given if isinstance(given, list) else [] if given is None else [given]


PictureRefs = Annotated[
    list[PictureRef], BeforeValidator(_listed, json_schema_input_type=PictureRef | list[PictureRef] | None)
]
"""One picture, or several."""


class BatchItem(PictureRef):
    """A picture of a batch, or all that lie below a prefix of the object store."""

    prefix: Annotated[
        str | None,
        Field(max_length=512, pattern=FOLDER, description="Of a folder that the farm opens, as photos/."),
    ] = None
    name: Annotated[Name | None, Field(description="To recognise its jobs by.")] = None
    ways: ClassVar[tuple[str, ...]] = (*PictureRef.ways, "prefix")


class Kind(Closed):
    """Whether to make a picture or a film."""

    kind: Annotated[JobKind, Field(description="dream: a picture; zoom: a film.")] = "dream"
    zoom: Annotated[ZoomParams | None, Field(description="For the kind zoom; left out: its defaults.")] = None

    @model_validator(mode="after")
    def _zoom_goes_with_its_kind(self) -> Self:
        if self.zoom is not None and self.kind != "zoom":
            raise ValueError('`zoom` is for jobs of the kind "zoom": say so, or leave it out.')
        return self

    def zoom_path(self) -> ZoomParams | None:
        """Return how to zoom; None for the other kind."""
        return (self.zoom or ZoomParams()) if self.kind == "zoom" else None


class KindOptions(Kind):
    """What to make of a picture."""

    params: Annotated[DreamParams, Field(default_factory=DreamParams)]


class JobOptions(KindOptions):
    """All of a job but its pictures."""

    format: Annotated[ResultFormat, Field(description="File format of the picture; a film's is in `zoom`.")] = "png"
    name: Annotated[Name | None, Field(description="To recognise the job by.")] = None
    tags: Annotated[list[Tag], Field(max_length=16, description="To list jobs by.")] = []
    needs: Needs = ()
    priority: Priority = 0
    expires_in: ExpiresIn = None
    fresh: Fresh = False


class JobRequest(JobOptions):
    """A job as JSON."""

    image: PictureRef
    guide: Annotated[PictureRefs, Field(max_length=MAX_COMPANIONS, description="What the dream follows.")] = []
    mask: Annotated[PictureRefs, Field(max_length=MAX_COMPANIONS, description="Where it dreams: white.")] = []


class PictureSize(Closed):
    """How large a picture is."""

    width: Annotated[int, Field(ge=1, le=65_535, description="In px.")]
    height: Annotated[int, Field(ge=1, le=65_535, description="In px.")]


class EstimateRequest(KindOptions):
    """A job that might be: its parameters, and its picture or just the picture's size."""

    image: Annotated[PictureRef | None, Field(description="The picture, in place of its size.")] = None
    width: Annotated[int | None, Field(ge=1, le=65_535, description="In px.")] = None
    height: Annotated[int | None, Field(ge=1, le=65_535, description="In px.")] = None
    guides: Annotated[list[PictureSize], Field(max_length=MAX_COMPANIONS, description="Sizes of the guides.")] = []
    sweep: Annotated[Sweep | None, Field(description="Tell too what all of its points take together.")] = None
    needs: Needs = ()
    priority: Priority = 0

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        sized = self.width is not None and self.height is not None
        if sized == (self.image is not None):
            raise ValueError("An estimate is for a picture by `image`, or for one of `width` and `height`: give one.")
        return self


class BatchRequest(Kind):
    """Many jobs in one call: every input with every point of the sweep."""

    inputs: Annotated[list[BatchItem], Field(min_length=1, max_length=MAX_JOBS, description="What to dream on.")]
    params: Annotated[dict[str, Any], Field(description="DreamParams that all jobs share.")] = {}
    guide: Annotated[PictureRefs, Field(max_length=MAX_COMPANIONS, description="What all dreams follow.")] = []
    mask: Annotated[PictureRefs, Field(max_length=MAX_COMPANIONS, description="Where all dream: white.")] = []
    sweep: Annotated[Sweep, Field(default_factory=Sweep)]
    format: Annotated[ResultFormat, Field(description="File format of the results.")] = "png"
    name: Annotated[Name | None, Field(description="To recognise the batch by.")] = None
    tags: Annotated[list[Tag], Field(max_length=16, description="To list its jobs by.")] = []
    needs: Needs = ()
    priority: Priority = 0
    expires_in: ExpiresIn = None
    fresh: Fresh = False
    dry_run: Annotated[bool, Field(description="Only say what the batch would be.")] = False

    @model_validator(mode="after")
    def _check_jobs(self) -> Self:
        problem = too_many(len(self.inputs), self.sweep.axes().count)
        if problem:
            raise ValueError(problem)
        zoom = self.zoom_path()
        check_points(self.params, zoom.model_dump() if zoom else None, self.sweep)
        return self


class SessionRequest(Closed):
    """A key to keep in the browser."""

    key: Annotated[SecretStr, Field(min_length=1, max_length=200, description="As it was shown when it was made.")]


OWNER_SCHEMA: dict[str, JsonValue] = {"pattern": f"^{OWNER.pattern}$", "not": {"const": LOCAL}}
"""The same as `checked_owner`, as the contract says it."""


class KeyRequest(Closed):
    """A key to make."""

    owner: Annotated[
        str,
        Field(description="Whose jobs it sees and makes.", json_schema_extra=OWNER_SCHEMA),
    ]
    scopes: Annotated[list[Scope], Field(min_length=1, description="What it is good for; admin is good for all.")]
    name: Annotated[Name | None, Field(description="What it is for.")] = None

    @field_validator("owner")
    @classmethod
    def _is_somebody(cls, owner: str) -> str:
        return checked_owner(owner)


def _checked_stream_id(text: str | None) -> str | None:
    if text is not None and not is_stream_id(text):
        raise ValueError(f"{text!r} is no cursor: take `next_cursor` of the page before, as it stands.")
    return text


class AuditQuery(Closed):
    """Which changes to list."""

    owner: Annotated[str | None, Field(max_length=64, description="Only this owner's.")] = None
    subject: Annotated[str | None, Field(max_length=64, description="Only those of this id.")] = None
    limit: Annotated[int, Field(ge=1, le=200, description="Changes per page.")] = 50
    cursor: Annotated[
        str | None,
        Field(pattern=r"^[0-9]{1,20}-[0-9]{1,20}$", description="`next_cursor` of the page before."),
        AfterValidator(_checked_stream_id),
    ] = None


class KeyPath(BaseModel):
    """The key in a path."""

    key_id: Annotated[str, Field(max_length=64)]


URL_SCHEMA: dict[str, JsonValue] = {"format": "uri", "pattern": "^https?://"}


class WebhookRequest(Closed):
    """An endpoint to add."""

    url: Annotated[
        str,
        Field(max_length=LONGEST_URL, description="http(s), public; it is POSTed to.", json_schema_extra=URL_SCHEMA),
    ]
    events: Annotated[list[WebhookEvent], Field(min_length=1, description="What to be told of.")] = list(WebhookEvent)


class WebhookPath(BaseModel):
    """The endpoint in a path."""

    webhook_id: Annotated[str, Field(max_length=64)]


class DeliveryPath(WebhookPath):
    """The delivery in a path."""

    delivery_id: Annotated[str, Field(max_length=128)]


class DeliveryQuery(Closed):
    """How many deliveries to list."""

    limit: Annotated[int, Field(ge=1, le=200, description="Deliveries to list.")] = 50


class WorkerPath(BaseModel):
    """The worker in a path."""

    worker_id: Annotated[str, Field(max_length=128)]


class UploadPath(BaseModel):
    """The upload in a path."""

    upload: Annotated[str, Field(pattern=r"^[0-9A-Z]{26}$")]


class PicturePath(BaseModel):
    """The picture in a path."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class BatchPath(BaseModel):
    """The batch in a path."""

    batch_id: Annotated[str, Field(max_length=64)]


class BatchQuery(Closed):
    """Which batches to list."""

    limit: Annotated[int, Field(ge=1, le=200, description="Batches per page.")] = 50
    cursor: Annotated[str | None, Field(max_length=64, description="`next_cursor` of the page before.")] = None


class JobPath(BaseModel):
    """The job in a path."""

    job_id: Annotated[str, Field(max_length=64)]


class OctavePath(JobPath):
    """The octave of a job in a path."""

    octave: Annotated[int, Field(ge=1, le=16, description="Counted from 1.")]


class JobQuery(Closed):
    """Which jobs to list."""

    state: Annotated[JobState | None, Field(description="Only jobs in this state.")] = None
    batch: Annotated[str | None, Field(max_length=64, description="Only jobs of this batch.")] = None
    tag: Annotated[Tag | None, Field(description="Only jobs with this tag.")] = None
    order: Annotated[Literal["newest", "oldest"], Field(description="Which come first.")] = "newest"
    limit: Annotated[int, Field(ge=1, le=200, description="Jobs per page.")] = 50
    cursor: Annotated[str | None, Field(max_length=64, description="`next_cursor` of the page before.")] = None


class ModelPath(BaseModel):
    """The model in a path."""

    name: Annotated[str, Field(max_length=64)]


class SizeQuery(Closed):
    """At which size to give the layers' shapes."""

    width: Annotated[int, Field(ge=1, le=65_535, description="In px.")] = 512
    height: Annotated[int, Field(ge=1, le=65_535, description="In px.")] = 512


def too_many(inputs: int, points: int) -> str | None:
    """Return what is wrong with so many jobs; None where nothing is."""
    if inputs * points <= MAX_JOBS:
        return None
    made = f"{inputs} inputs times {points} points make {inputs * points} jobs"
    return f"{made}; {MAX_JOBS} are allowed in a batch. Split it."


def check_count(inputs: int, points: int) -> None:
    """Raise `InvalidRequestError` for more jobs than a batch may have."""
    if problem := too_many(inputs, points):
        raise InvalidRequestError([FieldProblem("/inputs", problem)])


def parse_body(model: type[Model], data: Any) -> Model:
    """Validate what a client sent; the only place where a validation error is the client's fault.

    Raises
    ------
    InvalidRequestError
        With one entry per wrong field.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        known = (*model.model_fields, *DreamParams.model_fields, *ZoomParams.model_fields)
        raise InvalidRequestError(explain(error, known=known, models=(model,))) from None
