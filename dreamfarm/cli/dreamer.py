"""One picture after the other, dreamt on this machine with one network."""

from __future__ import annotations

import time
from functools import cached_property, partial
from typing import TYPE_CHECKING

from PIL import Image

from dreamcore.errors import CheckpointError
from dreamcore.octaves import plan_octaves
from dreamcore.pictures import encode, to_8_bit
from dreamcore.recipe import Recipe
from dreamfarm.cli.dream_target import Target, Wanted, checkpoint_file
from dreamfarm.cli.errors import CommandError, ExitCode
from dreamfarm.cli.local import Companions, network, open_picture, progress_view, sha256_of
from dreamfarm.cli.output import print_note
from dreamfarm.cli.progress import Bars
from dreamfarm.cli.quiet import stdout_for_data
from dreamfarm.cli.stopping import stoppable
from dreamfarm.files import whole_file
from farm.states import JobState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from dreamcore import Checkpoint, DreamResult, Progress
    from dreamcore.models import Model
    from dreamcore.params import DreamParams
    from dreamcore.pictures import Picture


class Dreamer:
    """Dreams pictures.

    Parameters
    ----------
    params : what to dream.
    companions : guides and masks.
    target : where the dreams are written.
    weights, weights_dir : of the network, which is loaded for the first picture.
    memory_gb : what a dream may take; None for what the machine has.
    fresh : dream even what lies there already.
    show : draw the octaves in the terminal, where it can.
    """

    def __init__(
        self,
        params: DreamParams,
        companions: Companions,
        target: Target,
        *,
        weights: str = "imagenet",
        weights_dir: Path | None = None,
        memory_gb: float | None = None,
        fresh: bool = False,
        show: bool = True,
    ) -> None:
        self.params = params
        self.companions = companions
        self.target = target
        self.memory_gb = memory_gb
        self.fresh = fresh
        self.show = show
        self._load = partial(network, params.model, weights, weights_dir)

    @cached_property
    def model(self) -> Model:
        """The network."""
        return self._load()

    def dream(self, file: Path, *, label: str) -> Path:
        """Dream a picture and return the result's file; where this very dream lies there already, it is left.

        Raises
        ------
        CommandError
            With the code of Ctrl-C: it was interrupted, and what it got to was kept.
        """
        picture = open_picture(file, self.companions.max_megapixels)
        self.companions.check(self.params, picture)  # before the engine, which takes its time
        planned = plan_octaves(self.params, *picture.rgb.shape[:2]).notices
        _tell((*picture.notices, *planned))
        wanted = Wanted(
            self.params, sha256_of(file), **self.companions.hashes, weights_sha256=self.model.weights_sha256
        )
        path, is_there = self.target.place(file, wanted)
        if is_there and not self.fresh:
            print_note(f"{path} is this very dream already; --fresh dreams it anew.", style="dim")
            return path
        result = self._dreamt(picture, path, label)
        _tell(result.notices[len(planned) :])
        recipe = Recipe.of(result, input_sha256=wanted.input_sha256, **self.companions.hashes)
        data = encode(picture.with_rgb(result.image), format=self.target.format, recipe=recipe.to_json())
        with whole_file(path) as opened:
            opened.write(data)
        checkpoint_file(path).unlink(missing_ok=True)
        return path

    def _dreamt(self, picture: Picture, path: Path, label: str) -> DreamResult:
        from dreamcore import Stopped  # noqa: PLC0415  # what describes the engine, once it is loaded
        from dreamcore import dream as run  # noqa: PLC0415  # as above

        begun = _begun(path)
        with stdout_for_data(), Bars(pictures=self.show) as bars, stoppable() as should_stop:
            bars.picture(Image.fromarray(to_8_bit(picture.rgb)))
            work = partial(
                run,
                picture.rgb,
                self.params,
                guide=self.companions.guide_pixels,
                mask=self.companions.mask_pixels,
                model=self.model,
                memory_gb=self.memory_gb,
                on_progress=_bar(bars, label),
                on_octave=partial(_octave_done, bars, path),
                should_stop=should_stop,
            )
            try:
                return _resumed(work, begun)
            except Stopped as stopped:
                _keep(stopped.checkpoint, path)
                detail = f"{stopped} The same command goes on from there."
                raise CommandError(detail, ExitCode.INTERRUPTED) from None


def _resumed(work: Callable[..., DreamResult], begun: Checkpoint | None) -> DreamResult:
    """Go on from a checkpoint; from the start where it is another dream's."""
    if begun is None:
        return work()
    try:
        return work(resume=begun)
    except CheckpointError:
        return work()


def _begun(path: Path) -> Checkpoint | None:
    from dreamcore import Checkpoint  # noqa: PLC0415  # loads with the engine

    try:
        begun = Checkpoint.from_bytes(checkpoint_file(path).read_bytes())
    except (FileNotFoundError, CheckpointError):
        return None
    print_note(f"Going on in octave {begun.octave} after step {begun.step}.", style="dim")
    return begun


def _octave_done(bars: Bars, path: Path, checkpoint: Checkpoint, preview: NDArray[np.uint8]) -> None:
    bars.picture(Image.fromarray(preview))
    _keep(checkpoint, path)


def _keep(checkpoint: Checkpoint, path: Path) -> None:
    with whole_file(checkpoint_file(path)) as file:
        file.write(checkpoint.to_bytes())


def _bar(bars: Bars, label: str) -> Callable[[Progress], None]:
    bar = bars.add(label)
    started = time.monotonic()
    first: list[float] = []

    def show(progress: Progress) -> None:
        first.append(progress.fraction)
        state = JobState.RUNNING if progress.fraction < 1 else JobState.SUCCEEDED
        bars.show_progress(bar, state, progress_view(progress, time.monotonic() - started, first=first[0]))

    return show


def _tell(notices: tuple[str, ...]) -> None:
    for notice in notices:
        print_note(notice, style="yellow")
