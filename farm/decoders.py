"""Strangers' pictures are decoded in processes of their own: a few, kept warm, bound in memory and time.

A picture that kills its decoder, or keeps it too long, is refused; the decoder is replaced.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from functools import cache
from queue import Empty, LifoQueue
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

import structlog
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from dreamcore.errors import PictureError, PictureTooCostlyError, PictureTooLargeError
from farm.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from farm.settings import Settings

START_S = 60
QUEUE_S = 30
MAX_ANSWER_BYTES = 65_536
BASE_BYTES = 512_000_000
BYTES_PER_PIXEL = 48
"""What decoding takes at most: 16-bit grey, widened to count without overflow."""

ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    # Memory is kept from picture to picture: asking the kernel for it anew costs twice as much as decoding.
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "MALLOC_TRIM_THRESHOLD_": str(2**26),
}
KINDS = {kind.code: kind for kind in (PictureError, PictureTooLargeError, PictureTooCostlyError)}

log = structlog.get_logger()


class Bounds(NamedTuple):
    """What a picture may be, and what looking at it may take."""

    max_pixels: int
    memory_bytes: int
    cpu_s: int
    wall_s: float

    @classmethod
    def of(cls, settings: Settings) -> Bounds:
        """Return the bounds that the settings ask for; the longest wait allows for a busy machine."""
        memory = BASE_BYTES + BYTES_PER_PIXEL * settings.max_pixels
        return cls(settings.max_pixels, memory, settings.decode_cpu_s, 3.0 * settings.decode_cpu_s)


class Seen(BaseModel):
    """A picture's size, and what is done with it otherwise than one might expect."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: int = Field(ge=1)
    height: int = Field(ge=1)
    notices: tuple[str, ...] = Field(max_length=16)


class Refused(BaseModel):
    """What is wrong with a picture."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    detail: str


ANSWER: TypeAdapter[Seen | Refused] = TypeAdapter(Seen | Refused)


class DecoderLostError(Exception):
    """The decoder died over a picture, or gave an answer that is none."""


class Decoder:
    """One process that decodes; it ends with this one, as its socket does."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._is_ready = False
        self.socket, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603  # this Python, and a module of the farm's own
                [sys.executable, "-m", "farm.decoder", *map(str, bounds[:3])],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **ENVIRONMENT},
                start_new_session=True,
            )

    def look(self, data: bytes) -> Seen:
        """Look at a picture.

        Raises
        ------
        PictureError
            It can't be dreamt.
        TimeoutError, DecoderLostError
            The decoder is of no use any more.
        """
        try:
            self._wait_until_ready()
            self._send(data)
            answer = self._line(monotonic() + self.bounds.wall_s)
            found = ANSWER.validate_json(answer)
        except TimeoutError:
            raise
        except (OSError, ValidationError) as error:
            raise DecoderLostError(type(error).__name__) from error
        if isinstance(found, Refused):
            raise KINDS.get(found.code, PictureError)(found.detail)
        return found

    def end(self) -> None:
        """End the process."""
        self.socket.close()
        self.process.kill()
        self.process.wait()

    def _wait_until_ready(self) -> None:
        if not self._is_ready:
            self._line(monotonic() + START_S)
            self._is_ready = True

    def _send(self, data: bytes) -> None:
        self.socket.settimeout(self.bounds.wall_s)
        self.socket.sendall(len(data).to_bytes(8))
        self.socket.sendall(data)

    def _line(self, deadline: float) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            self.socket.settimeout(max(deadline - monotonic(), 1e-3))
            part = self.socket.recv(MAX_ANSWER_BYTES)
            line += part
            if not part or len(line) > MAX_ANSWER_BYTES:
                raise ConnectionResetError
        return line


class DecoderPool:
    """A few decoders, of which the one used last is taken first."""

    def __init__(self, bounds: Bounds, size: int) -> None:
        self.bounds = bounds
        self.size = size
        self._fill()
        os.register_at_fork(after_in_child=self._fill)  # a decoder answers one process

    def look(self, data: bytes) -> Seen:
        """Look at a picture in another process.

        Raises
        ------
        PictureTooCostlyError
            Its decoder died or took too long, twice.
        PictureError
            It can't be dreamt.
        TransientError
            All decoders are busy, or none can be started.
        """
        try:
            return self._look(data)
        except DecoderLostError:  # the machine may have killed it for another's sake
            pass
        try:
            return self._look(data)
        except DecoderLostError:
            raise PictureTooCostlyError(
                "Reading the picture ended its decoder, by more memory or time than it may take. Save it anew."
            ) from None

    def _look(self, data: bytes) -> Seen:
        with self._decoder() as decoder:
            try:
                return decoder.look(data)
            except TimeoutError:
                raise PictureTooCostlyError(
                    f"Reading the picture took longer than {self.bounds.wall_s:g} s. Save it anew, or smaller."
                ) from None

    def warm(self) -> None:
        """Start a decoder, without waiting for it."""
        try:
            with self._decoder():
                pass
        except TransientError as error:
            log.warning("no_decoder", detail=str(error))

    def end(self) -> None:
        """End all decoders that rest; the next picture starts one."""
        for _ in range(self.size):
            if decoder := self._places.get():
                decoder.end()
        self._fill()

    @contextmanager
    def _decoder(self) -> Iterator[Decoder]:
        try:
            decoder = self._places.get(timeout=QUEUE_S)
        except Empty:
            raise TransientError("The decoding of pictures, of which many are waiting,") from None
        try:
            decoder = decoder or self._start()
            yield decoder
        except (TimeoutError, PictureTooCostlyError, DecoderLostError) as error:
            log.warning("decoder_replaced", reason=type(error).__name__)
            if decoder:
                decoder.end()
            decoder = None
            raise
        finally:
            self._places.put(decoder)

    def _start(self) -> Decoder:
        try:
            return Decoder(self.bounds)
        except OSError as error:
            raise TransientError("A process for decoding pictures") from error

    def _fill(self) -> None:
        self._places: LifoQueue[Decoder | None] = LifoQueue()
        for _ in range(self.size):
            self._places.put(None)


@cache
def decoder_pool(bounds: Bounds, size: int) -> DecoderPool:
    """Return this process' decoders of these bounds."""
    return DecoderPool(bounds, size)
