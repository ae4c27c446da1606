"""Where a dream got to, as bytes that another process can go on from. Imports no TensorFlow."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dreamcore.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dreamcore.params import DreamParams

VERSION = 2


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
            with np.load(io.BytesIO(data), allow_pickle=False) as stored:
                about = json.loads(stored["about"].tobytes())
                image = stored["image"]
                kept = sorted(name for name in stored.files if name.startswith("memory"))
                memory = tuple(stored[name] for name in kept)
            return cls._from_parts(image, memory, about)
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise CheckpointError(f"The checkpoint is damaged ({error}). Start from the beginning.") from error

    @classmethod
    def _from_parts(
        cls, image: NDArray[np.float32], memory: tuple[NDArray[np.float32], ...], about: dict[str, object]
    ) -> Checkpoint:
        version = about.pop("version")
        if version != VERSION:
            raise CheckpointError(f"The checkpoint has version {version}, this engine reads {VERSION}. Start anew.")
        losses = tuple(tuple(octave) for octave in about.pop("losses"))  # type: ignore[attr-defined]  # from JSON
        return cls(image=image, memory=memory, losses=losses, **about)  # type: ignore[arg-type]  # wrong keys raise a TypeError

    def check(self, fingerprint: str) -> None:
        """Raise `CheckpointError` where this belongs to another dream."""
        if self.fingerprint != fingerprint:
            raise CheckpointError(
                "The checkpoint belongs to another picture, guide, mask, model or other parameters. "
                "Start from the beginning."
            )


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
