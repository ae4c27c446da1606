"""The name of every key, in Redis and in S3."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from farm.schema import OutputFormat
    from farm.states import JobState

INDEX = "jobs:index"
COUNTS = "jobs:counts"
UNTIDY = "jobs:untidy"
JANITOR_LOCK = "janitor:lock"
RELAY_LOCK = "relay:lock"
METRICS_ENDED = "metrics:ended"
METRICS_RENDER = "metrics:render"
METRICS_HTTP = "metrics:http"
METRICS_PACKS = "metrics:packs"
"""Hash: how often a worker was given so many jobs at once."""

EXPIRING = "jobs:expiring"
"""Sorted set, by the time that their results are kept until: jobs that have succeeded."""

HISTORY = "history"
"""Hash, by the minute since 1970: how the farm stood, as JSON."""

OUTBOX = "webhooks:outbox"
DUE = "webhooks:due"
POOLS = "dispatch:pools"
"""Sorted set, by the time of the latest heartbeat: the sets of tags that workers offer."""

TURNS = "dispatch:turns"
"""Hash: how much of the farm's work each owner was given, in s on the reference device by the owner's weight."""

WAITING = "dispatch:waiting"
"""Hash, by the tags that jobs need: how many wait."""

WAITING_WORK = "dispatch:work"
"""Hash, by the tags that jobs need: the work of those that wait, in s on the reference device."""

EXPANDER_LOCK = "expander:lock"
API_KEYS = "apikeys"
AUDIT = "audit"
WORKERS = "workers"
BATCHES = "batches:index"
EXPANDING = "batches:expanding"

WORK = "jobs:work"
"""Hash: the work of all jobs that are queued, and of those that are running, in s on the reference device."""


def pool(tags: str) -> str:
    """Sorted set, by the time of their latest heartbeat: the workers that offer the same tags."""
    return f"dispatch:pool:{tags}"


def lane(owner: str, needs: str = "") -> str:
    """Sorted set, by priority and age: an owner's queued jobs that need the same tags."""
    return f"lane:{needs}:{owner}"


def owners_waiting(needs: str) -> str:
    """Sorted set, by turn: the owners of queued jobs that need the same tags."""
    return f"dispatch:owners:{needs}"


def paces(model: str) -> str:
    """Hash: for each worker, what a second of work with a model takes it, in s."""
    return f"paces:{model}"


def job(job_id: str) -> str:
    """Hash: the job's record."""
    return f"job:{job_id}"


def events(job_id: str) -> str:
    """Stream: the job's changes, capped."""
    return f"job:{job_id}:events"


def lease(job_id: str) -> str:
    """Text with a time to live: the token of the attempt that owns the job."""
    return f"job:{job_id}:lease"


def by_state(state: JobState) -> str:
    """Sorted set, in the order of ids: the jobs in a state."""
    return f"jobs:state:{state}"


def by_tag(tag: str) -> str:
    """Sorted set, in the order of ids: the jobs with a tag."""
    return f"jobs:tag:{tag}"


def by_owner(owner: str) -> str:
    """Sorted set, in the order of ids: an owner's jobs."""
    return f"jobs:owner:{owner}"


def results_of(owner: str) -> str:
    """Hash: an owner's jobs whose results can be served again, the newest of each cache key. The scripts keep it."""
    return f"results:{owner}"


def batches_of(owner: str) -> str:
    """Sorted set, in the order of ids: an owner's batches."""
    return f"batches:owner:{owner}"


def pictures_of(owner: str) -> str:
    """Set: the SHA-256s of the pictures that an owner has handed in."""
    return f"pictures:{owner}"


def upload_owner(upload_id: str) -> str:
    """Text with a time to live: who asked for an upload."""
    return f"upload:{upload_id}"


def rate(key_id: str) -> str:
    """Text with a time to live: how full a key's bucket of requests is."""
    return f"rate:{key_id}"


def usage(owner: str, day: str) -> str:
    """Text with a time to live: how many pixel-steps an owner asked for on a day."""
    return f"usage:{owner}:{day}"


def idempotency(owner: str, digest: str) -> str:
    """Hash with a time to live: a call that an owner made, and its answer."""
    return f"idempotency:{owner}:{digest}"


def api_key(key_id: str) -> str:
    """Hash: a key's owner, scopes, and the hash of its secret."""
    return f"apikey:{key_id}"


def session(digest: str) -> str:
    """Text with a time to live: the id of the key that a browser's session stands for, by its token's hash."""
    return f"session:{digest}"


def webhook(webhook_id: str) -> str:
    """Hash: an endpoint, and the secret that what it gets is signed with."""
    return f"webhook:{webhook_id}"


def webhooks_of(owner: str) -> str:
    """Sorted set, in the order of ids: an owner's endpoints. `lua/apply.lua` looks whether there is one."""
    return f"webhooks:owner:{owner}"


def webhook_deliveries(webhook_id: str) -> str:
    """Sorted set, by time: the latest deliveries to an endpoint."""
    return f"webhook:{webhook_id}:deliveries"


def delivery(delivery_id: str) -> str:
    """Hash with a time to live: what is told to one endpoint, and how it went."""
    return f"delivery:{delivery_id}"


def batch(batch_id: str) -> str:
    """Hash: a batch's record, and how many of its jobs were made."""
    return f"batch:{batch_id}"


def batch_inputs(batch_id: str) -> str:
    """List: the batch's inputs, each as JSON."""
    return f"batch:{batch_id}:inputs"


def batch_fetched(batch_id: str) -> str:
    """Hash with a time to live: the SHA-256 of what lay at each of a batch's URLs when it was first fetched."""
    return f"batch:{batch_id}:fetched"


def batch_counts(batch_id: str) -> str:
    """Hash: the batch's jobs by state, and its failed ones by error code."""
    return f"batch:{batch_id}:counts"


def batch_jobs(batch_id: str) -> str:
    """Sorted set, in the order of ids: the jobs of a batch that were made."""
    return f"batch:{batch_id}:jobs"


def worker(worker_id: str) -> str:
    """Hash with a time to live: a worker's card."""
    return f"worker:{worker_id}"


def leaving(worker_id: str) -> str:
    """Mark with a time to live: this worker is to take no more jobs, hand its own back, and end."""
    return f"worker:{worker_id}:leaving"


def aside(worker_id: str) -> str:
    """Text: why this worker is given no more jobs. `lua/blame.lua` writes it."""
    return f"worker:{worker_id}:aside"


def failures(worker_id: str) -> str:
    """Hash with a time to live: the jobs that this worker failed since it last succeeded, and the errors' codes."""
    return f"worker:{worker_id}:failures"


def blamed(worker_id: str) -> str:
    """Set with a time to live: those of its failed jobs that other workers have rendered."""
    return f"worker:{worker_id}:blamed"


def draining(worker_id: str) -> str:
    """Mark with a time to live: this worker hands its job back."""
    return f"worker:{worker_id}:draining"


def picture(sha256: str) -> str:
    """Object: an input or guide picture, stored once however often it is used."""
    return f"inputs/{sha256}"


def upload(upload_id: str) -> str:
    """Object: what a client put past the api, not yet looked at."""
    return f"uploads/{upload_id}"


def blobs(job_id: str) -> str:
    """Prefix: everything stored for a job."""
    return f"jobs/{job_id}/"


def checkpoint(job_id: str, attempt: int, octave: int, step: int) -> str:
    """Object: the float image after a step."""
    return f"{attempt_blobs(job_id, attempt)}octave-{octave}-step-{step}.npz"


def frame(job_id: str, attempt: int, number: int) -> str:
    """Object: a frame of a zoom, counted from 1, as PNG."""
    return f"{frames(job_id, attempt)}{number:05}.png"


def frames(job_id: str, attempt: int) -> str:
    """Prefix: the frames that an attempt stored."""
    return f"{attempt_blobs(job_id, attempt)}frame-"


def frame_number(key: str) -> int:
    """Return which frame a key names."""
    return int(key.rpartition("frame-")[2].removesuffix(".png"))


def attempt_blobs(job_id: str, attempt: int) -> str:
    """Prefix: what one attempt stored; a stale worker writes under its own number, and overwrites nothing."""
    return f"{blobs(job_id)}attempt-{attempt}/"


def preview(job_id: str, octave: int) -> str:
    """Object: a small JPEG after an octave, counted from 1. Every attempt writes the same bytes."""
    return f"{blobs(job_id)}preview-{octave}.jpg"


def result(job_id: str, attempt: int, result_format: OutputFormat) -> str:
    """Object: the finished picture of an attempt; the record says which attempt's counts."""
    return f"{attempt_blobs(job_id, attempt)}result.{result_format}"


def manifest(job_id: str) -> str:
    """Object: the finished job as JSON, beside its pictures."""
    return f"{blobs(job_id)}job.json"
