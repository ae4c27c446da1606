"""`dreamfarm estimate`: what a dream takes, before it is dreamt."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dreamfarm.cli.dream_options import dream_options
from dreamfarm.cli.local import network, open_picture, validated
from dreamfarm.cli.local_options import MaxMegapixels, PictureFile, Weights
from dreamfarm.cli.options import AsJson, open_farm
from dreamfarm.cli.output import duration_text, print_json, print_rich, table
from dreamfarm.cli.quiet import quiet_stderr
from dreamfarm.cli.zoom_options import checked_path, zoom_options
from farm.schema import EstimateView, JobKind

if TYPE_CHECKING:
    from dreamcore.params import DreamParams
    from dreamcore.zoom_path import ZoomParams

GIGA = 1e9
MEGA = 1e6


@zoom_options
@dream_options
def estimate(
    file: PictureFile,
    params: dict[str, Any],
    path: dict[str, Any],
    *,
    kind: Annotated[JobKind, typer.Option(help="dream: a picture; zoom: a film, with the zoom options below.")] = (
        "dream"
    ),
    url: Annotated[
        str | None,
        typer.Option("--url", envvar="DREAMFARM_URL", metavar="URL", help="Ask this farm; left out: for this machine."),
    ] = None,
    weights: Weights = "imagenet",
    max_megapixels: MaxMegapixels = 100,
    as_json: AsJson = False,
) -> None:
    """Tell what a dream takes: operations, memory, time.

    Nothing is dreamt.

    The first time that a model is asked about on this machine its speed is measured, in some seconds, and kept.
    """
    wanted = validated(params)
    way = checked_path(path) if kind == "zoom" else None
    height, width = open_picture(file, max_megapixels).rgb.shape[:2]
    if url:
        with open_farm(url) as farm:
            told = farm.estimate(params, width=width, height=height, zoom=path if way else None)
    else:
        told = _here(wanted, (height, width), way, weights)
    if as_json:
        print_json(told)
    else:
        _show(told)


def _here(params: "DreamParams", size: tuple[int, int], way: "ZoomParams | None", weights: str) -> EstimateView:
    """Return what the dream takes on this machine."""
    model = network(params.model, weights, None)
    with quiet_stderr():
        from dreamcore import estimate as estimated  # noqa: PLC0415  # TensorFlow takes seconds to load

        found = estimated(params, size, zoom=way, model=model)
    seconds = None if found.seconds is None else round(found.seconds, 2)
    return EstimateView(
        operations=found.operations,
        pixel_steps=found.pixel_steps,
        peak_memory_bytes=int(found.peak_memory_bytes),
        seconds=seconds,
        queue_s=None,
        cost=None,
    )


def _show(told: EstimateView) -> None:
    cells = {
        "OPERATIONS": f"{told.operations / GIGA:,.1f} G",
        "PIXEL-STEPS": f"{told.pixel_steps / MEGA:,.1f} M",
        "MEMORY": f"{told.peak_memory_bytes / GIGA:.1f} GB",
        "TIME": duration_text(told.seconds) or "not known yet",
        "WAIT": duration_text(told.queue_s),
        "COST": "" if told.cost is None else f"{told.cost:g}",
    }
    shown = {name: cell for name, cell in cells.items() if cell}
    rows = table(*shown, numbers=list(shown))
    rows.add_row(*shown.values())
    print_rich(rows)
