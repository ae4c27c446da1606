"""What a dream costs, told before it is dreamt, against counts made by hand."""

import math

import pytest

from dreamcore import DreamParams, ZoomParams
from dreamcore.errors import PictureTooSmallError
from dreamcore.planner import REFERENCE, Speed, peak_memory, plan
from dreamcore.workload import Work, count_work, pixel_steps

FIRES = [(16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256)]
"""SqueezeNet 1.1 as published: channels of the squeeze and of each of the two expansions, fire2 to fire9."""
POOLED_BEFORE = {2, 4, 6}

ONE_OCTAVE = {"octaves": 1, "steps": 1}


def squeezenet_multiply_adds(height, width, last):
    """Count SqueezeNet's multiply-adds up to a fire module, by its published table; pools are 3x3, by 2, unpadded."""
    height, width = math.ceil(height / 2), math.ceil(width / 2)
    total, channels = height * width * 64 * 3 * 3 * 3, 64
    for number, (squeeze, expand) in enumerate(FIRES, 2):
        if number in POOLED_BEFORE:
            height, width = (height - 3) // 2 + 1, (width - 3) // 2 + 1
        cells = height * width
        total += cells * squeeze * channels
        total += cells * expand * squeeze
        total += cells * expand * squeeze * 9
        channels = 2 * expand
        if number == last:
            return total
    raise AssertionError(last)


@pytest.mark.parametrize(("height", "width"), [(96, 96), (97, 123), (224, 160)])
@pytest.mark.parametrize("last", [2, 5, 9])
def test_operations_are_those_of_the_published_network(height, width, last):
    """A step takes each multiply-add twice forward and twice back, and nothing past the layer asked for."""
    params = DreamParams(layers={f"fire{last}": 1.0}, **ONE_OCTAVE)

    work = count_work(params, (height, width, 3))

    assert work.operations == 4 * squeezenet_multiply_adds(height, width, last)
    assert work.pixel_steps == height * width


def test_octaves_add_up():
    """Two octaves of seven steps are seven times the operations of both sizes."""
    params = DreamParams(layers={"fire8": 1.0}, octaves=2, octave_scale=2.0, steps=7)

    work = count_work(params, (128, 192))

    both = squeezenet_multiply_adds(128, 192, 8) + squeezenet_multiply_adds(64, 96, 8)
    assert work.operations == 7 * 4 * both
    assert work.pixel_steps == pixel_steps(params, (128, 192)) == 7 * (128 * 192 + 64 * 96)


def test_a_zoom_is_its_first_frame_and_the_others():
    """Twenty frames are one whole dream and nineteen of the frames' own octaves and steps."""
    params = DreamParams(octaves=3, octave_scale=2.0, steps=10)
    path = ZoomParams(frames=20, frame_octaves=2, frame_steps=3)
    frame = params.model_copy(update={"octaves": 2, "steps": 3})
    shape = (160, 256, 3)

    whole = count_work(params, shape, zoom=path)

    assert whole == count_work(params, shape) + count_work(frame, shape).times(19)
    assert pixel_steps(params, shape, zoom=path) == whole.pixel_steps
    assert count_work(params, shape, zoom=ZoomParams(frames=1)) == count_work(params, shape)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"steps": 16}, id="a step more"),
        pytest.param({"octaves": 6}, id="an octave more"),
        pytest.param({"layers": {"fire9": 1.0}}, id="a deeper layer"),
        pytest.param({"laplacian": 3}, id="a pyramid"),
        pytest.param({"smoothing_growth": 2.0, "smoothing": 0.0}, id="three blurs"),
        pytest.param({"optimiser": "adam"}, id="Adam"),
        pytest.param({"total_variation": 0.1}, id="a penalty"),
        pytest.param({"model": "inception_v3", "layers": {"mixed5": 1.0}}, id="a larger network"),
    ],
)
def test_more_to_do_takes_longer(more):
    """Whatever adds work adds seconds."""
    plain = {"layers": {"fire8": 1.0}, "octaves": 5, "steps": 15, "smoothing": 0.0, "normalise": "std"}

    before, after = (plan(DreamParams(**given), (512, 512), speed=REFERENCE) for given in (plain, plain | more))

    assert after.seconds > before.seconds


def test_a_larger_picture_takes_longer_and_more_memory():
    """Operations, seconds and bytes all grow with the picture's sides."""
    estimates = [plan(DreamParams(), (side, side), speed=REFERENCE) for side in (128, 256, 512, 1024)]

    for name in ("operations", "pixel_steps", "peak_memory_bytes", "seconds"):
        values = [getattr(estimate, name) for estimate in estimates]
        assert values == sorted(set(values)), name


def test_tiles_save_memory_and_cost_time():
    """In little more than half of the memory a dream is tiled: it fits, and its halos are computed besides."""
    params = DreamParams(layers={"fire8": 1.0}, **ONE_OCTAVE)
    whole = plan(params, (2048, 2048), speed=REFERENCE)
    budget = 0.6 * whole.peak_memory_bytes

    tiled = plan(params, (2048, 2048), speed=REFERENCE, memory_bytes=budget)

    assert tiled.peak_memory_bytes <= budget < whole.peak_memory_bytes
    assert tiled.operations > whole.operations
    assert tiled.work.launches > 4 * whole.work.launches
    assert tiled.pixel_steps == whole.pixel_steps
    assert peak_memory(params.model_copy(update={"tiling": "off"}), (2048, 2048), memory_bytes=budget) > budget


def test_matching_a_guide_compares_all_cells():
    """Each cell of the layer meets each cell of the guide, a multiplication and an addition a channel."""
    params = DreamParams(terms=[{"layer": "fire9", "kind": "guide-match"}], **ONE_OCTAVE)
    alone = count_work(params, (128, 128))

    guided = count_work(params, (128, 128), guides=[(64, 96)])

    assert guided.operations - alone.operations == 2 * (7 * 7) * (3 * 5) * 512


def test_seconds_are_the_parts_times_their_speeds():
    """The estimate's seconds are the sum of each part of the work times what one of it takes."""
    speed = Speed(s_per_operation=2.0, s_per_element=3.0, s_per_launch=5.0)
    work = Work(operations=10, elements=100, launches=1000, pixel_steps=1)

    assert speed.seconds(work) == 2 * 10 + 3 * 100 + 5 * 1000
    assert speed.times(3).seconds(work) == 3 * speed.seconds(work)


def test_without_a_speed_there_are_no_seconds():
    """What is not known is not made up."""
    assert plan(DreamParams(), (256, 256)).seconds is None


def test_a_picture_too_small_is_told_so():
    """What the network can't take has no estimate, and the message says the least side."""
    with pytest.raises(PictureTooSmallError, match="takes"):
        plan(DreamParams(), (8, 8))
