"""Pictures of every kind in, and out with their recipe; checkpoints and recipes as bytes."""

import io
import json
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from dreamcore.checkpoint import Checkpoint, fingerprint
from dreamcore.errors import CheckpointError, PictureError, PictureTooLargeError
from dreamcore.params import DreamParams
from dreamcore.pictures import Picture, decode, encode, preview_jpeg, read_recipe
from dreamcore.recipe import Recipe
from tests.fuzz.mending import mended
from tests.support import noise

RGB = noise(24, 36)
SHA = "ab" * 32


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, format=kind, **options)
    return out.getvalue()


def gif_of_two_frames():
    frames = [Image.new("RGB", (9, 7), colour) for colour in ("red", "blue")]
    return saved(frames[0], "GIF", save_all=True, append_images=frames[1:])


def sixteen_bit():
    return saved(Image.fromarray(np.array([[0, 257 * 100, 65535]], np.uint16)), "PNG")


def bomb():
    return saved(Image.new("1", (9000, 9000)), "PNG")


def gif_whose_second_frame_ends_early():
    data = gif_of_two_frames()
    return data[: data.rindex(b",") + 10]


def tiff_whose_second_page_has_no_size():
    data = saved(Image.new("RGB", (3, 2)), "TIFF")
    (at,) = struct.unpack_from("<I", data, 4)
    end = at + 2 + 12 * struct.unpack_from("<H", data, at)[0]
    return (
        data[:end] + struct.pack("<I", len(data)) + data[end + 4 :] + struct.pack("<HHHII", 1, 305, 2, 1, 0) + bytes(4)
    )


def tiff_of_many_samples():
    data = bytearray(saved(Image.fromarray(RGB), "TIFF"))
    at = data.index(struct.pack("<HHII", 277, 3, 1, 3))
    data[at + 8 : at + 10] = struct.pack("<H", 300)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "pixel"),
    [
        pytest.param(saved(Image.new("RGB", (5, 4), (10, 20, 30)), "PNG"), (10, 20, 30), id="RGB"),
        pytest.param(saved(Image.new("L", (5, 4), 77), "PNG"), (77, 77, 77), id="grey"),
        pytest.param(saved(Image.new("1", (5, 4), 1), "PNG"), (255, 255, 255), id="1 bit"),
        pytest.param(saved(Image.new("RGB", (5, 4), (1, 2, 3)).quantize(4), "PNG"), (1, 2, 3), id="palette"),
        pytest.param(saved(Image.new("CMYK", (5, 4), (0, 255, 255, 0)), "TIFF"), (255, 0, 0), id="CMYK"),
        pytest.param(saved(Image.new("RGB", (5, 4), (1, 2, 3)), "BMP"), (1, 2, 3), id="BMP"),
        pytest.param(saved(Image.new("RGB", (5, 4), (1, 2, 3)), "WEBP", lossless=True), (1, 2, 3), id="WebP"),
        pytest.param(saved(Image.new("RGB", (1, 1), (1, 2, 3)), "PNG"), (1, 2, 3), id="one pixel"),
    ],
)
def test_every_kind_of_picture_becomes_rgb(data, pixel):
    """Whatever the mode, the colours come out as 8-bit RGB, with no alpha where there was none."""
    picture = decode(data)

    assert picture.rgb.dtype == np.uint8
    assert tuple(picture.rgb[0, 0]) == pixel
    assert picture.alpha is None
    assert picture.notices == ()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB"])
def test_transparency_is_kept_through_the_dream(mode):
    """Alpha, a transparent palette entry or a transparent colour survive new colours and PNG."""
    image = Image.new("RGBA", (6, 4), (9, 9, 9, 255))
    image.putpixel((2, 1), (0, 0, 0, 0))
    options = {}
    if mode in {"P", "RGB"}:
        image = Image.new(mode, (6, 4), 1 if mode == "P" else (9, 9, 9))
        image.putpixel((2, 1), 0 if mode == "P" else (0, 0, 0))
        options = {"transparency": 0 if mode == "P" else (0, 0, 0)}
    picture = decode(saved(image if options else image.convert(mode), "PNG", **options))

    dreamt = picture.with_rgb(np.full((4, 6, 3), 200, np.uint8))
    for kind in ("png", "webp"):
        again = decode(encode(dreamt, format=kind))
        expected = np.full((4, 6), 255)
        expected[1, 2] = 0
        assert np.array_equal(again.alpha, expected)
        assert (again.rgb == 200).all()


def test_jpeg_shows_white_where_all_was_transparent():
    """JPEG holds no transparency: transparent parts become white."""
    picture = Picture(np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16), np.uint8))

    again = decode(encode(picture, format="jpeg"))
    assert (again.rgb == 255).all()
    assert again.alpha is None


def test_sixteen_bits_are_scaled_not_cut():
    """16-bit grey keeps its shades, and where 8 bits are asked for gives the nearest ones."""
    assert decode(sixteen_bit()).rgb[0, :, 0].tolist() == [0, 25700, 65535]
    assert decode(sixteen_bit(), deep=False).rgb[0, :, 0].tolist() == [0, 100, 255]


@pytest.mark.parametrize("mode", ["RGB", "I;16"])
def test_a_rotated_photograph_stands_upright(mode):
    """The EXIF orientation is applied to the pixels, for 16 bits too."""
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new(mode, (30, 20))

    assert decode(saved(image, "PNG" if mode == "I;16" else "JPEG", exif=exif)).rgb.shape == (30, 20, 3)


def test_an_animated_gifs_first_frame_is_taken_and_it_says_so():
    """The first frame is dreamt, and a notice counts the frames."""
    picture = decode(gif_of_two_frames())

    assert tuple(picture.rgb[0, 0]) == (255, 0, 0)
    assert picture.notices == ("The GIF holds 2 frames; only the first is dreamt.",)


def test_a_colour_profile_is_handed_on():
    """The colour space that came in goes out, in every format."""
    from PIL import ImageCms  # noqa: PLC0415  # for this test alone

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = decode(saved(Image.fromarray(RGB), "PNG", icc_profile=profile))

    for kind in ("png", "jpeg", "webp"):
        assert decode(encode(picture, format=kind)).icc_profile == profile


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "The file is empty", id="empty"),
        pytest.param(b"just some text, called .jpg", "no picture of a format known here", id="text"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture of a format", id="svg"),
        pytest.param(saved(Image.fromarray(RGB), "JPEG")[:-200], "JPEG picture is broken or cut", id="cut JPEG"),
        pytest.param(saved(Image.fromarray(RGB), "PNG")[:-200], "PNG picture is broken or cut", id="cut PNG"),
        pytest.param(saved(Image.fromarray(RGB), "WEBP")[:-200], "WEBP", id="cut WebP"),
        pytest.param(saved(Image.new("F", (3, 3)), "TIFF"), "floating-point", id="floats"),
    ],
)
def test_what_is_no_picture_gets_one_sentence(data, message):
    """Empty, foreign and broken files are refused by one clear line."""
    with pytest.raises(PictureError, match=message) as error:
        decode(data)
    assert "\n" not in str(error.value)


def test_a_bomb_is_refused_before_it_is_decoded():
    """The header's pixel count is compared with the limit; the message holds both."""
    with pytest.raises(PictureTooLargeError, match=r"9000x9000 px, 81.0 megapixels; 64 are allowed"):
        decode(bomb())
    assert decode(bomb(), max_pixels=81_000_000).rgb.shape == (9000, 9000, 3)


def test_a_header_beyond_every_limit_is_refused():
    """A header that names more pixels than any setting allows is refused by its header alone."""
    data = bytearray(saved(Image.new("1", (9, 9)), "BMP"))
    data[18:26] = (60_000).to_bytes(4, "little") + (60_000).to_bytes(4, "little")

    with pytest.raises(PictureTooLargeError):
        decode(bytes(data))


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_the_recipe_comes_back_out_and_bytes_repeat(kind):
    """The embedded recipe is read back as it was, and writing twice gives the same bytes."""
    recipe = json.dumps({"text": "ä <&> \"quotes\" ]]> 'x'", "n": 1}, ensure_ascii=False)
    data = encode(Picture(RGB), format=kind, recipe=recipe)

    assert read_recipe(data) == recipe
    assert encode(Picture(RGB), format=kind, recipe=recipe) == data
    assert read_recipe(encode(Picture(RGB), format=kind)) is None


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_a_recipe_that_is_no_text_is_told_apart_by_who_reads_it(kind):
    """A stranger's packet of any bytes is handed on as text, and is no recipe."""
    packet = b"<dreamfarm:recipe>\xff\xfe</dreamfarm:recipe>"

    text = read_recipe(saved(Image.fromarray(RGB), kind, xmp=packet))
    with pytest.raises(ValidationError):
        Recipe.model_validate_json(text)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(gif_whose_second_frame_ends_early(), id="GIF"),
        pytest.param(tiff_whose_second_page_has_no_size(), id="TIFF"),
    ],
)
def test_what_pillow_trips_over_is_refused_like_the_rest(data):
    """Its readers raise what nobody expects; what comes out is a picture's error."""
    with pytest.raises(PictureError, match="is broken or cut short"):
        decode(data)


def test_what_pillow_says_of_strange_files_is_not_printed():
    """It warns of broken EXIF, and logs too many samples; who reads a stranger's file sees neither."""
    odd_exif = saved(Image.fromarray(RGB), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\1\2\0\xff\xff\xff\x7f")
    code = (
        "import sys; from dreamcore.pictures import decode; from dreamcore.errors import PictureError\n"
        f"for data in ({odd_exif!r}, {tiff_of_many_samples()!r}):\n"
        "    try: decode(data)\n"
        "    except PictureError: pass"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert (done.stdout, done.stderr) == (b"", b"")


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_lossless_formats_keep_every_pixel(kind):
    """PNG and WebP hold exactly the pixels that were dreamt."""
    assert np.array_equal(decode(encode(Picture(RGB), format=kind)).rgb, RGB)


def test_a_preview_is_small():
    """A preview's longer side is at most what was asked for, and a small picture is not enlarged."""
    assert decode(preview_jpeg(noise(80, 160), 100)).rgb.shape == (50, 100, 3)
    assert decode(preview_jpeg(RGB)).rgb.shape == RGB.shape


def checkpoint():
    image = np.linspace(-1, 1, 5 * 7 * 3, dtype=np.float32).reshape(5, 7, 3)
    return Checkpoint(octave=2, step=3, finished=False, image=image, losses=((1.5, 0.1), (3.25,)), fingerprint=SHA)


def test_a_checkpoint_survives_bytes():
    """Every bit of a checkpoint comes back, and equal checkpoints are equal bytes."""
    again = Checkpoint.from_bytes(checkpoint().to_bytes())

    assert np.array_equal(again.image, checkpoint().image)
    assert again.image.dtype == np.float32
    assert (again.octave, again.step, again.finished, again.losses) == (2, 3, False, ((1.5, 0.1), (3.25,)))
    assert again.to_bytes() == checkpoint().to_bytes()


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_checkpoints_numbers_may_lie_in_either_order(order):
    """By row or by column, they come back the same, and so does what the optimiser remembers."""
    image = np.asarray(checkpoint().image, order=order)
    memory = [image + 1, image + 2]
    again = Checkpoint.from_bytes(archived(image=image, memory=memory))

    assert all(map(np.array_equal, (again.image, *again.memory), (image, *memory)))
    assert len(again.memory) == 2


def pickled():
    out = io.BytesIO()
    np.savez(out, image=np.array([{}], dtype=object), about=np.zeros(2, np.uint8))
    return out.getvalue()


def archived(*, image=None, memory=(), packed=False, **changes):
    """Return an archive that differs from a checkpoint by what is given."""
    about = {"version": 2, "octave": 2, "step": 3, "finished": False, "losses": [[1.5]], "fingerprint": SHA, **changes}
    said = changes.get("about", about)
    arrays = {f"memory{index}": array for index, array in enumerate(memory)}
    out = io.BytesIO()
    write = np.savez_compressed if packed else np.savez
    write(
        out,
        image=checkpoint().image if image is None else image,
        about=np.frombuffer(json.dumps(said).encode(), np.uint8),
        **arrays,
    )
    return out.getvalue()


def declared(shape):
    """Return a checkpoint whose image's header names more numbers than there are."""
    before, after = b"(5, 7, 3), }", b"%s, }" % str(shape).encode()
    data = checkpoint().to_bytes().replace(before + b" " * (len(after) - len(before)), after, 1)
    return mended(data)


def lying_in_one_place():
    """Return an archive whose hundred members are the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("memory.npy", bytes(100_000))
        archive.filelist *= 100
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"no checkpoint", id="text"),
        pytest.param(checkpoint().to_bytes()[:-40], id="cut"),
        pytest.param(pickled(), id="pickled objects"),
        pytest.param(archived(packed=True), id="packed"),
        pytest.param(declared((999_999, 999_999, 3)), id="more numbers than bytes"),
        pytest.param(declared((10**15, 10**15, 3)), id="more numbers than there are"),
        pytest.param(lying_in_one_place(), id="members that share their bytes"),
        pytest.param(archived(image=np.zeros((5, 7, 3))), id="float64"),
        pytest.param(archived(image=np.zeros((5, 7), np.float32)), id="grey"),
        pytest.param(archived(image=np.zeros((), np.float32)), id="one number"),
        pytest.param(archived(memory=[np.zeros((5, 6, 3), np.float32)]), id="memory of another size"),
        pytest.param(archived(about=[]), id="a list"),
        pytest.param(archived(octave="2"), id="octave as text"),
        pytest.param(archived(octave=0), id="no octave"),
        pytest.param(archived(losses=[["x"]]), id="losses as text"),
        pytest.param(archived(mood=1), id="one field more"),
    ],
)
def test_a_damaged_checkpoint_is_refused(data):
    """Bytes that are no checkpoint are refused; nothing in them is run, and no memory is taken at their word."""
    with pytest.raises(CheckpointError, match="damaged"):
        Checkpoint.from_bytes(data)


def test_the_fingerprint_depends_on_everything():
    """Picture, its shape, guides and their order, masks, parameters and weights each change the fingerprint."""
    params = DreamParams()
    mask = np.full((24, 36), 7, np.uint8)
    prints = {
        fingerprint(params, RGB, (), weights_sha256=SHA),
        fingerprint(params, RGB + 1, (), weights_sha256=SHA),
        fingerprint(params, RGB.reshape(36, 24, 3), (), weights_sha256=SHA),
        fingerprint(params, RGB, (RGB,), weights_sha256=SHA),
        fingerprint(params, RGB, (RGB, RGB + 1), weights_sha256=SHA),
        fingerprint(params, RGB, (RGB + 1, RGB), weights_sha256=SHA),
        fingerprint(params, RGB, (), (mask,), weights_sha256=SHA),
        fingerprint(params, RGB, (), (mask + 1,), weights_sha256=SHA),
        fingerprint(DreamParams(seed=1), RGB, (), weights_sha256=SHA),
        fingerprint(params, RGB, (), weights_sha256="0"),
    }

    assert len(prints) == 10


def test_a_recipe_survives_json_and_is_closed():
    """A recipe is read back equal, and an unknown key or a wrong hash is refused."""
    recipe = Recipe(params=DreamParams(), input_sha256=SHA, weights_sha256=SHA, backend="tensorflow", device="CPU")

    assert Recipe.model_validate_json(recipe.to_json()) == recipe
    for wrong in ({"surprise": 1}, {"input_sha256": "12"}, {"version": 2}):
        with pytest.raises(ValidationError):
            Recipe.model_validate({**recipe.model_dump(), **wrong})
