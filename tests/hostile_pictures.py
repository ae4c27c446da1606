"""Some hundred files that claim to be pictures, made to break what reads them; each has a name."""

from __future__ import annotations

import io
import random
import struct
import zlib

import numpy as np
from PIL import Image

KINDS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP")
MAGIC = {
    "JPEG": b"\xff\xd8\xff\xe0",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "WEBP": b"RIFF\x20\0\0\0WEBPVP8 ",
    "GIF": b"GIF89a",
    "TIFF": b"II*\0\x08\0\0\0",
    "BMP": b"BM",
    "TIFF-big-end": b"MM\0*\0\0\0\x08",
    "BigTIFF": b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0",
}


def sound(kind, width=48, height=40, **options):
    out = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8)
    Image.fromarray(noise).save(out, kind, **options)
    return out.getvalue()


def endless_gif(frames):
    """A GIF of so many frames of one pixel that counting them takes seconds."""
    screen = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"\x21\xf9\x04\0\0\0\0\0\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return screen + frame * frames + b";"


def chunk(name, body, *, right_sum=True):
    total = zlib.crc32(name + body) ^ (not right_sum)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", total)


def png(*chunks, width=8, height=8, depth=8, colour=2, interlaced=0):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    return MAGIC["PNG"] + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def inflated(size):
    return zlib.compress(bytes(size), 9)


def corpus():
    """Return the files by name."""
    return {
        **_cut(),
        **_flipped(),
        **_headers(),
        **_chunks(),
        **_profiles(),
        **_polyglots(),
        **_bombs(),
        **_sizes(),
    }


def _cut():
    """Cut at each quarter, within the header, and before the last byte."""
    places = {"empty": 0, "one-byte": 1, "header": 12, "30-bytes": 30}
    found = {}
    for kind in KINDS:
        data = sound(kind)
        ends = {**places, **{f"{quarter}-quarters": len(data) * quarter // 4 for quarter in (1, 2, 3)}, "end": -1}
        found |= {f"cut-{kind}-{name}": data[:end] for name, end in ends.items()}
        found[f"doubled-{kind}"] = data + data
        found[f"started-twice-{kind}"] = data[: len(data) // 2] + data
    return found


def _flipped():
    """Bytes changed here and there: in the header, in the data; the same ones in each run."""
    found = {}
    for kind in KINDS:
        data = sound(kind)
        for seed in range(16):
            bad, dice = bytearray(data), random.Random(f"{kind}{seed}")  # noqa: S311  # no secret
            region = len(bad) if seed % 2 else min(96, len(bad))
            for _ in range(1 + seed):
                bad[dice.randrange(2, region)] = dice.choice([0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)])
            found[f"flipped-{kind}-{seed}"] = bytes(bad)
    return found


def _headers():
    """Magic numbers that promise what doesn't follow."""
    dice = random.Random(7)  # noqa: S311  # no secret
    found = {}
    for kind, magic in MAGIC.items():
        found[f"magic-{kind}-alone"] = magic
        found[f"magic-{kind}-zeros"] = magic + bytes(4096)
        found[f"magic-{kind}-ones"] = magic + b"\xff" * 4096
        found[f"magic-{kind}-noise"] = magic + dice.randbytes(4096)
        found[f"magic-{kind}-text"] = magic + b"<html><script>alert(1)</script></html>" * 40
    for kind in KINDS:
        found |= {f"magic-{name}-on-{kind}": magic + sound(kind)[len(magic) :] for name, magic in MAGIC.items()}
    return found


def _chunks():
    """PNG whose chunks are missing, doubled, out of order, too long, or wrong in their sum."""
    data = chunk(b"IDAT", zlib.compress(bytes(8 * 25)))
    found = {
        "png-no-data": png(),
        "png-data-before-header": MAGIC["PNG"] + data + png()[8:],
        "png-two-headers": png(png()[8:33], data),
        "png-wrong-sum": png(chunk(b"IDAT", zlib.compress(bytes(200)), right_sum=False)),
        "png-no-zlib": png(chunk(b"IDAT", b"no zlib at all")),
        "png-short-data": png(chunk(b"IDAT", zlib.compress(bytes(20)))),
        "png-long-data": png(chunk(b"IDAT", zlib.compress(bytes(20_000)))),
        "png-palette-missing": png(data, colour=3),
        "png-palette-too-long": png(chunk(b"PLTE", bytes(999)), data, colour=3),
        "png-palette-odd": png(chunk(b"PLTE", bytes(7)), data, colour=3),
        "png-transparency-odd": png(chunk(b"tRNS", b"\1"), data),
        "png-transparency-before-palette": png(chunk(b"tRNS", bytes(300)), chunk(b"PLTE", bytes(6)), data, colour=3),
        "png-gamma-zero": png(chunk(b"gAMA", bytes(4)), data),
        "png-gamma-empty": png(chunk(b"gAMA", b""), data),
        "png-text-without-end": png(chunk(b"tEXt", b"x" * 2000), data),
        "png-length-beyond-file": MAGIC["PNG"] + b"\x7f\xff\xff\xffIHDR" + bytes(25),
        "png-length-negative": MAGIC["PNG"] + b"\xff\xff\xff\xffIHDR" + bytes(25),
        "png-unknown-critical": png(chunk(b"ABCD", bytes(9)), data),
        "png-name-of-zeros": png(chunk(bytes(4), bytes(9)), data),
        "png-animated-without-frames": png(chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)), data),
        "png-animated-odd-frame": png(chunk(b"acTL", struct.pack(">II", 2, 0)), chunk(b"fcTL", b"\xff" * 26), data),
        "png-many-chunks": png(*[chunk(b"teXt", b"a")] * 20_000, data),
    }
    for name in (b"cHRM", b"sRGB", b"pHYs", b"iCCP", b"eXIf", b"zTXt", b"iTXt", b"tEXt", b"fdAT", b"fcTL", b"acTL"):
        found |= {f"png-{name.decode()}-of-{size}": png(chunk(name, bytes(size)), data) for size in (0, 1, 3)}
    for depth in (0, 3, 16, 255):
        found |= {f"png-depth-{depth}-colour-{colour}": png(data, depth=depth, colour=colour) for colour in (0, 3, 5)}
    return found


def _profiles():
    """EXIF and colour profiles that are none."""
    dice = random.Random(8)  # noqa: S311  # no secret
    junk = {
        "zeros": bytes(500),
        "noise": dice.randbytes(500),
        "header": b"Exif\0\0",
        "loop": b"Exif\0\0II*\0\x08\0\0\0\1\0\x69\x87\4\0\1\0\0\0\x08\0\0\0\x08\0\0\0",
        "far": b"Exif\0\0MM\0*\xff\xff\xff\xf0",
        "count": b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\1\2\0\xff\xff\xff\x7f\0\0\0\0" * 30,
        "orientation-99": b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\x63\0\0\0\0\0\0\0",
        "orientation-text": b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\2\0\4\0\0\0six\0\0\0\0\0",
        "orientation-fraction": b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\5\0\1\0\0\0\x1a\0\0\0\0\0\0\0" + bytes(8),
    }
    found = {}
    for name, bytes_ in junk.items():
        for kind in ("JPEG", "PNG", "WEBP"):
            found[f"exif-{name}-{kind}"] = sound(kind, exif=bytes_)
            found[f"icc-{name}-{kind}"] = sound(kind, icc_profile=bytes_)
    found["icc-compressed-bomb"] = png(
        chunk(b"iCCP", b"x\0\0" + inflated(50_000_000)), chunk(b"IDAT", inflated(8 * 25))
    )
    return found


def _polyglots():
    """Pictures that are something else as well, and something else that claims to be a picture."""
    others = {
        "zip": b"PK\3\4" + bytes(60),
        "html": b"<html><script>alert(1)</script>",
        "pdf": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj",
        "elf": b"\x7fELF\2\1\1" + bytes(60),
        "pickle": b"\x80\4cposix\nsystem\n(S'false'\ntR.",
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nquit\n",
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        "mvg": b"push graphic-context\nfill 'url(https://127.0.0.1/)'\npop graphic-context",
        "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        "psd": b"8BPS\0\1" + bytes(40),
        "ppm": b"P6 99999 99999 255\n",
        "xpm": b"/* XPM */ static char *x[] = {",
    }
    found = {f"other-{name}": data for name, data in others.items()}
    for kind in KINDS:
        found |= {f"{kind}-then-{name}": sound(kind) + data for name, data in others.items() if name != "heic"}
    return found


def _bombs():
    """Much from little: pixels, text, frames."""
    return {
        "bomb-png-declared": png(chunk(b"IDAT", inflated(1000)), width=2**31 - 1, height=2**31 - 1),
        "bomb-png-inflated": png(chunk(b"IDAT", inflated(50_000_000))),
        "bomb-png-text": png(chunk(b"zTXt", b"x\0\0" + inflated(50_000_000)), chunk(b"IDAT", inflated(200))),
        "bomb-png-unicode": png(chunk(b"iTXt", b"x\0\1\0\0\0" + inflated(50_000_000)), chunk(b"IDAT", inflated(200))),
        "bomb-png-many-texts": png(*[chunk(b"zTXt", b"x\0\0" + inflated(900_000))] * 90, chunk(b"IDAT", inflated(200))),
        "bomb-gif-frames": endless_gif(5_000),
        "bomb-gif-screen": b"GIF89a\xff\xff\xff\xff\xf7\0\0" + bytes(768) + b",\0\0\0\0\xff\xff\xff\xff\0\x08\1\0\0;",
        "bomb-tiff-loop": b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
        "bomb-tiff-entries": b"II*\0\x08\0\0\0\xff\xff" + b"\0\1\4\0\1\0\0\0\xff\xff\xff\x7f" * 5_000,
        "bomb-jpeg-segments": b"\xff\xd8" + b"\xff\xe1\0\2" * 100_000,
        "bomb-jpeg-fill": b"\xff\xd8" + b"\xff" * 500_000,
    }


def _sizes():
    """Headers that name nothing, too much, or a strip."""
    sides = (0, 1, 65_535, 2**31 - 1, 2**32 - 1)
    found = {}
    for width in sides:
        for height in sides:
            if (width, height) != (1, 1):
                found[f"png-{width}x{height}"] = png(chunk(b"IDAT", inflated(100)), width=width, height=height)
                found[f"bmp-{width}x{height}"] = _resized("BMP", 18, "<II", width, height)
            if max(width, height) <= 65_535:
                found[f"gif-{width}x{height}"] = _resized("GIF", 6, "<HH", width, height)
                found[f"jpeg-{width}x{height}"] = _resized_jpeg(width, height)
    found["strip-1x65535"] = sound("PNG", 1, 65_535)
    found["strip-65535x1"] = sound("BMP", 65_535, 1)
    return found


def _resized(kind, at, form, width, height):
    data = sound(kind, 4, 4)
    new = struct.pack(form, width, height)
    return data[:at] + new + data[at + len(new) :]


def _resized_jpeg(width, height):
    data = sound("JPEG", 8, 8)
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]
