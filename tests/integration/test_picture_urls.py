"""Pictures named by their URL: fetched once, kept under their SHA-256, or the reason told."""

from __future__ import annotations

import hashlib
from ipaddress import ip_network

import pytest

from api.app import create_app
from farm import keys
from farm.batch_store import BatchInput, BatchSpec
from farm.services import Services
from farm.states import JobState
from farm.sweep import Sweep
from tests.contract.answers import watching
from tests.support import assert_problem, picture


@pytest.fixture
def private(settings):
    """Return the settings of a farm that may fetch from its own machine."""
    changes = {"allowed_networks": [ip_network("127.0.0.0/8")], "fetch_timeout_s": 1}
    return settings.model_copy(update=changes)


@pytest.fixture
def farm(private, services):  # noqa: ARG001  # the store is emptied first
    return Services.connect(private)


@pytest.fixture
def client(private, services):  # noqa: ARG001  # the store is emptied first
    with watching(create_app(private)) as watched:
        yield watched


def post(client, url):
    return client.post("/v1/jobs", json={"image": {"url": url}, "params": {"steps": 2}})


def test_a_jobs_picture_is_fetched_and_kept(client, farm, site):
    """The job is as if the file had been handed in; its name is the file's."""
    site.files["sky.png"] = picture()

    answer = post(client, site.url("file/sky.png"))

    assert answer.status_code == 202, answer.text
    assert answer.json["name"] == "sky.png"
    assert answer.json["input"]["sha256"] == hashlib.sha256(picture()).hexdigest()
    assert farm.storage.get(keys.picture(answer.json["input"]["sha256"])) == picture()


@pytest.mark.parametrize(
    ("path", "code"),
    [
        pytest.param("status/404", "picture_unreachable", id="missing"),
        pytest.param("to/http:||10.0.0.1|x", "picture_unreachable", id="private-redirect"),
        pytest.param("drip/", "picture_unreachable", id="slow"),
        pytest.param("bytes/20", "bad_picture", id="no-picture"),
    ],
)
def test_a_picture_that_can_not_be_had_is_told(client, farm, site, path, code):
    """By code, and no job is made."""
    assert_problem(post(client, site.url(path)), 400, code)
    assert farm.store.count(JobState.QUEUED) == 0


def test_the_farms_own_network_is_closed(settings, services, site):  # noqa: ARG001  # the store is emptied first
    """Without the setting nothing on loopback is asked."""
    assert_problem(post(create_app(settings).test_client(), site.url("file/x")), 400, "picture_unreachable")
    assert site.asked == []


def test_a_picture_has_one_name(client):
    """By two names at once it is refused."""
    body = {"image": {"url": "https://a.example/x.png", "sha256": "0" * 64}}

    assert_problem(client.post("/v1/jobs", json=body), 400, "invalid_request")


def test_a_batch_fetches_each_url_once_and_reports_bad_ones(farm, site):
    """However many points and chunks it has; what can't be fetched is its own failed job."""
    site.files["a.png"] = picture()
    inputs = [BatchInput(url=site.url("file/a.png")), BatchInput(url=site.url("status/500"))]
    farm.batches.chunk = 2
    batch = farm.batches.create(BatchSpec(params={"octaves": 1}, sweep=Sweep(product={"steps": [1, 2, 3]})), inputs)

    while farm.batches.expand(batch.id):
        pass

    jobs = list(farm.batches.results(batch.id))
    assert [job.state for job in jobs] == [JobState.QUEUED] * 3 + [JobState.FAILED] * 3
    assert {job.error.code for job in jobs[3:]} == {"picture_unreachable"}
    assert [path for path, _ in site.asked].count("/file/a.png") == 1


def test_many_urls_are_fetched_a_few_at_a_time(farm, site):
    """A chunk ends where it would have to wait for more servers than allowed; every job is made all the same."""
    site.files["a.png"] = picture(32, 32)
    inputs = [BatchInput(url=site.url(f"file/a.png?{number}")) for number in range(40)]
    for number in range(40):
        site.files[f"a.png?{number}"] = site.files["a.png"]
    batch = farm.batches.create(BatchSpec(params={"octaves": 1}), inputs)

    farm.batches.expand(batch.id)
    assert farm.batches.store.get(batch.id).cursor == 32
    farm.batches.expand(batch.id)
    assert farm.batches.store.get(batch.id).cursor == 40


def test_a_dry_run_asks_no_server(client, site):
    """It tells which URLs the farm would never call."""
    body = {"inputs": [{"url": site.url("file/x")}, {"url": "ftp://a.example/x"}], "dry_run": True}

    answer = client.post("/v1/batches", json=body)

    assert (answer.json["jobs"], answer.json["unusable_inputs"], site.asked) == (2, 1, [])
