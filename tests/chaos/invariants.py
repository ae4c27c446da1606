"""What must be true of a farm at rest, whatever happened to it before. Each check returns what is wrong, in words."""

from __future__ import annotations

import hashlib
from collections import Counter

import psutil

from farm import keys
from farm.states import ACTIVE, JobState

MOST_RSS_MB = {"worker": 1800, "api": 900, "redis": 200, "s3": 900}


def wrong_jobs(services, accepted, expected):
    """Return what is wrong with the jobs: lost, differing, doubled; `accepted` is what each id was to become."""
    wrong = {"lost": [], "differing": [], "doubled": []}
    stored = set(services.store.redis.zrange(keys.INDEX, 0, -1))
    wrong["doubled"] += [f"{job_id} was never asked for" for job_id in stored - set(accepted)]
    for job_id, variant in accepted.items():
        if job_id not in stored:
            wrong["lost"].append(f"{job_id} is gone")
            continue
        job = services.store.get(job_id)
        if job.state is not JobState.SUCCEEDED:
            wrong["lost"].append(f"{job_id} is {job.state}: {job.error}")
            continue
        data = services.storage.get(job.output.key)
        if not hashlib.sha256(data).hexdigest() == job.output.sha256 == expected[variant]:
            wrong["differing"].append(f"{job_id} has other bytes than undisturbed")
        wrong["doubled"] += _commits(job)
    return wrong


def _commits(job):
    outcomes = [attempt.outcome for attempt in job.attempts]
    if outcomes.count("succeeded") != 1 or outcomes[-1] != "succeeded":
        yield f"{job.id} ended with the attempts {outcomes}"
    own = keys.attempt_blobs(job.id, job.attempts[-1].number)
    if not job.output.key.startswith(own):
        yield f"{job.id} was committed by another attempt than its last: {job.output.key}"


def leftovers(services):
    """Yield leases, checkpoints and messages that nobody needs any more."""
    redis = services.store.redis
    yield from (f"a lease is left: {key}" for key in redis.scan_iter("job:*:lease"))
    yield from (f"a checkpoint is left: {name}" for name in services.storage.names("jobs/") if name.endswith(".npz"))
    yield from (f"a job waits in {key}" for key in redis.scan_iter("lane:*"))


def wrong_counts(services):
    """Yield every count and index that a recount of the jobs themselves contradicts."""
    redis = services.store.redis
    jobs = {job_id: redis.hgetall(keys.job(job_id)) for job_id in redis.zrange(keys.INDEX, 0, -1)}
    states = Counter(f"{job.get('owner', 'local')}:{job['state']}" for job in jobs.values())
    counted = {name: int(count) for name, count in redis.hgetall(keys.COUNTS).items()}
    if counted != states:
        yield f"{keys.COUNTS} says {counted}, there are {dict(states)}"
    for state in JobState:
        indexed = set(redis.zrange(keys.by_state(state), 0, -1))
        true = {job_id for job_id, job in jobs.items() if job["state"] == state}
        if indexed != true:
            yield f"{keys.by_state(state)} differs by {indexed ^ true}"
    hashes = {key.removeprefix("job:") for key in redis.scan_iter("job:*", _type="hash")}
    if hashes != set(jobs):
        yield f"{keys.INDEX} differs from the records by {hashes ^ set(jobs)}"
    if not any(job["state"] in ACTIVE for job in jobs.values()) and redis.hgetall(keys.WORK):
        yield f"{keys.WORK} holds {redis.hgetall(keys.WORK)}, and nothing is to do"
    if not any(job["state"] == JobState.QUEUED for job in jobs.values()):
        for key in filter(redis.exists, (keys.WAITING, keys.WAITING_WORK)):
            yield f"{key} holds {redis.hgetall(key)}, and nobody waits"


def swollen(site):
    """Yield every process, with its children, that holds more memory than it may."""
    for name, pid in site.processes():
        process = psutil.Process(pid)
        used_mb = sum(one.memory_info().rss for one in (process, *process.children(recursive=True))) / 1e6
        most_mb = MOST_RSS_MB[name.partition("-")[0]]
        if used_mb > most_mb:
            yield f"{name} holds {used_mb:.0f} MB; {most_mb} are allowed"
