"""What a step costs, counted by the graph."""

import pytest

from dreamcore import DreamParams
from dreamcore.capacity import image_bytes, pack_size, step_operations
from dreamcore.catalog import get_model

SQUEEZENET = get_model("squeezenet")


def test_operations_are_those_of_the_convolutions_by_hand():
    """SqueezeNet to fire2 at 65x43: five convolutions, each counted by its positions, channels and kernel."""
    conv1 = 33 * 22 * 64 * 3 * 9
    cells = 16 * 10
    fire2 = cells * (64 * 16 + 16 * 64 + 16 * 64 * 9)

    assert step_operations(SQUEEZENET, ["fire2"], (65, 43)) == 4 * (conv1 + fire2)


def test_nothing_past_the_deepest_layer_counts():
    """A shallow layer costs less than a deep one, and a second layer on the way there costs nothing."""
    shallow, deep, both = (
        step_operations(SQUEEZENET, layers, (256, 256)) for layers in (["fire4"], ["fire8"], ["fire4", "fire8"])
    )

    assert shallow < deep == both


def test_more_memory_takes_more_pictures_and_fewer_bytes_too():
    """Packs are powers of two that grow with memory and in bfloat16, are never empty, and fit."""
    params = DreamParams(layers={"fire8": 1.0})
    coarse = params.model_copy(update={"precision": "bfloat16"})
    shape = (512, 512, 3)
    each = image_bytes(SQUEEZENET, ["fire8"], shape[:2])

    assert pack_size(params, shape, memory_bytes=1e6) == 1
    assert pack_size(params, shape, memory_bytes=8e9) in {2**n for n in range(9)}
    assert (
        pack_size(params, shape, memory_bytes=8e9) * each < 8e9 < 4 * pack_size(params, shape, memory_bytes=8e9) * each
    )
    assert pack_size(coarse, shape, memory_bytes=8e9) >= pack_size(params, shape, memory_bytes=8e9)
    assert image_bytes(SQUEEZENET, ["fire8"], shape[:2], precision="bfloat16") < each


@pytest.mark.parametrize("model", ["squeezenet", "inception_v3"])
def test_cost_grows_with_the_area(model):
    """Twice the sides are about four times the operations and bytes."""
    spec = get_model(model)
    layers = DreamParams(model=model).layers

    assert step_operations(spec, layers, (1024, 1024)) == pytest.approx(
        4 * step_operations(spec, layers, (512, 512)), rel=0.1
    )
    assert image_bytes(spec, layers, (1024, 1024)) == pytest.approx(4 * image_bytes(spec, layers, (512, 512)), rel=0.1)
