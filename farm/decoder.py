"""A process that does nothing but look at strangers' pictures: what goes wrong here goes wrong nowhere else.

It is started with an empty environment, may open no file for writing, and ends with its caller.
On its standard input, a socket: 8 bytes of length, then the picture. Back comes a line of JSON for each.

Imports no TensorFlow.
"""

from __future__ import annotations

import json
import resource
import socket
import sys
from typing import TYPE_CHECKING

import psutil

from dreamcore.errors import PictureError, PictureTooCostlyError
from dreamcore.pictures import decode

if TYPE_CHECKING:
    from typing import BinaryIO

LENGTH_BYTES = 8


def main(max_pixels: int, memory_bytes: int, cpu_s: int) -> None:
    """Answer for one picture after the other, until the caller is gone."""
    confine_memory(memory_bytes)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    with socket.socket(fileno=sys.stdin.fileno()) as caller, caller.makefile("rb") as pictures:
        caller.sendall(b"ready\n")
        while data := _next(pictures):
            _allow_time(cpu_s)
            caller.sendall(json.dumps(look(data[0], max_pixels)).encode() + b"\n")


def look(data: bytes, max_pixels: int) -> dict[str, object]:
    """Return the picture's size and notices, or the code and text of what is wrong with it."""
    try:
        picture = decode(data, max_pixels=max_pixels, deep=False)
    except PictureError as error:
        return {"code": error.code, "detail": str(error)}
    except MemoryError:
        return {"code": PictureTooCostlyError.code, "detail": "Reading the picture takes more memory than it may."}
    except Exception as error:  # noqa: BLE001  # no bytes may make anything but an answer
        return {"code": PictureError.code, "detail": f"The picture is broken: {type(error).__name__}."}
    height, width = picture.rgb.shape[:2]
    return {"width": width, "height": height, "notices": list(picture.notices)}


def _next(pictures: BinaryIO) -> tuple[bytes] | None:
    head = pictures.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    return (pictures.read(int.from_bytes(head)),)


def confine_memory(memory_bytes: int) -> None:
    """Let this process take so many bytes more than it has."""
    _limit(resource.RLIMIT_AS, psutil.Process().memory_info().vms + memory_bytes)


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _allow_time(cpu_s: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + cpu_s + 1)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
