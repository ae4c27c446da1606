"""What the commands that dream on this machine share: pictures opened, parameters checked, a network loaded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from dreamcore.explain import explain
from dreamcore.masks import mask_of
from dreamcore.own_models import is_model_file
from dreamcore.params import DreamParams
from dreamcore.pictures import Picture, Pixels, decode
from dreamfarm.cli.errors import CommandError, ExitCode, naming
from dreamfarm.cli.output import print_note
from dreamfarm.cli.own_models import added
from dreamfarm.cli.quiet import quiet_stderr
from farm.schema import ProgressView

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dreamcore import Progress
    from dreamcore.models import Model

MEGA = 1_000_000


@dataclass(frozen=True)
class Companions:
    """Guides and masks, as files; opened once, however many pictures they go with."""

    guides: list[Path] = field(default_factory=list)
    masks: list[Path] = field(default_factory=list)
    max_megapixels: float = 100

    @cached_property
    def guide_pixels(self) -> list[Pixels]:
        """The guides' pixels."""
        return [open_picture(file, self.max_megapixels).rgb for file in self.guides]

    @cached_property
    def mask_pixels(self) -> list[NDArray[np.uint8]]:
        """The masks' pixels."""
        return [mask_of(open_picture(file, self.max_megapixels)) for file in self.masks]

    def check(self, params: DreamParams, picture: Picture) -> None:
        """Raise `GuideError` or `MaskError` where these, the parameters and a picture don't go together."""
        params.check_guides([guide.shape[:2] for guide in self.guide_pixels])
        params.check_masks([mask.shape for mask in self.mask_pixels], picture=picture.rgb.shape[:2])

    @cached_property
    def hashes(self) -> dict[str, tuple[str, ...]]:
        """The files' SHA-256, as a recipe names them."""
        return {
            "guides_sha256": tuple(map(sha256_of, self.guides)),
            "masks_sha256": tuple(map(sha256_of, self.masks)),
        }


def validated(params: dict[str, Any]) -> DreamParams:
    """Return the parameters that were asked for, or end the command saying what is wrong with them."""
    if is_model_file(str(params.get("model", ""))):
        params = {**params, "model": added(Path(params["model"]))}
    try:
        return DreamParams.model_validate(params)
    except ValidationError as error:
        details = " ".join(
            problem.detail for problem in explain(error, known=DreamParams.model_fields, models=(DreamParams,))
        )
        raise CommandError(details, ExitCode.USAGE) from None


def open_picture(file: Path, max_megapixels: float) -> Picture:
    """Open a picture; an error names its file."""
    with naming(file):
        return decode(file.read_bytes(), max_pixels=int(max_megapixels * MEGA))


def network(model: str, weights: str, weights_dir: Path | None) -> Model:
    """Load a network."""
    # TensorFlow takes seconds to load: only once the input is known to be good.
    print_note("Loading the engine …", style="dim")
    with quiet_stderr():
        from dreamcore import load_model  # noqa: PLC0415  # as said

        return load_model(model, weights, weights_dir=weights_dir)


def sha256_of(file: Path) -> str:
    """Return a file's SHA-256."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def progress_view(progress: Progress, spent_s: float, *, first: float = 0.0) -> ProgressView:
    """Return a step's progress as it is shown, so many seconds after the share `first` of the work was done."""
    done = progress.fraction
    return ProgressView(
        fraction=done,
        octave=progress.octave,
        octaves=progress.octaves,
        step=progress.step,
        steps=progress.steps,
        loss=progress.loss,
        eta_s=spent_s / (done - first) * (1 - done) if done > first else None,
    )
