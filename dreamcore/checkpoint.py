"""Where a dream got to, as bytes that another process can go on from. Imports no TensorFlow."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from dreamcore.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from dreamcore.params import DreamParams

VERSION = 2
HEAD = re.compile(
    rb"\x93NUMPY\x01\0..\{'descr': '(?P<kind><f4|\|u1)', 'fortran_order': (?P<by_column>True|False), "
    rb"'shape': \((?P<shape>[0-9, ]{0,60})\), \} *\n",
    re.DOTALL,
)
"""How an array begins that `to_bytes` has written; NumPy's own reader allots memory by what stands there."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The state between two steps.

    Attributes
    ----------
    octave
        The octave that `image` belongs to, counted from 1.
    step
        Steps that were done in it.
    finished
        Whether the octave is done, be it early.
    image : (H, W, 3) float32 in [-1, 1], or a little beyond where the profile doesn't clip
    losses
        The loss of every step so far, octave by octave.
    fingerprint
        Of the picture, guides, masks, parameters and weights that this belongs to.
    memory : (H, W, 3) float32 each
        What the optimiser remembers; nothing where the octave is done.
    """

    octave: int
    step: int
    finished: bool
    image: NDArray[np.float32]
    losses: tuple[tuple[float, ...], ...]
    fingerprint: str
    memory: tuple[NDArray[np.float32], ...] = ()

    def to_bytes(self) -> bytes:
        """Return the checkpoint as an npz file; equal checkpoints give equal bytes."""
        about = {
            "version": VERSION,
            "octave": self.octave,
            "step": self.step,
            "finished": self.finished,
            "losses": self.losses,
            "fingerprint": self.fingerprint,
        }
        out = io.BytesIO()
        arrays: dict[str, Any] = {f"memory{index}": array for index, array in enumerate(self.memory)}
        arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
        np.savez(out, image=self.image, **arrays)
        return out.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Checkpoint:
        """Read what `to_bytes` wrote.

        Raises
        ------
        CheckpointError
            The bytes are damaged, or of another version.
        """
        try:
            return _read(data)
        except CheckpointError:
            raise
        except Exception as error:
            raise CheckpointError(
                f"The checkpoint is damaged ({type(error).__name__}). Start from the beginning."
            ) from error

    def check(self, fingerprint: str) -> None:
        """Raise `CheckpointError` where this belongs to another dream."""
        if self.fingerprint != fingerprint:
            raise CheckpointError(
                "The checkpoint belongs to another picture, guide, mask, model or other parameters. "
                "Start from the beginning."
            )


class _About(BaseModel):
    """What a checkpoint says of itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: StrictInt
    octave: Annotated[StrictInt, Field(ge=1)]
    step: Annotated[StrictInt, Field(ge=0)]
    finished: StrictBool
    losses: tuple[tuple[float, ...], ...]
    fingerprint: StrictStr


def _read(data: bytes) -> Checkpoint:
    arrays = dict(_arrays(data))
    stored = json.loads(arrays.pop("about").tobytes())
    if (version := stored["version"]) != VERSION:
        raise CheckpointError(
            f"The checkpoint has version {str(version)[:9]!r}, this engine reads {VERSION}. Start from the beginning."
        )
    about = _About.model_validate(stored).model_dump(exclude={"version"})
    image = arrays.pop("image")
    memory = tuple(arrays[name] for name in sorted(arrays))
    if image.shape[2:] != (3,) or any(
        kept.dtype != np.float32 or kept.shape != image.shape for kept in (image, *memory)
    ):
        raise ValueError
    return Checkpoint(image=image, memory=memory, **about)


def _arrays(data: bytes) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the arrays by name; none takes more memory than the bytes that it is read from."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        # `to_bytes` packs nothing, so that what is packed, or lies in one place under many names, is a bomb.
        if any(entry.compress_type for entry in entries) or sum(entry.file_size for entry in entries) > len(data):
            raise ValueError
        for entry in entries:
            yield entry.filename.removesuffix(".npy"), _array(archive.read(entry))


def _array(member: bytes) -> NDArray[Any]:
    if (head := HEAD.match(member)) is None:
        raise ValueError
    shape = [int(side) for side in head["shape"].split(b",") if side]
    order: Literal["F", "C"] = "F" if head["by_column"] == b"True" else "C"
    return np.frombuffer(member, head["kind"].decode(), offset=head.end()).reshape(shape, order=order)


def fingerprint(
    params: DreamParams,
    image: NDArray[np.uint8] | NDArray[np.uint16],
    guides: Sequence[NDArray[np.uint8] | NDArray[np.uint16]],
    masks: Sequence[NDArray[np.uint8]] = (),
    *,
    weights_sha256: str,
) -> str:
    """Return a SHA-256 over all that a dream's course depends on."""
    digest = hashlib.sha256(params.model_dump_json().encode())
    digest.update(weights_sha256.encode())
    for picture in (image, *guides, *masks):
        digest.update(f"{picture.shape}".encode())
        digest.update(picture.tobytes())
    return digest.hexdigest()
