"""Changed files made whole again where a checksum would end the reading early: what lies behind it is to be fuzzed."""

from __future__ import annotations

import struct
import zipfile
import zlib
from io import BytesIO
from itertools import count

PNG = b"\x89PNG\r\n\x1a\n"
ZIP = b"PK\3\4"
SUM_IN_ENTRY, SUM_IN_DIRECTORY, ENTRY_BYTES = 14, 16, 30
DIRECTORY = b"PK\1\2"


def mended(data):
    """Return a file whose checksums fit its content, as far as it can be told where they stand."""
    if data.startswith(PNG):
        return _mended_png(data)
    return _mended_zip(data) if data.startswith(ZIP) else data


def _mended_png(data):
    parts, at = [PNG], len(PNG)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        body = data[at + 4 : at + 8 + length]
        parts.append(data[at : at + 4] + body + struct.pack(">I", zlib.crc32(body)))
        at += 12 + length
    return b"".join(parts) + data[at:]


def _mended_zip(data):
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error):
        return data
    whole, directory = bytearray(data), _places(data, DIRECTORY)
    for entry, place in zip(entries, directory, strict=False):
        start = entry.header_offset
        names = data[start + 26 : start + ENTRY_BYTES]
        if len(names) == 4:
            begin = start + ENTRY_BYTES + sum(struct.unpack("<HH", names))
            total = struct.pack("<I", zlib.crc32(data[begin : begin + entry.compress_size]))
            whole[start + SUM_IN_ENTRY : start + SUM_IN_ENTRY + 4] = total
            whole[place + SUM_IN_DIRECTORY : place + SUM_IN_DIRECTORY + 4] = total
    return bytes(whole)


def _places(data, mark):
    at = -1
    for _ in count():
        at = data.find(mark, at + 1)
        if at < 0:
            return
        yield at
