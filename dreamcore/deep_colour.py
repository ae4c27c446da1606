"""16 bits per channel, which Pillow can't hold for colours: read and written by PyAV. Imports no TensorFlow.

References
----------
.. [1] PNG Specification, third edition, W3C 2025: chunks iCCP and iTXt.
"""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from dreamcore.errors import PictureError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PIL import Image

CHANNELS = {"gray16": 1, "ya16": 2, "rgb48": 3, "rgba64": 4}
BYTE_ORDERS = {"be": ">u2", "le": "<u2"}
SAMPLE_BITS = 16
BITS_AT = 24  # in a PNG, as its header chunk comes first and has a fixed form
SIGNATURE = b"\x89PNG\r\n\x1a\n"
NEEDED_CHUNKS = {b"IHDR", b"IDAT", b"IEND"}
PNG_OPTIONS = {"compression_level": "2", "pred": "paeth"}
BITS_PER_SAMPLE, PHOTOMETRIC, EXTRA_SAMPLES, RGB, PREMULTIPLIED = 258, 262, 338, 2, 1


def is_deep(image: Image.Image, data: bytes) -> bool:
    """Tell by the header whether a picture has 16 bits per channel that can be read here."""
    if image.format == "PNG":
        return data[BITS_AT] == SAMPLE_BITS
    if image.format != "TIFF":
        return False
    tags: Any = image.tag_v2  # type: ignore[attr-defined]  # of TIFF pictures alone
    return (
        set(tags.get(BITS_PER_SAMPLE, ())) == {SAMPLE_BITS}
        and tags.get(PHOTOMETRIC) == RGB
        and PREMULTIPLIED not in tags.get(EXTRA_SAMPLES, ())
    )


def read(data: bytes, codec: str) -> NDArray[np.uint16]:
    """Read a picture's samples as they are stored.

    Parameters
    ----------
    data
        A whole PNG or TIFF that `is_deep`.
    codec
        "png" or "tiff".

    Returns
    -------
    (H, W, 1, 2, 3 or 4) uint16
        Grey, grey and alpha, RGB, or RGB and alpha; not turned upright.

    Raises
    ------
    PictureError
        PyAV is not installed, or can't read this kind.
    """
    av = _library()
    try:
        decoder = av.CodecContext.create(codec, "r")
        frame = next(iter([*decoder.decode(av.Packet(data)), *decoder.decode(None)]))
    except (av.FFmpegError, StopIteration) as error:
        raise PictureError(
            f"This kind of 16-bit {codec.upper()} can't be read ({error}). Save it as a plain 16-bit PNG."
        ) from error
    return _samples(frame)


def write_png(pixels: NDArray[np.uint16], *, icc_profile: bytes | None, text: tuple[str, str] | None) -> bytes:
    """Write (H, W, 3 or 4) uint16 as a PNG; equal arguments give equal bytes.

    Parameters
    ----------
    pixels
        RGB, or RGB and alpha.
    icc_profile
        The colour space; None means sRGB.
    text
        A keyword and what to keep under it.
    """
    chunks = dict.fromkeys([b"iCCP", b"iTXt"], b"")
    if icc_profile:
        chunks[b"iCCP"] = b"ICC Profile\0\0" + zlib.compress(icc_profile)
    if text:
        chunks[b"iTXt"] = text[0].encode("latin-1") + b"\0\0\0\0\0" + text[1].encode()
    header, *rest = _chunks(_encoded(pixels))
    extra = [_chunk(name, content) for name, content in chunks.items() if content]
    return b"".join([SIGNATURE, header, *extra, *rest])


def _library() -> Any:
    try:
        import av  # noqa: PLC0415  # a part of the engine's extras, which the api does without
    except ImportError:
        raise PictureError(
            "16 bits per channel need PyAV: install dreamfarm[cpu] or dreamfarm[gpu], or save the picture with 8 bits."
        ) from None
    av.logging.set_level(None)
    return av


def _samples(frame: Any) -> NDArray[np.uint16]:
    name, order = frame.format.name[:-2], frame.format.name[-2:]
    if name not in CHANNELS:
        raise PictureError(f"Samples of the kind {frame.format.name} can't be read. Save the picture as 16-bit PNG.")
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[
        : frame.height, : frame.width * CHANNELS[name] * 2
    ]
    levels = np.frombuffer(rows.tobytes(), BYTE_ORDERS[order]).astype(np.uint16)
    return levels.reshape(frame.height, frame.width, CHANNELS[name])


def _encoded(pixels: NDArray[np.uint16]) -> bytes:
    av = _library()
    height, width, channels = pixels.shape
    kind = {3: "rgb48be", 4: "rgba64be"}[channels]
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, kind
    encoder.time_base, encoder.thread_count, encoder.options = Fraction(1), 1, PNG_OPTIONS
    frame = av.VideoFrame(width, height, kind)
    frame.pts = 0
    plane = frame.planes[0]
    rows = np.zeros((height, plane.line_size), np.uint8)
    rows[:, : width * channels * 2] = np.frombuffer(pixels.astype(">u2").tobytes(), np.uint8).reshape(height, -1)
    plane.update(rows)
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def _chunks(png: bytes) -> Iterator[bytes]:
    """Yield the chunks that hold pixels; what the encoder says about colours would contradict the profile."""
    at = len(SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        end = at + length + 12
        if png[at + 4 : at + 8] in NEEDED_CHUNKS:
            yield png[at:end]
        at = end


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
