"""Speeds: fitted, kept, and measured once."""

import numpy as np
import pytest

from dreamcore import DreamParams
from dreamcore.planner import REFERENCE, Speed, plan
from dreamcore.speeds import Measurement, SpeedCache, SpeedKey, fitted
from dreamcore.workload import Work

KEY = SpeedKey("CPU: one", "a library 1.0", "squeezenet", "float32")
SPEED = Speed(s_per_operation=4e-11, s_per_element=1e-10, s_per_launch=5e-4)


def measurements(speed, *, noise=0.0):
    """Return dreams of several kinds and what they take at a speed."""
    rng = np.random.default_rng(7)
    kinds = [({"fire2": 1.0}, 96), ({"fire2": 1.0}, 512), ({"fire9": 1.0}, 96), ({"fire9": 1.0}, 512)]
    works = [plan(DreamParams(layers=layers, octaves=1, steps=3), (side, side)).work for layers, side in kinds]
    return [Measurement(work, speed.seconds(work) * (1 + noise * rng.uniform(-1, 1))) for work in works]


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_a_speed_is_found_again(noise):
    """What another dream takes follows from four that were measured, a few per cent off though they were."""
    other = plan(DreamParams(layers={"fire5": 1.0}, octaves=4, steps=10), (300, 400)).work

    found = fitted(measurements(SPEED, noise=noise))

    assert found.seconds(other) == pytest.approx(SPEED.seconds(other), rel=0.05 + noise)


def test_one_measurement_gives_the_reference_times_a_factor():
    """Where the parts can't be told apart they keep the reference's proportions."""
    work = Work(operations=1e9, elements=1e8, launches=100)

    found = fitted([Measurement(work, 3 * REFERENCE.seconds(work))])

    expected = REFERENCE.times(3)
    assert found.s_per_operation == pytest.approx(expected.s_per_operation)
    assert found.s_per_element == pytest.approx(expected.s_per_element)
    assert found.s_per_launch == pytest.approx(expected.s_per_launch)


def test_no_part_is_free():
    """Measurements that contradict each other give no negative speed: more work never takes less time."""
    small, large = (Work(operations=1e9 * size, elements=1e7, launches=50) for size in (1, 4))

    found = fitted([Measurement(small, 2.0), Measurement(large, 1.0)])

    assert min(found.s_per_operation, found.s_per_element, found.s_per_launch) > 0


def test_a_speed_is_kept(tmp_path):
    """What was put comes back, from another cache of the same folder too; another device's doesn't."""
    SpeedCache(tmp_path / "deep" / "folder").put(KEY, SPEED)

    again = SpeedCache(tmp_path / "deep" / "folder")

    assert again.get(KEY) == SPEED
    assert again.get(KEY._replace(device="CPU: two")) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"key": 1, "speed": {"s_per_operation": 1}}', "\x00"])
def test_a_damaged_file_counts_as_none(tmp_path, text):
    """It is measured again then."""
    cache = SpeedCache(tmp_path)
    cache.put(KEY, SPEED)
    for path in tmp_path.iterdir():
        path.write_text(text)

    assert cache.get(KEY) is None


def test_a_folder_that_cant_be_written_is_no_error(tmp_path):
    """A speed that can't be kept is simply not there the next time."""
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    cache = SpeedCache(blocked)

    cache.put(KEY, SPEED)

    assert cache.get(KEY) is None


@pytest.mark.slow
def test_a_model_is_measured_once(tmp_path):
    """The first estimate measures the device and keeps the speed; the next ones use what was kept."""
    from dreamcore import estimate, load_model  # noqa: PLC0415  # loads TensorFlow

    params, cache = DreamParams(octaves=2, steps=2), SpeedCache(tmp_path)
    model = load_model("squeezenet", "random")

    first = estimate(params, (97, 123), model=model, cache=cache)
    kept = [path.read_bytes() for path in tmp_path.iterdir()]
    second = estimate(params, (97, 123), model=model, cache=cache)

    assert first.seconds > 0
    assert first == second
    assert kept == [path.read_bytes() for path in tmp_path.iterdir()]
    assert len(kept) == 1
    assert first.work == plan(params, (97, 123)).work
