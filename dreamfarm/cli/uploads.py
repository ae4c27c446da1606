"""Pictures put into the farm's store, several at once; one that can't be dreamt is named, and the others go on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dreamfarm.cli.errors import CommandError, describe, is_of_one_picture, naming
from dreamfarm.cli.output import print_error

if TYPE_CHECKING:
    from pathlib import Path

    from dreamfarm.client import Farm
    from farm.schema import PictureView

PARALLEL_UPLOADS = 8


def upload_all(farm: Farm, files: list[Path]) -> dict[Path, PictureView]:
    """Put pictures into the farm's store; those it has already are passed over, those it refuses named and left out."""
    answers = _answers(farm, files)
    for answer in answers.values():
        if isinstance(answer, str):
            print_error(answer)
    return {file: answer for file, answer in answers.items() if not isinstance(answer, str)}


def _answers(farm: Farm, files: list[Path]) -> dict[Path, PictureView | str]:
    with _bar() as bar, ThreadPoolExecutor(PARALLEL_UPLOADS) as pool:
        task = bar.add_task("pictures", total=len(files))
        pending = {file: pool.submit(_uploaded, farm, file, partial(bar.advance, task)) for file in files}
        try:
            return {file: one.result() for file, one in pending.items()}
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _uploaded(farm: Farm, file: Path, done: partial[None]) -> PictureView | str:
    """Return a picture as the farm stored it, or what is wrong with it."""
    answer: PictureView | str
    try:
        with naming(file):
            answer = farm.upload(file)
    except (CommandError, OSError) as error:
        if not is_of_one_picture(error):
            raise
        answer, _ = describe(error)
    done()
    return answer


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
