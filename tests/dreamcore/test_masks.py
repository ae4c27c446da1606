"""Masks: a dream stays within the white, terms count within theirs, and what a mask can't be is refused."""

import numpy as np
import pytest

from dreamcore.errors import MaskError
from dreamcore.masks import feathered, mask_of
from dreamcore.params import DreamParams
from dreamcore.pictures import Picture
from tests.support import noise

SHORT = {"model": "squeezenet", "octaves": 2, "steps": 2, "layers": {"fire5": 1.0}}


@pytest.fixture(scope="module")
def half(picture):
    """White on the right, from a third of the width on, with a black spot in it."""
    mask = np.zeros(picture.shape[:2], np.uint8)
    mask[:, 43:] = 255
    mask[40:50, 80:90] = 0
    return mask


def dreamt(image, squeezenet, mask=None, **changes):
    from dreamcore import dream  # noqa: PLC0415  # loads TensorFlow

    return dream(image, DreamParams.model_validate(SHORT | changes), mask=mask, model=squeezenet)


@pytest.mark.parametrize("feather_px", [0, 5, 16])
def test_feathering_stays_within_the_white(half, feather_px):
    """Black stays exactly black, deep white white, and each value is the Gaussian mean of the least ones around."""
    soft = feathered(half, feather_px=feather_px)

    reach = round(feather_px / 2)
    padded = np.pad(half / 255, 2 * reach, mode="edge")
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (3 * offsets / max(reach, 1)) ** 2)
    weights = np.outer(weights, weights) / weights.sum() ** 2
    for row, column in [(0, 0), (3, 42), (3, 46), (45, 76), (50, 94), (60, 120), (96, 130)]:
        expected = 0.0
        for (i, down), (j, right) in ((a, b) for a in enumerate(offsets) for b in enumerate(offsets)):
            at, to = row + down + 2 * reach, column + right + 2 * reach
            expected += weights[i, j] * padded[at - reach : at + reach + 1, to - reach : to + reach + 1].min()
        assert soft[row, column] == pytest.approx(expected, abs=1e-5)
    assert (soft[half == 0] == 0).all()
    assert soft[96, 130] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="dreamfarm"),
        pytest.param({"optimiser": "adam", "total_variation": 0.5}, id="adam"),
        pytest.param({"profile": "tf-tutorial", "jitter": 5}, id="tf-tutorial"),
        pytest.param({"profile": "keras", "octaves": 1}, id="keras"),
        pytest.param({"start": "noise"}, id="noise"),
    ],
)
def test_black_stays_the_photo_to_the_bit(squeezenet, picture, half, changes):
    """Whatever the recipe does to the whole picture, where the mask is black each pixel is the photo's."""
    image = dreamt(picture, squeezenet, half, **changes).image

    assert np.array_equal(image[half == 0], picture[half == 0])
    inside = feathered(half, feather_px=16) > 0.5
    assert np.abs(image.astype(int) - picture)[inside].mean() > 1


def test_sixteen_bits_stay_the_photo_too(squeezenet, picture, half):
    """In a photo of 16 bits per channel black keeps all of them."""
    deep = picture.astype(np.uint16) * 256 + np.random.default_rng(3).integers(0, 256, picture.shape, dtype=np.uint16)

    image = dreamt(deep, squeezenet, half).image

    assert np.array_equal(image[half == 0], deep[half == 0])


def test_the_move_is_multiplied_by_the_mask(squeezenet, picture, half):
    """One step at one size moves each pixel by the mask's share of the move without it."""
    from dreamcore import dream  # noqa: PLC0415  # loads TensorFlow

    one = {**SHORT, "octaves": 1, "steps": 1, "profile": "keras", "feather": 10, "max_loss": None}
    ends = []
    for mask in (None, half):
        params = DreamParams.model_validate(one)
        dream(picture, params, mask=mask, model=squeezenet, on_octave=lambda checkpoint, _: ends.append(checkpoint))
    free, confined = ((end.image + 1) * 127.5 for end in ends)

    expected = picture + feathered(half, feather_px=10)[..., None] * (free - picture)
    assert np.abs(confined - expected).max() < 1e-2


def test_a_white_mask_changes_nothing(squeezenet, picture):
    """All white, and under a terms' mask all white, the dream is the one without."""
    white = np.full(picture.shape[:2], 255, np.uint8)
    terms = {"layers": {}, "terms": [{"layer": "fire5", "mask": 0}]}

    plain = dreamt(picture, squeezenet).image.astype(int)

    assert np.abs(plain - dreamt(picture, squeezenet, white).image).max() <= 1
    assert np.abs(plain - dreamt(picture, squeezenet, white, **terms).image).max() <= 1


def test_a_term_counts_within_its_mask(squeezenet, picture):
    """The loss sums each term over the cells of its own mask, resized to the layer by means."""
    import tensorflow as tf  # noqa: PLC0415

    from tests.dreamcore.oracles import PlainSqueezeNet, caffe_input  # noqa: PLC0415

    left = np.zeros(picture.shape[:2], np.uint8)
    left[:, :60] = 255
    terms = [{"layer": "fire5", "mask": 0}, {"layer": "fire4", "mask": 1, "weight": 3, "kind": "mean"}]
    one = {"layers": {}, "octaves": 1, "steps": 1, "jitter": 0, "feather": 0, "terms": terms}

    loss = dreamt(picture, squeezenet, [left, 255 - left], **one).losses[0][0]

    found = PlainSqueezeNet()(caffe_input(picture[None] / np.float32(127.5) - 1))
    five, four = found["fire5"][0].numpy(), found["fire4"][0].numpy()
    small = [
        tf.image.resize(each[..., None] / 255, layer.shape[:2], antialias=True).numpy()
        for each, layer in ((left, five), (255 - left, four))
    ]
    assert loss == pytest.approx((five**2 * small[0]).mean() + 3 * (four * small[1]).mean(), rel=1e-3)


@pytest.mark.parametrize(
    ("masks", "changes", "message"),
    [
        pytest.param([(97, 130)], {}, r"mask is 130x97 px, the picture 131x97 px", id="size"),
        pytest.param([(97, 131, 3)], {}, r"shape \(97, 131, 3\).*mask_of", id="colours"),
        pytest.param([(97, 131)] * 2, {}, r"Masks \[0, 1\] are named by no term", id="two confine"),
        pytest.param([], {"layers": {}, "terms": [{"layer": "fire5", "mask": 0}]}, "mask 0.* 0 are given", id="none"),
    ],
)
def test_a_mask_that_fits_not_is_refused(squeezenet, picture, masks, changes, message):
    """One error names the mask's size, kind or number, and what it should be."""
    with pytest.raises(MaskError, match=message):
        dreamt(picture, squeezenet, [np.full(shape, 255, np.uint8) for shape in masks], **changes)


@pytest.mark.parametrize(("white", "message"), [(0, "black all over"), (9, "feather of 16 px leaves nothing")])
def test_a_mask_with_nothing_to_dream_is_refused(squeezenet, picture, white, message):
    """A black mask, or one whose white is narrower than the feather, is one clear error."""
    mask = np.zeros(picture.shape[:2], np.uint8)
    mask[:, 50 : 50 + white] = 255

    with pytest.raises(MaskError, match=message):
        dreamt(picture, squeezenet, mask)


def test_a_pack_may_hold_pictures_with_and_without_masks(squeezenet, picture, half):
    """Each comes out as it does alone, be it confined or not."""
    from dreamcore import dream_pack  # noqa: PLC0415  # loads TensorFlow

    images, masks = [picture, noise(*picture.shape[:2], seed=4)], [half, None]
    params = DreamParams.model_validate(SHORT | {"steps": 1})

    together = dream_pack(images, [params, params], masks=masks, model=squeezenet)

    for image, mask, packed in zip(images, masks, together, strict=True):
        alone = dreamt(image, squeezenet, mask, steps=1).image.astype(int)
        assert np.abs(alone - packed.image).max() <= 1


def test_an_interrupted_masked_dream_goes_on_to_the_same_bytes(squeezenet, picture, half):
    """A checkpoint of a confined dream resumes it exactly, and belongs to its mask alone."""
    from dreamcore import Stopped, dream  # noqa: PLC0415  # loads TensorFlow
    from dreamcore.errors import CheckpointError  # noqa: PLC0415

    params = DreamParams.model_validate(SHORT)
    asked = iter([False, False, False, True])
    with pytest.raises(Stopped) as stopped:
        dream(picture, params, mask=half, model=squeezenet, should_stop=lambda: next(asked))
    resume = stopped.value.checkpoint

    resumed = dream(picture, params, mask=half, model=squeezenet, resume=resume)

    assert np.array_equal(resumed.image, dreamt(picture, squeezenet, half).image)
    with pytest.raises(CheckpointError):
        dream(picture, params, mask=255 - half, model=squeezenet, resume=resume)


def test_a_picture_becomes_a_mask_by_its_brightness():
    """White is 255, black 0, green brighter than blue, transparent black; 16 bits as 8."""
    rgb = np.array([[[255, 255, 255], [0, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    alpha = np.array([[255, 255, 255, 255, 0]], np.uint8)

    shallow = mask_of(Picture(rgb, alpha))
    deep = mask_of(Picture(rgb.astype(np.uint16) * 257, alpha.astype(np.uint16) * 257))

    assert shallow.tolist() == deep.tolist() == [[255, 0, 150, 29, 0]]
