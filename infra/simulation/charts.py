"""Draws what the replays came to, as SVG for docs/capacity.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.axes import Axes

    from infra.simulate import Told

LEAST_WAIT_S = 0.1
PEOPLE, BATCHES, FIXED, SCALED = "#2563eb", "#d97706", "#64748b", "#059669"
TICKS_S = {0.1: "none", 1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 36_000: "10 h", 360_000: "4 d"}


def draw(fixed: Mapping[str, Told], scaled: Mapping[str, Told], lost: Mapping[str, Told], *, folder: Path) -> None:
    """Draw all charts."""
    mpl.rcParams.update({"svg.hashsalt": "dreamfarm", "svg.fonttype": "path", "font.size": 9, "axes.grid": True,
                         "grid.alpha": 0.25, "axes.spines.top": False, "axes.spines.right": False})  # fmt: skip
    _waits(fixed, scaled).savefig(folder / "capacity-waits.svg", metadata={"Date": None})
    _costs(fixed, scaled).savefig(folder / "capacity-cost.svg", metadata={"Date": None})
    _day(scaled["200"]).savefig(folder / "capacity-day.svg", metadata={"Date": None})
    _losses(lost).savefig(folder / "capacity-spot.svg", metadata={"Date": None})


def _waits(fixed: Mapping[str, Told], scaled: Mapping[str, Told]) -> Figure:
    figure = _figure()
    for place, (title, found) in enumerate({"as many workers all day": fixed, "autoscaled, at most": scaled}.items()):
        axes = figure.add_subplot(1, 2, place + 1)
        for who, colour in (("people", PEOPLE), ("batches", BATCHES)):
            for share, style in ((50, "--"), (95, "-")):
                waits = [max(float(np.percentile(told.waits_s[who], share)), LEAST_WAIT_S) for told in found.values()]
                axes.loglog(list(map(int, found)), waits, style, color=colour, label=f"{who}, {share}% wait less")
        _seconds(axes)
        _counts(axes)
        axes.set(title=title, xlabel="workers", ylabel="wait in the queue" if not place else "")
        axes.set_ylim(LEAST_WAIT_S / 1.5, 2e6)
    figure.axes[0].legend(fontsize=7)
    return figure


def _costs(fixed: Mapping[str, Told], scaled: Mapping[str, Told]) -> Figure:
    figure = _figure()
    hours, busy = figure.add_subplot(1, 2, 1), figure.add_subplot(1, 2, 2)
    for name, found, colour in (("as many all day", fixed, FIXED), ("autoscaled, at most", scaled, SCALED)):
        counts = list(map(int, found))
        hours.loglog(counts, [told.hours for told in found.values()], "o-", ms=3, color=colour, label=name)
        busy.semilogx(counts, [100 * told.busy for told in found.values()], "o-", ms=3, color=colour, label=name)
    for axes in (hours, busy):
        _counts(axes)
    hours.set_yticks([1000, 2000, 5000, 10_000], ["1000", "2000", "5000", "10,000"])
    hours.set(title="paid worker-hours", xlabel="workers")
    busy.set(title="of which busy, %", xlabel="workers", ylim=(0, 105))
    hours.legend(fontsize=7)
    return figure


def _day(told: Told) -> Figure:
    figure = _figure()
    times, backlogs, workers = np.array(told.backlogs).T
    for place, (title, values, colour) in enumerate(
        (("backlog, hours of the reference device", backlogs / 3600, BATCHES), ("workers, autoscaled", workers, SCALED))
    ):
        axes = figure.add_subplot(1, 2, place + 1)
        axes.fill_between(times / 3600, values, color=colour, alpha=0.35)
        axes.plot(times / 3600, values, color=colour)
        axes.set(title=title, xlabel="hour of the day", xlim=(0, times[-1] / 3600), ylim=(0, None))
    return figure


def _losses(lost: Mapping[str, Told]) -> Figure:
    figure = _figure()
    places, names = np.arange(len(lost)), list(lost)
    for place, (who, colour) in enumerate((("people", PEOPLE), ("batches", BATCHES))):
        axes = figure.add_subplot(1, 2, place + 1)
        for shift, share in ((-0.2, 50), (0.2, 95)):
            waits = [float(np.percentile(told.waits_s[who], share)) / 60 for told in lost.values()]
            alpha = 0.5 if share < 90 else 1.0  # noqa: PLR2004  # the bars side by side
            axes.bar(places + shift, waits, 0.4, color=colour, alpha=alpha, label=f"{share}% wait less")
        axes.set_xticks(places, names)
        axes.set(title=f"{who}: wait, minutes", xlabel="a spot machine lives, on average")
        axes.legend(fontsize=7)
    return figure


def _figure() -> Figure:
    return Figure(figsize=(8.4, 3.1), layout="constrained")


def _counts(axes: Axes) -> None:
    axes.set_xticks([1, 2, 5, 10, 20, 50, 100, 200, 500], ["1", "2", "5", "10", "20", "50", "100", "200", "500"])
    axes.minorticks_off()


def _seconds(axes: Axes) -> None:
    axes.set_yticks(list(TICKS_S), list(TICKS_S.values()))
    axes.minorticks_off()
