"""16 bits per channel, colour profiles and orientations, from file to file."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from dreamcore.errors import PictureError
from dreamcore.params import DreamParams
from dreamcore.pictures import Picture, decode, encode, preview_jpeg, read_recipe

CHANNELS = {1: 0, 2: 4, 3: 2, 4: 6}
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LEVELS = np.random.default_rng(5).integers(0, 65536, (9, 14, 4)).astype(np.uint16)


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(samples, **chunks):
    """A 16-bit PNG written from the specification alone."""
    height, width, channels = samples.shape
    header = struct.pack(">IIBBBBB", width, height, 16, CHANNELS[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    extra = b"".join(chunk(name.encode(), content) for name, content in chunks.items())
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def tiff(samples, *, orientation=1):
    """A 16-bit little-endian TIFF in one strip, written from the specification alone."""
    height, width, channels = samples.shape
    extra = [(338, 3, 1, 2)] if channels == 4 else []
    after = 8 + 2 + 12 * (10 + len(extra)) + 4
    tags = [
        (256, 3, 1, width),
        (257, 3, 1, height),
        (258, 3, channels, after if channels > 2 else 16),
        (259, 3, 1, 1),
        (262, 3, 1, 2 if channels > 2 else 1),
        (273, 4, 1, after + 2 * channels),
        (274, 3, 1, orientation),
        (277, 3, 1, channels),
        (278, 3, 1, height),
        (279, 4, 1, samples.nbytes),
        *extra,
    ]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    bits = struct.pack("<H", 16) * channels
    return (
        b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4) + bits + samples.astype("<u2").tobytes()
    )


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes().removeprefix(b"Exif\0\0")


@pytest.mark.parametrize("write", [png, tiff])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits_survive_from_file_to_file(write, channels):
    """Every level of a 16-bit grey, RGB or RGBA picture comes in, and goes out in a 16-bit PNG."""
    samples = LEVELS[..., :channels]
    picture = decode(write(samples))

    again = decode(encode(picture))
    for one in (picture, again):
        assert one.rgb.dtype == np.uint16
        assert np.array_equal(one.rgb, np.broadcast_to(samples[..., : min(channels, 3)], (9, 14, 3)))
        assert (one.alpha is None) == (channels < 4)
        if channels == 4:
            assert np.array_equal(one.alpha, samples[..., 3])
    assert encode(picture)[24] == 16


def test_grey_with_alpha_keeps_sixteen_bits():
    """A PNG of grey and alpha becomes RGB and alpha with all its levels."""
    picture = decode(png(LEVELS[..., :2]))

    assert np.array_equal(picture.rgb, LEVELS[..., :1].repeat(3, axis=2))
    assert np.array_equal(picture.alpha, LEVELS[..., 1])


@pytest.mark.parametrize("channels", [1, 3])
def test_a_transparent_colour_of_sixteen_bits_is_alpha(channels):
    """The colour that a tRNS chunk names is transparent, its neighbours are not."""
    samples = LEVELS[..., :channels].copy()
    samples[3, 4] = 40_000
    clear = np.full(channels, 40_000, ">u2").tobytes()

    alpha = decode(png(samples, tRNS=clear)).alpha
    assert alpha[3, 4] == 0
    assert (alpha == 0).sum() == (samples == 40_000).all(axis=2).sum()
    assert alpha.max() == 65535


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["8-bit JPEG", "16-bit PNG", "16-bit TIFF", "16-bit grey TIFF"])
def test_the_orientation_is_applied_once(kind, orientation):
    """Each of the eight EXIF orientations turns the picture upright, and what is written isn't turned again."""
    corner = np.zeros((8, 16, 3), np.uint16)
    corner[:4, :8] = 65535
    if kind == "8-bit JPEG":
        out = io.BytesIO()
        Image.fromarray((corner // 257).astype(np.uint8)).save(out, "JPEG", exif=b"Exif\0\0" + exif(orientation))
        data = out.getvalue()
    elif kind == "16-bit PNG":
        data = png(corner, eXIf=exif(orientation))
    else:
        data = tiff(corner[..., :1] if "grey" in kind else corner, orientation=orientation)

    picture = decode(data)
    again = decode(encode(picture))
    down, right = {1: (0, 0), 2: (0, 1), 3: (1, 1), 4: (1, 0), 5: (0, 0), 6: (0, 1), 7: (1, 1), 8: (1, 0)}[orientation]
    for one in (picture, again):
        assert one.rgb.shape == ((8, 16, 3) if orientation < 5 else (16, 8, 3))
        height, width = one.rgb.shape[:2]
        bright = one.rgb[..., 0] > one.rgb.max() / 2
        rows, columns = np.nonzero(bright)
        assert (rows.mean() > height / 2, columns.mean() > width / 2) == (bool(down), bool(right))
    assert Image.open(io.BytesIO(encode(picture))).getexif().get(0x0112) is None


def test_profile_and_recipe_go_with_sixteen_bits():
    """A 16-bit PNG holds the colour profile that came in and the recipe, and the same bytes come twice."""
    picture = decode(png(LEVELS[..., :3], iCCP=b"any name\0\0" + zlib.compress(SRGB)))

    data = encode(picture, recipe='{"ä": 1}')
    assert picture.icc_profile == SRGB
    assert decode(data).icc_profile == SRGB
    assert read_recipe(data) == '{"ä": 1}'
    assert np.asarray(Image.open(io.BytesIO(data))).shape == (9, 14, 3)
    assert encode(picture, recipe='{"ä": 1}') == data


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_other_formats_hold_the_nearest_eight_bits(kind):
    """JPEG and WebP hold 8 bits: each level becomes the nearest, transparency included."""
    again = decode(encode(Picture(LEVELS[..., :3], LEVELS[..., 3]), format=kind))

    assert again.rgb.dtype == np.uint8
    if kind == "webp":
        assert np.abs(again.rgb * 257.0 - LEVELS[..., :3]).max() <= 128.5
        assert np.abs(again.alpha * 257.0 - LEVELS[..., 3]).max() <= 128.5


def test_a_preview_of_sixteen_bits_shows_the_same_picture():
    """A preview of 16-bit levels is that of the nearest 8-bit ones."""
    eight = np.arange(0, 240, dtype=np.uint8).reshape(8, 10, 3)

    assert preview_jpeg(eight.astype(np.uint16) * 257) == preview_jpeg(eight)


def test_eight_bits_can_be_had_of_sixteen():
    """Where only 8 bits are wanted, as in a look at an upload, they come without a 16-bit reader."""
    picture = decode(png(LEVELS), deep=False)

    assert (picture.rgb.dtype, picture.alpha.dtype) == (np.uint8, np.uint8)
    assert np.abs(picture.rgb * 257.0 - LEVELS[..., :3]).max() <= 257


@pytest.mark.parametrize(
    "data", [pytest.param(png(LEVELS)[:-60], id="cut PNG"), pytest.param(tiff(LEVELS)[:-300], id="cut TIFF")]
)
def test_a_broken_deep_picture_gets_one_sentence(data):
    """A 16-bit file that is cut short is refused, not filled up."""
    with pytest.raises(PictureError, match="broken or cut short") as error:
        decode(data)
    assert "\n" not in str(error.value)


def test_a_cmyk_or_grey_profile_becomes_srgb():
    """A grey picture with a grey profile is converted: linear light comes out lighter in sRGB."""
    linear = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    curve = b"curv\0\0\0\0\0\0\0\0"
    white = bytes(linear[linear.index(b"XYZ \0\0\0\0") :][:20])
    tags = [(b"wtpt", white), (b"kTRC", curve)]
    table = b"".join(struct.pack(">4sII", n, 128 + 4 + 24 + (0 if n == b"wtpt" else 20), len(c)) for n, c in tags)
    body = struct.pack(">I", 2) + table + white + curve
    head = bytes(linear[:128])
    head = struct.pack(">I", 128 + len(body)) + head[4:12] + b"mntrGRAYXYZ " + head[24:]
    out = io.BytesIO()
    Image.new("L", (4, 4), 128).save(out, "PNG", icc_profile=head + body)

    picture = decode(out.getvalue())
    assert picture.icc_profile is None
    assert np.abs(picture.rgb.astype(int) - 188).max() <= 1


def test_a_profile_of_other_colours_is_left_out_and_it_says_so():
    """An RGB profile in a CMYK picture fits nothing: it is left out, with a notice."""
    out = io.BytesIO()
    Image.new("CMYK", (4, 4)).save(out, "TIFF", icc_profile=SRGB)

    picture = decode(out.getvalue())
    assert picture.icc_profile is None
    assert picture.notices == ("The picture's colour profile doesn't fit its colours and is left out.",)


@pytest.mark.slow
def test_a_dream_is_computed_from_sixteen_bits(squeezenet):
    """Two pictures that differ below 8 bits dream apart; a 16-bit result holds levels between the 8-bit ones."""
    from dreamcore import dream  # noqa: PLC0415  # loads TensorFlow

    eight = LEVELS[..., :3].repeat(8, axis=0).repeat(8, axis=1) >> 8
    params = DreamParams(octaves=1, steps=2)
    coarse = dream((eight * 257).astype(np.uint16), params, model=squeezenet).image
    fine = dream((eight * 257 + (eight < 255) * 90).astype(np.uint16), params, model=squeezenet).image
    same = dream(eight.astype(np.uint8), params, model=squeezenet).image

    assert coarse.dtype == np.uint16
    assert np.abs(coarse / 257 - same).max() <= 0.51
    assert (coarse % 257 != 0).mean() > 0.9
    assert 45 < np.median(fine.astype(int) - coarse) < 135
