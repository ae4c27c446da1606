"""A user's own network, from its file to a job of the farm."""

from __future__ import annotations

import keras
import pytest
from typer.testing import CliRunner

from dreamfarm.cli import app
from dreamfarm.client import Farm
from dreamfarm.stack import Stack
from dreamfarm.transport import FarmError
from farm.states import JobState
from tests.support import picture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PARAMS = {"model": "mine", "octaves": 1, "steps": 2}
PICTURE = picture(123, 97)


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A farm whose api and worker have a folder with one network, added by its command."""
    folder = tmp_path_factory.mktemp("own")
    image = keras.Input((64, 64, 3))
    x = keras.layers.Conv2D(8, 3, activation="relu", name="early")(image)
    keras.Model(image, keras.layers.Conv2D(8, 3, strides=2, activation="relu", name="late")(x)).save(folder / "net.h5")
    added = CliRunner().invoke(app, ["models", "add", str(folder / "net.h5"), "--name", "mine", "--to", str(folder)])
    assert added.exit_code == 0, added.output
    environment = {"DREAMFARM_MODELS_DIR": str(folder)}
    with Stack(tmp_path_factory.mktemp("farm"), workers=1, environment=environment) as running:
        running.wait_for_workers()
        yield running


def test_a_job_dreams_with_it(stack):
    """The api lists it with its layers, a job that names it succeeds, and its recipe holds the file's hash."""
    farm = Farm(stack.api_url)

    job = farm.wait(farm.submit(PICTURE, params={**PARAMS, "layers": {"late": 1}}).id)

    assert [layer.name for layer in farm.model("mine").layers] == ["early", "late"]
    assert job.state is JobState.SUCCEEDED, job.error


@pytest.mark.parametrize("wrong", [{"model": "/etc/net.h5"}, {"layers": {"lat": 1}}])
def test_neither_paths_nor_wrong_layers_are_taken(stack, wrong):
    """A job can't name a file of the server; a wrong layer is answered with the nearest."""
    with pytest.raises(FarmError) as caught:
        Farm(stack.api_url).submit(PICTURE, params={**PARAMS, **wrong})

    assert caught.value.status == 400
    assert ("late" in str(caught.value)) is ("layers" in wrong)
