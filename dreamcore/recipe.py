"""All that is needed to make a picture again; embedded in every result. Imports no TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from dreamcore.params import DreamParams
from dreamcore.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dreamcore.results import DreamResult

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Recipe(BaseModel):
    """How a picture was made: the same recipe on the same kind of device gives the same pixels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Annotated[Literal[1], Field(description="Version of this schema.")] = 1
    engine_version: Annotated[str, Field(description="Version of dreamcore.")] = __version__
    params: Annotated[DreamParams, Field(description="What was dreamt.")]
    input_sha256: Annotated[Sha256, Field(description="SHA-256 of the input picture's file.")]
    guides_sha256: Annotated[tuple[Sha256, ...], Field(description="SHA-256 of each guide picture's file.")] = ()
    masks_sha256: Annotated[tuple[Sha256, ...], Field(description="SHA-256 of each mask picture's file.")] = ()
    weights_sha256: Annotated[Sha256, Field(description="SHA-256 of the network's weights.")]
    backend: Annotated[str, Field(description="Library that computed, with its version.")]
    device: Annotated[str, Field(description="What it computed on.")]

    @classmethod
    def of(
        cls,
        result: DreamResult,
        *,
        input_sha256: str,
        guides_sha256: Sequence[str] = (),
        masks_sha256: Sequence[str] = (),
    ) -> Self:
        """Return the recipe of a result."""
        return cls(
            params=result.params,
            input_sha256=input_sha256,
            guides_sha256=tuple(guides_sha256),
            masks_sha256=tuple(masks_sha256),
            weights_sha256=result.weights_sha256,
            backend=result.backend,
            device=result.device,
        )

    def to_json(self) -> str:
        """Return the recipe as JSON, the same text for the same recipe."""
        return self.model_dump_json()
