"""The farm's settings, read from the environment in this one place and checked at start."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, AnyHttpUrl, Field, FilePath, IPvAnyNetwork, RedisDsn, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from farm.pools import Tags

if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingsError(Exception):
    """A setting is missing or out of bounds; the message names the variable and what it takes."""


def _cache_dir() -> Path:
    """Return the folder that programs of this user keep such things in, or the machine's temporary one."""
    given = os.environ.get("XDG_CACHE_HOME")
    try:
        return Path(given or Path.home() / ".cache") / "dreamfarm"
    except RuntimeError:  # the user has no home
        return Path(gettempdir()) / "dreamfarm"


def _checked_prefix(prefix: str) -> str:
    if not prefix.endswith("/") or any(part in {"", ".", ".."} for part in prefix.split("/")[:-1]):
        message = f"{prefix!r} is no folder of the bucket; one is written as photos/ or photos/{{owner}}/"
        raise ValueError(message)
    if prefix.split("/", maxsplit=1)[0] in {"inputs", "uploads", "jobs"}:
        message = f"{prefix!r} holds what the farm stores of everybody; name another folder"
        raise ValueError(message)
    return prefix


class Settings(BaseSettings):
    """Every setting is an environment variable with the prefix ``DREAMFARM_``, for example ``DREAMFARM_REDIS_URL``."""

    model_config = SettingsConfigDict(env_prefix="DREAMFARM_", extra="ignore", frozen=True)

    redis_url: Annotated[RedisDsn, Field(repr=False, description="Redis ≥ 7 or Valkey; holds jobs and messages.")]

    s3_endpoint_url: Annotated[AnyHttpUrl | None, Field(description="S3 as the farm reaches it; unset: AWS.")] = None
    s3_public_endpoint_url: Annotated[
        AnyHttpUrl | None, Field(description="S3 as users reach it, for presigned links; unset: as the farm does.")
    ] = None
    s3_bucket: Annotated[str, Field(min_length=3, max_length=63, description="Bucket for pictures and results.")]
    s3_region: Annotated[str, Field(description="Region that requests are signed for.")] = "us-east-1"
    s3_access_key_id: Annotated[str | None, Field(description="Unset: the AWS default chain.")] = None
    s3_secret_access_key: Annotated[SecretStr | None, Field(description="Unset: the AWS default chain.")] = None
    s3_ca_file: Annotated[
        FilePath | None, Field(description="Authorities, as PEM, that S3's certificate is of; unset: the usual ones.")
    ] = None
    auth: Annotated[
        Literal["required", "off"], Field(description="Whether requests need a key; off serves this machine alone.")
    ] = "required"

    trusted_proxies: Annotated[
        int, Field(ge=0, le=8, description="Proxies before the api whose X-Forwarded-For is believed.")
    ] = 0
    requests_per_minute: Annotated[int, Field(ge=1, description="Requests that a key may make in a minute.")] = 3000
    max_queued_jobs: Annotated[
        int | None, Field(ge=1, description="Queued jobs that the farm holds; unset: no limit.")
    ] = 1_000_000
    max_queued_jobs_per_owner: Annotated[
        int | None, Field(ge=1, description="Queued jobs that an owner may have; unset: no limit.")
    ] = 200_000
    pixel_steps_per_day: Annotated[
        int | None,
        Field(ge=1, description="Pixels times steps that an owner has for a day (UTC); unset: no limit."),
    ] = None

    max_job_pixel_steps: Annotated[
        int | None, Field(ge=1, description="Pixels times steps that one job may take; unset: no limit.")
    ] = 10**12
    price_per_hour: Annotated[
        float | None, Field(ge=0, description="What an hour of a worker costs, in any currency; unset: no costs shown.")
    ] = None
    allowed_networks: Annotated[
        list[IPvAnyNetwork],
        Field(description='Networks that pictures and webhooks may be in though not public, as ["10.0.0.0/8"].'),
    ] = []
    input_prefixes: Annotated[
        list[Annotated[str, AfterValidator(_checked_prefix)]],
        Field(description='Folders of the bucket that batches may take pictures from, as ["photos/{owner}/"].'),
    ] = []
    max_fetches: Annotated[int, Field(ge=1, description="Picture URLs fetched at once per api process.")] = 8
    fetch_timeout_s: Annotated[float, Field(gt=0, le=300, description="Longest time to fetch a picture's URL.")] = 20

    presign_expiry_s: Annotated[int, Field(ge=10, le=604_800, description="Life of a presigned link, in s.")] = 3600

    max_megapixels: Annotated[float, Field(gt=0, le=1000, description="Largest picture accepted, in MP.")] = 100
    max_upload_mb: Annotated[float, Field(gt=0, le=1000, description="Largest file accepted, in MB.")] = 64

    decoders: Annotated[
        int, Field(ge=1, le=64, description="Processes that decode pictures, for each process that takes them in.")
    ] = 2
    decode_cpu_s: Annotated[
        int,
        Field(ge=1, le=600, description="Processor time for reading one picture; by the clock thrice that."),
    ] = 20

    expires_in_s: Annotated[
        int | None, Field(ge=60, description="Results are kept so long after a job succeeds; unset: for ever.")
    ] = None

    max_attempts: Annotated[int, Field(ge=1, le=20, description="Lost attempts after which a job fails.")] = 3
    lease_s: Annotated[float, Field(ge=1, le=600, description="A worker silent for so long has lost its job.")] = 15
    wedged_s: Annotated[
        float, Field(ge=1, le=3600, description="A worker that was given a message and begins nothing ends after it.")
    ] = 300
    soft_shutdown_s: Annotated[float, Field(ge=1, le=3600, description="Time to hand a job back on SIGTERM.")] = 20

    max_event_streams: Annotated[
        int, Field(ge=1, description="Event streams open at once per api process, a thread each.")
    ] = 512
    event_stream_life_s: Annotated[float, Field(ge=1, description="An event stream is closed after it.")] = 300

    owner_weights: Annotated[
        dict[str, Annotated[float, Field(gt=0)]],
        Field(description='Owners whose share is not 1, as {"alice": 3}.'),
    ] = {}
    worker_tags: Annotated[
        Tags, NoDecode, Field(description="What a worker offers to jobs that need it, as gpu,large; at most 8.")
    ] = ()
    pack_size: Annotated[
        int | None,
        Field(ge=1, le=256, description="Most jobs rendered together; unset: what fits and gains, 1 on a processor."),
    ] = None
    worker_id: Annotated[str, Field(max_length=128, description="A worker's name; made at its start if unset.")] = ""

    memory_gb: Annotated[
        float | None, Field(gt=0, description="What one dream may take, in GB; unset: what the machine has.")
    ] = None
    cache_dir: Annotated[
        Path, Field(default_factory=_cache_dir, description="Folder for what a worker makes once and keeps.")
    ]
    weights_dir: Annotated[Path | None, Field(description="Folder of weight files, for farms without internet.")] = None
    models_dir: Annotated[Path | None, Field(description="Folder of networks of your own, for api and workers.")] = None
    traces_url: Annotated[
        AnyHttpUrl | None, Field(description="OpenTelemetry collector, as http://collector:4318; unset: no traces.")
    ] = None
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Field(description="Least severity.")] = "info"
    log_format: Annotated[Literal["json", "console"], Field(description="One JSON object a line, or text.")] = "json"

    @property
    def max_pixels(self) -> int:
        """Largest picture accepted, in pixels."""
        return int(self.max_megapixels * 1e6)

    @property
    def max_upload_bytes(self) -> int:
        """Largest file accepted, in bytes."""
        return int(self.max_upload_mb * 1e6)


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises
    ------
    SettingsError
        One line per wrong variable: its name, what is wrong, and what it is for.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(item["loc"][0], item["msg"]) for item in error.errors())) from None


def _explain(field: int | str, message: str) -> str:
    description = Settings.model_fields[str(field)].description
    return f"DREAMFARM_{str(field).upper()}: {message}. It sets: {description}"


def engine_library() -> str:
    """Return the package that the engine computes with; the variable is Keras' own."""
    return os.environ.get("KERAS_BACKEND") or "tensorflow"


def name_worker(worker_id: str) -> None:
    """Name this process' worker, and the children it starts, unless the environment names it already."""
    os.environ.setdefault("DREAMFARM_WORKER_ID", worker_id)


def inherited_environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process' environment for a child, with changes."""
    return {**os.environ, **(changes or {})}


@cache
def settings() -> Settings:
    """Return the settings of this process, read once."""
    return load_settings()
