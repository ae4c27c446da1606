"""``dreamfarm demo``: a photograph through a whole farm, from nothing to a before/after picture."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageOps
from rich.console import Console

from dreamfarm.address import find_stack_url
from dreamfarm.cli.errors import CommandError, ExitCode
from dreamfarm.cli.follow import follow, report
from dreamfarm.cli.options import given_key
from dreamfarm.cli.terminal import present
from dreamfarm.client import Farm
from dreamfarm.errors import FarmError, FarmUnreachableError
from dreamfarm.photograph import photo_at_hand
from dreamfarm.stack import Stack, StackError
from dreamfarm.stack.signals import treat_signals_as_interrupt
from farm.states import JobState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from farm.schema import JobView

DREAMS = Path("dreams")
GAP_PX = 8

console = Console(highlight=False)


def run_demo(picture: Path | None = None, *, params: Mapping[str, object]) -> ExitCode:
    """Dream a picture through a farm: the one that runs here, or one that is started for it and stopped after.

    Raises
    ------
    PictureError
        There is no picture.
    CommandError
        No stack can be started.
    """
    photo = picture or photo_at_hand()
    treat_signals_as_interrupt()
    try:
        with _farm() as farm:
            return _dream(farm, photo, params)
    except StackError as error:
        raise CommandError(str(error)) from error


def _dream(farm: Farm, photo: Path, params: Mapping[str, object]) -> ExitCode:
    console.print(f"Studio: {farm.url}/   Docs: {farm.url}/docs")
    job = farm.submit(photo, params=params, fresh=True)  # to see it dream, however often it was shown
    for notice in job.notices:
        console.print(f"[yellow]{notice}[/yellow]")
    job = _follow(farm, job)
    if job.state is JobState.SUCCEEDED:
        _show(farm, job, photo)
    return report([job])


def _follow(farm: Farm, job: JobView) -> JobView:
    """Show progress to the end; a demo that is broken off leaves no job behind."""
    if not farm.workers():
        console.print("[yellow]This farm has no worker; the picture waits for one.[/yellow]")
    try:
        return follow(farm, [job], say=console.print)[0]
    except KeyboardInterrupt:
        with suppress(FarmError):  # it may have finished in the meantime
            farm.cancel(job.id)
        raise


def _show(farm: Farm, job: JobView, photo: Path) -> None:
    DREAMS.mkdir(exist_ok=True)
    dreamt = farm.download_result(job.id, DREAMS / f"{photo.stem}-dream.{job.format}")
    both = DREAMS / f"{photo.stem}-before-after.png"
    _side_by_side(photo, dreamt).save(both)
    present(both)
    seconds = f" in {job.metrics.render_s:.1f} s" if job.metrics.render_s else ""
    console.print(f"Dreamt {photo.name}{seconds}: {dreamt}")
    console.print(f"[bold]Before and after: {both}[/bold]")


def _side_by_side(before: Path, after: Path) -> Image.Image:
    with Image.open(before) as first, Image.open(after) as second:
        left, right = ImageOps.exif_transpose(first).convert("RGB"), second.convert("RGB")
    sheet = Image.new("RGB", (left.width + GAP_PX + right.width, max(left.height, right.height)), "white")
    sheet.paste(left, (0, 0))
    sheet.paste(right, (left.width + GAP_PX, 0))
    return sheet


@contextmanager
def _farm() -> Iterator[Farm]:
    running = _running_farm()
    if running is not None:
        console.print("Using the farm that runs here.")
        with running:
            yield running
        return
    console.print("Starting a farm: Redis-protocol server, S3 server, api, one worker …")
    with Stack(say=console.print) as stack, Farm(stack.api_url) as farm:
        try:
            stack.wait_for_workers()
            yield farm
        finally:
            console.print("Stopping the farm; `make up` keeps one running.")


def _running_farm() -> Farm | None:
    url = find_stack_url()
    if url is None:
        return None
    farm = Farm(url, key=given_key(), tries=1)
    try:
        farm.health()
    except FarmUnreachableError:
        farm.close()
        return None
    return farm
