"""Where images are cut, by the network's graph alone; and what tiles add up to."""

import numpy as np
import pytest

from dreamcore import DreamParams, catalog
from dreamcore.tiles import Span, exact_tiles, largest_crop, plain_tiles, seen
from tests.support import noise


def _tapped(axis_length, kernel, stride, cell):
    """Return which pixels one cell of a lone 'same' convolution is made of, from TensorFlow's rule of padding."""
    cells = -(-axis_length // stride)
    padding = max((cells - 1) * stride + kernel - axis_length, 0)
    taps = [cell * stride - padding // 2 + tap for tap in range(kernel)]
    return [tap for tap in taps if 0 <= tap < axis_length]


@pytest.mark.parametrize("length", [96, 97, 130, 131])
def test_what_a_cell_sees_is_kept_on_the_whole_images_phase(length):
    """Crops hold a cell's pixels, and with stride 2 begin and end an even number of px from the image's ends."""
    graph = catalog.get_model("squeezenet").nodes
    for cell in (0, 5, 20, -(-length // 2) - 1):
        span = seen(graph, {"conv1": Span(cell, cell + 1)}, length, axis=0)
        taps = _tapped(length, 3, 2, cell)
        assert span.start <= taps[0] <= taps[-1] < span.stop
        assert span.start % 2 == 0
        assert (length - span.stop) % 2 == 0
        assert span.stop - span.start <= 6  # 3 px, and up to 3 for the phase


@pytest.mark.parametrize(
    ("name", "layers"), [("squeezenet", ["fire5", "fire9"]), ("inception_v3", ["mixed3", "mixed8"])]
)
@pytest.mark.parametrize("size", [(353, 401), (352, 320), (399, 127)])
def test_every_cell_counts_in_one_tile(name, layers, size):
    """Over all tiles, each cell of each layer counts once, but for the border, which never counts."""
    model = catalog.get_model(name)
    for border in (0, 1):
        tiles = exact_tiles(model, layers, size, core_px=96, border=border)
        for index, layer in enumerate(layers):
            counts = np.zeros(model.layer(layer).shape(*size)[:2])
            for tile in tiles:
                rows, columns = tile.cells[index]
                counts[slice(*rows), slice(*columns)] += tile.counted[index][0, :, :, 0]
            expected = np.zeros_like(counts)
            expected[border : len(counts) - border, border : counts.shape[1] - border] = 1
            assert np.array_equal(counts, expected)


@pytest.mark.parametrize("size", [(100, 517), (301, 299), (64, 64)])
@pytest.mark.parametrize("origin", [(0, 0), (77, 130)], ids=str)
def test_plain_tiles_cover_every_pixel_and_count_no_cell_twice(size, origin):
    """Tiles without halo leave no pixel out wherever they begin; cells that need two tiles' pixels count in none."""
    model = catalog.get_model("squeezenet")
    covered, counts = np.zeros(size, int), np.zeros(model.layer("fire8").shape(*size)[:2])
    for tile in plain_tiles(model, ["fire8"], size, core_px=96, origin=origin):
        covered[slice(*tile.rows), slice(*tile.columns)] += 1
        rows, columns = tile.cells[0]
        counts[slice(*rows), slice(*columns)] += tile.counted[0][0, :, :, 0]
    assert (covered >= 1).all()
    assert (counts <= 1).all()
    assert counts.mean() >= 0.6


def test_plain_tiles_begin_elsewhere_by_their_origin():
    """Borders between tiles move with the origin, by whole strides."""
    model = catalog.get_model("squeezenet")
    starts = [
        {tile.rows.start for tile in plain_tiles(model, ["fire8"], (517, 300), core_px=96, origin=(at, 0))}
        for at in (0, 40, 96)
    ]
    assert starts[0] == starts[2] != starts[1]
    assert all(start % 16 == 0 for start in starts[1])


def test_tiles_of_a_large_image_are_small():
    """A 2048 px image in cores of 512 px needs crops of no more than core, receptive field and phase."""
    model = catalog.get_model("squeezenet")
    tiles = exact_tiles(model, ["fire8"], (2048, 2048), core_px=512)
    assert len(tiles) == 16  # 4 by 4
    assert max(largest_crop(tiles)) <= 512 + model.layer("fire8").receptive_field + 2 * 16


@pytest.fixture(scope="module")
def inception():
    from dreamcore import load_model  # noqa: PLC0415  # loads TensorFlow

    return load_model("inception_v3", "random")


def _relative_error(model, params, size, **companions):
    from dreamcore.course import Course  # noqa: PLC0415  # loads TensorFlow
    from dreamcore.tiling import tiled_step  # noqa: PLC0415

    course = Course(noise(*size), params, **{"guide": None, **companions}, model=model)
    state = course.start(None)
    course.enter(state, 1)
    inputs, guides = course.step_inputs(state), course.octave_inputs(state)
    tiles = exact_tiles(model.spec, course.rules.layers, size, core_px=96, border=course.rules.border)
    assert len(tiles) >= 4  # cut along both axes
    whole, losses, *_ = course.compiled_step(state.image, *inputs, *guides)
    tiled, tiled_losses, *_ = tiled_step(model, course.rules, tiles)(state.image, *inputs, *guides)
    assert float(tiled_losses[0]) == pytest.approx(float(losses[0]), rel=1e-4)
    way = np.asarray(whole) - np.asarray(state.image)
    return np.linalg.norm(np.asarray(tiled) - np.asarray(state.image) - way) / np.linalg.norm(way)


def _params(**given):
    plain = {"octaves": 1, "step_size": 1.0, "normalise": "none", "smoothing": 0, "jitter": 20}
    return DreamParams.model_validate(plain | given)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(257, 301), (260, 299), (288, 271)])
def test_tiled_gradient_is_the_whole_images_with_squeezenet(squeezenet, size):
    """On odd and even sizes, with real weights, the tiles' gradients sum up to the untiled gradient."""
    params = _params(model="squeezenet", layers={"fire4": 1.0, "fire8": 0.5})
    assert _relative_error(squeezenet, params, size) <= 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("size", [(259, 301), (274, 245)])
def test_tiled_gradient_is_the_whole_images_with_inception(inception, size):
    """The same holds for a network without padding in its stem, whose cells lie away from the image's ends."""
    params = _params(model="inception_v3", layers={"mixed3": 1.0})
    assert _relative_error(inception, params, size) <= 1e-4


@pytest.mark.slow
def test_tiled_gradient_follows_a_guide(squeezenet):
    """Each tile follows its part of the guide."""
    params = _params(model="squeezenet", layers={"fire6": 1.0}, objective="guide-dot")
    assert _relative_error(squeezenet, params, (257, 299), guide=noise(90, 120)) <= 1e-4


def test_a_layers_answers_by_tiles_are_the_whole_pictures(squeezenet):
    """A guide too large for the memory is gone over by tiles, and each cell is as it is to the whole."""
    from dreamcore.answers import answers  # noqa: PLC0415  # loads TensorFlow

    picture = noise(231, 197)[None] / np.float32(127.5) - 1
    whole, tiled = (np.asarray(answers(squeezenet, "fire6", picture, core_px=core)) for core in (None, 64))
    assert whole.shape == tiled.shape
    assert np.abs(whole - tiled).max() <= 1e-5 * np.abs(whole).max()


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["dreamfarm", "google2015"])
def test_tiled_gradient_is_the_whole_images_under_every_kind_of_term(squeezenet, profile):
    """Channels, one cell, a class, matched and placed guides, and masks of terms count in tiles as in the whole."""
    terms = [
        {"layer": "fire4", "channels": [3, 60], "weight": -2},
        {"layer": "fire6", "kind": "guide-match", "guide": 0},
        {"layer": "fire6", "kind": "guide-dot", "mask": 0},
        {"layer": "fire6", "at": [0.7, 0.2], "weight": 0.01},
        {"class_name": "goldfish", "weight": 0.1, "mask": 1},
    ]
    params = _params(profile=profile, model="squeezenet", laplacian=0, terms=terms)
    left = np.zeros((257, 299), np.uint8)
    left[:, :140] = 255
    masks = [left, 255 - left, np.roll(left, 60, axis=1)]  # the third confines the move
    assert _relative_error(squeezenet, params, (257, 299), guide=[noise(90, 120)], mask=masks) <= 1e-4


@pytest.mark.slow
def test_a_dream_that_fits_no_memory_whole_is_tiled_to_the_same_picture(squeezenet):
    """With little memory the course tiles of itself, and the picture is the untiled one within one level in 255."""
    from dreamcore import dream  # noqa: PLC0415  # loads TensorFlow

    picture = noise(301, 277)
    params = {"model": "squeezenet", "layers": {"fire8": 1.0}, "octaves": 2, "steps": 2, "step_size": 0.01}
    whole = dream(picture, DreamParams.model_validate(params | {"tiling": "off"}), model=squeezenet)
    tiled = dream(picture, DreamParams.model_validate(params), model=squeezenet, memory_gb=0.61)
    assert np.abs(whole.image.astype(int) - tiled.image).max() <= 1
    assert np.allclose(np.ravel(whole.losses), np.ravel(tiled.losses), rtol=1e-3)


@pytest.mark.slow
def test_rolled_tiles_dream_repeatably_and_otherwise_from_step_to_step(squeezenet):
    """Rolled tiles begin elsewhere in each step, by the seed alone: the same dream gives the same bytes."""
    from dreamcore import dream  # noqa: PLC0415  # loads TensorFlow
    from dreamcore.noise import random_origin  # noqa: PLC0415

    values = {"model": "squeezenet", "layers": {"fire4": 1.0}, "octaves": 1, "steps": 2, "tiling": "rolled"}
    params = DreamParams.model_validate(values)
    first, second = (dream(noise(301, 277), params, model=squeezenet, memory_gb=0.61) for _ in range(2))
    assert np.array_equal(first.image, second.image)
    assert len({random_origin(7, 1, step, size=(300, 300)) for step in range(8)}) == 8


def test_tiles_shrink_when_memory_runs_out_and_then_say_so(squeezenet):
    """On a processor each lack of memory quarters the tiles, and says so; past the smallest, it is out_of_memory."""
    from dreamcore.course import Course  # noqa: PLC0415  # loads TensorFlow
    from dreamcore.errors import OutOfMemoryError  # noqa: PLC0415
    from dreamcore.fitting import Fitting  # noqa: PLC0415

    params = DreamParams.model_validate({"model": "squeezenet", "layers": {"fire8": 1.0}})
    rules = Course(noise(97, 99), params, guide=None, model=squeezenet).rules
    fitting, size = Fitting(squeezenet, rules, "auto", largest=(2000, 3000), memory_bytes=1e12), (2000, 3000)
    assert Fitting(squeezenet, rules, "auto", largest=(301, 277), memory_bytes=0.61e9).tile_px((301, 277)) == 128
    sides = [fitting.tile_px(size)]
    for _ in range(2):
        fitting.shrink(size, MemoryError())
        sides.append(fitting.tile_px(size))
    assert sides == [None, 256, 128]
    assert len(fitting.notices) == 2
    with pytest.raises(OutOfMemoryError, match="3000x2000 px"):
        fitting.shrink(size, MemoryError())
    with pytest.raises(KeyError):
        fitting.shrink(size, KeyError("another fault"))


def test_a_dream_that_may_not_be_tiled_is_refused_beyond_its_memory(squeezenet):
    """What surely takes more than it was given, and may not be tiled, ends before the memory is taken."""
    from dreamcore import dream  # noqa: PLC0415  # loads TensorFlow
    from dreamcore.errors import OutOfMemoryError  # noqa: PLC0415

    params = DreamParams.model_validate({"layers": {"fire8": 1.0}, "tiling": "off"})
    with pytest.raises(OutOfMemoryError, match=r"3000x2000 px takes about 3\.\d GB .* may take 2.0 GB"):
        dream(np.zeros((2000, 3000, 3), np.uint8), params, model=squeezenet, memory_gb=2)


@pytest.mark.slow
def test_no_seam_shows_where_tiles_meet(squeezenet):
    """Neighbours across tiles' borders differ as other neighbours do, within 2 % of what they do untiled."""
    from dreamcore import dream  # noqa: PLC0415  # loads TensorFlow

    size, layers = (397, 421), {"fire8": 1.0}
    picture = noise(*size)
    params = DreamParams.model_validate({"model": "squeezenet", "layers": layers, "octaves": 1, "steps": 4})
    whole = dream(picture, params.model_copy(update={"tiling": "off"}), model=squeezenet)
    tiled = dream(picture, params.model_copy(update={"tiling": "exact"}), model=squeezenet, memory_gb=0.61)
    tiles = exact_tiles(squeezenet.spec, ["fire8"], size, core_px=128)
    for axis in (0, 1):
        borders = sorted({16 * (tile.cells[0][axis].start + _first_counted(tile, axis)) for tile in tiles} - {0})
        assert len(borders) == 2
        seams = [_seam(image.swapaxes(0, axis), borders) for image in (tiled.image, whole.image)]
        assert seams[0] == pytest.approx(seams[1], rel=0.02)


def _first_counted(tile, axis):
    return int(np.flatnonzero(tile.counted[0][0].any(axis=(1 - axis, 2)))[0])


def _seam(image, borders):
    """Return the mean difference of rows that meet at borders, over that of all others."""
    steps = np.abs(np.diff(image.astype(float), axis=0)).mean(axis=(1, 2))
    at = np.isin(np.arange(1, len(image)), borders)
    return steps[at].mean() / steps[~at].mean()
