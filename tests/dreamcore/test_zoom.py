"""Zooms: the way from frame to frame, the frames, and the films made of them."""

import math
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from dreamcore.errors import DreamError
from dreamcore.params import DreamParams
from dreamcore.pictures import decode
from dreamcore.results import Stopped
from dreamcore.video import write_video
from dreamcore.zoom_path import ZoomParams, calmed, moved, seed_of
from tests.support import noise

SIZES = [pytest.param(64, 48, id="even"), pytest.param(63, 47, id="odd")]


def smooth(height, width):
    """Slow waves, which every kernel samples alike."""
    y, x = np.mgrid[:height, :width]
    waves = [127 + 90 * np.sin((x * a + y * b) / 19) for a, b in ((1, 0.3), (-0.4, 1), (0.7, 0.7))]
    return np.stack(waves, axis=-1).round().astype(np.uint8)


def place_before(y, x, path, height, width):
    """Where a pixel of the new frame was in the old: undo the shift, the turn, the enlargement about the centre."""
    across = x + 0.5 - (path.centre[0] + path.shift[0]) * width
    down = y + 0.5 - (path.centre[1] + path.shift[1]) * height
    angle = math.radians(path.rotate)
    old_across = (across * math.cos(angle) - down * math.sin(angle)) / path.scale
    old_down = (across * math.sin(angle) + down * math.cos(angle)) / path.scale
    return old_down + path.centre[1] * height - 0.5, old_across + path.centre[0] * width - 0.5


def mirrored(place, length):
    place = place % (2 * length)
    return min(place, 2 * length - 1 - place)


def bilinear(image, y, x):
    height, width = image.shape[:2]
    top, left = math.floor(y), math.floor(x)
    total = 0
    for row, column in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
        weight = (1 - abs(y - row)) * (1 - abs(x - column))
        total = total + weight * image[mirrored(row, height), mirrored(column, width)].astype(float)
    return total


@pytest.mark.parametrize(
    "path",
    [
        pytest.param({"scale": 1.2}, id="in"),
        pytest.param({"scale": 0.8}, id="out, mirrored at the edges"),
        pytest.param({"scale": 1.0, "rotate": 30}, id="turned"),
        pytest.param({"scale": 1.0, "shift": (0.25, -0.1)}, id="shifted"),
        pytest.param({"scale": 1.1, "rotate": -7, "shift": (-0.05, 0.2), "centre": (0.2, 0.9)}, id="all at once"),
    ],
)
def test_a_frame_is_moved_as_the_formula_says(path):
    """Every pixel comes from the place that plain trigonometry gives; beyond an edge the picture is mirrored."""
    image, way = smooth(41, 57), ZoomParams(**path)

    new = moved(image, way)
    assert new.shape == image.shape
    expected = [[bilinear(image, *place_before(y, x, way, 41, 57)) for x in range(57)] for y in range(41)]
    wrong = np.abs(new - np.array(expected))
    assert np.percentile(wrong, 95) < 2
    assert wrong.max() < 25  # where a mirrored edge makes a kink, the kernels differ


def test_standing_still_changes_nothing():
    """A move by nothing gives the same bytes."""
    image = noise(21, 34)

    assert np.array_equal(moved(image, ZoomParams(scale=1)), image)


def test_calm_keeps_brightness_and_bounds_contrast():
    """A harsh frame gets the picture's mean and spread in each channel; a soft one is not made harsher."""
    picture = smooth(40, 50)
    harsh = np.clip((picture.astype(float) - 127) * 1.35 + 120, 0, 255).astype(np.uint8)
    soft = (100 + picture / 8).astype(np.uint8)

    for given, spread in ((harsh, picture.std(axis=(0, 1))), (soft, soft.std(axis=(0, 1)))):
        got = calmed(given, picture)
        assert got.mean(axis=(0, 1)) == pytest.approx(picture.mean(axis=(0, 1)), abs=1)
        assert got.std(axis=(0, 1)) == pytest.approx(spread, abs=1)


def test_each_frame_has_its_own_seed():
    """Seeds differ from frame to frame and from seed to seed, repeat, and are allowed ones."""
    seeds = {seed_of(seed, frame) for seed in (0, 1, 2**63 - 1) for frame in range(1, 500)}

    assert len(seeds) == 3 * 499
    assert seed_of(7, 3) == seed_of(7, 3)
    assert DreamParams(seed=max(seeds))


@pytest.mark.parametrize(
    ("given", "exact"),
    [
        ("30", Fraction(30)),
        (25, Fraction(25)),
        ("23.976", Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("24000/1001", Fraction(24000, 1001)),
        ("12.5", Fraction(25, 2)),
        ("1/3", Fraction(1, 3)),
    ],
)
def test_any_frame_rate_is_exact(given, exact):
    """Whole, broken and television's rates are kept as fractions, through JSON too."""
    path = ZoomParams(fps=given)

    assert path.rate == exact
    assert ZoomParams.model_validate_json(path.model_dump_json()) == path


@pytest.mark.parametrize(
    "wrong",
    [
        {"frames": 0},
        {"scale": 0.4},
        {"scale": math.nan},
        {"rotate": 181},
        {"shift": (0, 0.6)},
        {"centre": (0.5, 1.1)},
        {"fps": "fast"},
        {"fps": 0},
        {"fps": "1/0"},
        {"fps": 241},
        {"surprise": 1},
    ],
    ids=str,
)
def test_wrong_values_are_refused(wrong):
    """Each value beyond its bounds is an error."""
    with pytest.raises(ValidationError):
        ZoomParams(**wrong)


def numbered(count, height, width):
    """Frames that tell their number: each lighter than the one before."""
    return [np.full((height, width, 3), 20 + 10 * number, np.uint8) for number in range(count)]


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30), Fraction(25, 2)], ids=str)
@pytest.mark.parametrize("kind", ["mp4", "webm"])
def test_a_film_has_every_frame_in_order_at_its_time(kind, rate, height, width, tmp_path):
    """Read back, the frames are all there, in order, of even size, each at its exact time (WebM: to the ms)."""
    write_video(numbered(20, height, width), tmp_path / "film", format=kind, rate=rate)

    with av.open(str(tmp_path / "film")) as film:
        stream = film.streams.video[0]
        shown = [(frame.pts * stream.time_base, frame.to_ndarray(format="rgb24")) for frame in film.decode(stream)]
        assert stream.codec_context.name.removeprefix("lib") in {"h264", "vp9"}
        assert stream.codec_context.pix_fmt == "yuv420p"
        if kind == "mp4":
            assert stream.average_rate == rate
    assert len(shown) == 20
    for number, (time, frame) in enumerate(shown):
        assert frame.shape == (height + height % 2, width + width % 2, 3)
        assert abs(frame.mean() - (20 + 10 * number)) < 3
        assert abs(time - number / rate) <= (0 if kind == "mp4" else Fraction(1, 1000))


def test_a_gif_keeps_time(tmp_path):
    """A GIF counts in 10 ms; its frames are so long that the whole film lasts as long as it should."""
    rate = Fraction(24000, 1001)
    write_video(numbered(20, 9, 13), tmp_path / "film.gif", format="gif", rate=rate)

    film = Image.open(tmp_path / "film.gif")
    durations = []
    for number in range(film.n_frames):
        film.seek(number)
        durations.append(film.info["duration"])
        assert abs(np.asarray(film.convert("RGB")).mean() - (20 + 10 * number)) < 2
    assert len(durations) == 20
    assert abs(sum(durations) - 20_000 / rate) <= 5
    assert set(durations) == {40, 50}


def test_a_gif_too_fast_is_refused():
    """More frames per second than a GIF can show are one clear error."""
    with pytest.raises(DreamError, match="at most 50 frames per second, not 60"):
        ZoomParams(format="gif", fps=60).check()


def test_frames_are_archived_in_order(tmp_path):
    """The format "frames" is a zip of PNGs, numbered from 1, the same bytes each time."""
    import zipfile  # noqa: PLC0415  # for this test alone

    frames = [noise(9, 12, seed=number) for number in range(3)]
    for name in ("a.zip", "b.zip"):
        write_video(frames, tmp_path / name, format="frames", rate=Fraction(24))

    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["frame-00001.png", "frame-00002.png", "frame-00003.png"]
        assert all(
            np.array_equal(decode(archive.read(n)).rgb, f) for n, f in zip(archive.namelist(), frames, strict=True)
        )


@pytest.mark.parametrize("kind", ["mp4", "webm"])
def test_the_same_frames_make_the_same_film(kind, tmp_path):
    """Writing again and again gives the same bytes, at sizes too that are no multiple of the codec's blocks."""
    frames = [noise(65, 71, seed=number) for number in range(8)]
    films = set()
    for number in range(8):
        write_video(frames, tmp_path / f"{number}", format=kind, rate=Fraction(24))
        films.add((tmp_path / f"{number}").read_bytes())

    assert len(films) == 1


PARAMS = DreamParams(octaves=2, steps=2, jitter=8, seed=5)
PATH = ZoomParams(frames=4, scale=1.05, rotate=2, frame_octaves=1, frame_steps=2)


@pytest.mark.slow
def test_a_zoom_goes_on_from_any_frame_to_the_same_bytes(squeezenet):
    """Each frame is the dream of the one before, moved; whichever frame a zoom goes on from, the rest is the same."""
    from dreamcore import dream  # noqa: PLC0415  # loads TensorFlow
    from dreamcore.zooming import zoom  # noqa: PLC0415

    image = noise(65, 83)
    seen = []
    frames = [found.image for found in zoom(image, PARAMS, PATH, model=squeezenet, on_progress=seen.append)]

    assert len(frames) == 4
    assert np.array_equal(frames[0], dream(image, PARAMS, model=squeezenet).image)
    assert all(not np.array_equal(one, other) for one, other in pairwise(frames))
    for done in (1, 3):
        rest = [f.image for f in zoom(image, PARAMS, PATH, done=done, last=frames[done - 1], model=squeezenet)]
        assert np.array_equal(rest, frames[done:])
    assert [progress.frame for progress in seen] == [1] * 4 + [2] * 2 + [3] * 2 + [4] * 2
    assert [progress.fraction for progress in seen] == sorted(progress.fraction for progress in seen)
    assert seen[-1].fraction == 1


@pytest.mark.slow
def test_a_zoom_keeps_to_its_mask(squeezenet):
    """In every frame what is black is what the camera saw before it was dreamt on."""
    from dreamcore import zoom  # noqa: PLC0415  # loads TensorFlow

    image, path = noise(64, 80), ZoomParams(frames=2, scale=1.1)
    mask = np.zeros((64, 80), np.uint8)
    mask[:, 40:] = 255
    first, second = zoom(image, PARAMS, path, mask=mask, model=squeezenet)

    assert np.array_equal(first.image[:, :40], image[:, :40])
    assert np.array_equal(second.image[:, :40], calmed(moved(first.image, path), image)[:, :40])
    assert not np.array_equal(second.image[:, 50:], calmed(moved(first.image, path), image)[:, 50:])


def test_a_zoom_stops_within_a_step(squeezenet):
    """Asked to stop in the third frame, a zoom has given two and takes no further step."""
    from dreamcore.zooming import zoom  # noqa: PLC0415  # loads TensorFlow

    seen, frames = [], []

    def stop():
        return bool(seen) and seen[-1].frame == 3

    run = zoom(noise(65, 83), PARAMS, PATH, model=squeezenet, on_progress=seen.append, should_stop=stop)
    with pytest.raises(Stopped):
        frames.extend(run)

    assert len(frames) == 2
    assert seen[-1].step.step == 1


def test_frames_keep_to_the_memory_they_are_given(squeezenet):
    """Within a tiny budget frames are tiled: exactly, they agree to 1e-3 of the range; rolled, to the byte."""
    from dreamcore import dream, zoom  # noqa: PLC0415  # loads TensorFlow

    path = ZoomParams(frames=2)
    params = DreamParams(model="squeezenet", layers={"fire8": 1.0}, octaves=1, steps=2, max_loss=None)

    def departures(picture):
        """Return the mean difference of each frame."""
        whole = zoom(picture, params, path, model=squeezenet)
        tiled = zoom(picture, params, path, model=squeezenet, memory_gb=0.61)
        return [np.abs(one.image.astype(float) - other.image).mean() for one, other in zip(whole, tiled, strict=True)]

    # Rounding flips a maximum now and then, and the next frame begins with it; an error would meet all pictures.
    assert min(max(departures(noise(301, 277, seed=seed))) for seed in range(3)) <= 0.255

    picture = smooth(301, 277)
    rolled = params.model_copy(update={"tiling": "rolled"})
    small = next(zoom(picture, rolled, path, model=squeezenet, memory_gb=0.61)).image
    assert np.array_equal(small, dream(picture, rolled, model=squeezenet, memory_gb=0.61).image)
    assert not np.array_equal(small, dream(picture, rolled, model=squeezenet).image)
