"""Pictures that lie in the object store already, below a prefix that the farm opens."""

from __future__ import annotations

import pytest

from api.app import create_app
from farm.account_schema import Scope
from farm.services import Services
from farm.settings import Settings
from tests.support import assert_problem, picture


@pytest.fixture
def opened(settings, services):  # noqa: ARG001  # the store is emptied first
    """Return the settings of a farm with a folder for each owner and one for all, and its services."""
    own = settings.model_copy(update={"input_prefixes": ["photos/{owner}/", "shared/"], "auth": "required"})
    farm = Services.connect(own)
    for prefix in ("photos/", "shared/"):
        farm.storage.delete_prefix(prefix)
    return own, farm


@pytest.fixture
def farm(opened):
    return opened[1]


@pytest.fixture
def ada(opened):
    settings, farm = opened
    client = create_app(settings).test_client()
    key = farm.api_keys.create("ada", [Scope.SUBMIT, Scope.READ])[1]
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    return client


def put(farm, *names):
    for seed, name in enumerate(names):
        farm.storage.put(name, picture(seed=seed), content_type="image/png")


def batch(client, prefix, **fields):
    body = {"inputs": [{"prefix": prefix}], "params": {"octaves": 1, "steps": 1}, **fields}
    return client.post("/v1/batches", json=body)


def test_every_picture_below_a_prefix_becomes_a_job(ada, farm):
    """With its own bytes and name; what isn't a picture by its name is left out, what is none by its bytes fails."""
    put(farm, "photos/ada/a.png", "photos/ada/deep/b.PNG", "photos/ada/notes.txt", "photos/bob/c.png")
    farm.storage.put("photos/ada/broken.jpg", b"?", content_type="image/jpeg")

    plan = batch(ada, "photos/ada/", dry_run=True).json
    made = batch(ada, "photos/ada/", sweep={"product": {"seed": [1, 2]}}).json
    farm.batches.expand_some(seconds=10)

    assert (plan["jobs"], plan["unusable_inputs"]) == (3, 1)
    jobs = [(job.spec.name, job.state) for job in farm.batches.results(made["id"])]
    assert jobs[::2] == [("a.png", "queued"), ("broken.jpg", "failed"), ("b.PNG", "queued")]
    first = next(iter(farm.batches.results(made["id"])))
    assert first.spec.input == farm.pictures.look_at(picture(seed=0)).view


def test_a_folder_for_all_is_open_to_all(ada, farm):
    """Where no owner stands in the prefix."""
    put(farm, "shared/a.png")

    assert batch(ada, "shared/").json["total"] == 1


@pytest.mark.parametrize(
    "prefix", ["photos/bob/", "photos/", "inputs/", "jobs/", "uploads/", "", "photos/ad", "elsewhere/", "photos/ada"]
)
def test_what_is_not_opened_stays_shut(ada, farm, prefix):
    """Others' folders, what the farm stores, and all else: refused, whatever lies there."""
    put(farm, "photos/bob/a.png", "photos/ada/a.png", "elsewhere/a.png", "photos/adam/a.png")

    assert_problem(batch(ada, prefix), 400, "bad_picture")


@pytest.mark.parametrize("prefix", ["photos/ada/../bob/", "photos/ada//", "/photos/ada/", "photos/./ada/"])
def test_a_prefix_is_no_path(ada, prefix):
    """Stores that keep objects as files must not be led elsewhere."""
    assert_problem(batch(ada, prefix), 400, "invalid_request")


def test_an_empty_folder_is_told(ada):
    """Nothing is stored."""
    assert_problem(batch(ada, "photos/ada/"), 400, "bad_picture")
    assert ada.get("/v1/batches").json["batches"] == []


@pytest.mark.parametrize("prefix", ["inputs/", "jobs/x/", "uploads/", "photos", "/", "", "a/../b/", "a//b/"])
def test_the_farms_own_folders_can_not_be_opened(settings, prefix):
    """A wrong setting is told at the start."""
    with pytest.raises(ValueError, match="input_prefixes"):
        Settings.model_validate({**settings.model_dump(), "input_prefixes": [prefix]})
