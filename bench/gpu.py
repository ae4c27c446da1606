"""Checks and measures packs on whatever device there is, in one call: `python -m bench.gpu`.

Needs the code, one library (KERAS_BACKEND=tensorflow or jax) and the weights; random ones do where there are none.
`--quick` takes small sizes, to see that it works where there is no graphics card. The most telling precision comes
first, each table is printed as soon as it is measured, and what no time is left for is named.
"""

from __future__ import annotations

import argparse
import math
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from dreamcore import DreamParams, DreamResult, dream, dream_pack, load_model, plan_octaves
from dreamcore.backend import cache_compilations, chosen, compiled, describe_backend, describe_device, ops
from dreamcore.capacity import step_operations
from dreamcore.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from dreamcore.models import Model

MODELS = ("squeezenet", "inception_v3")
PRECISIONS = ("bfloat16", "tf32", "float32")
PRODUCTS = 8
"""Matrix products in a row within one call, so that its start doesn't count."""
REPEATS = 3
REPEATS_S = 5.0


class Plan(NamedTuple):
    """What is measured."""

    side_px: int
    packs: tuple[int, ...]
    steps: int
    matrix: int
    eager_steps: int
    precisions: tuple[str, ...] = PRECISIONS
    octaves: int = 1
    deadline: float = math.inf

    def is_over(self) -> bool:
        """Return whether no time is left."""
        return time.perf_counter() > self.deadline


FULL = Plan(side_px=512, packs=(1, 8, 32, 128), steps=30, matrix=8192, eager_steps=5)
QUICK = Plan(side_px=128, packs=(1, 2), steps=2, matrix=1024, eager_steps=1)


def main() -> None:
    """Check, measure, and print the tables."""
    options = _options()
    plan = QUICK if options.quick else FULL
    deadline = time.perf_counter() + 60 * options.minutes
    plan = plan._replace(octaves=options.octaves, precisions=tuple(options.precisions), deadline=deadline)
    cache_compilations(options.cache)
    console = Console()
    console.print(f"{describe_device()}, {describe_backend()}, {plan.side_px}x{plan.side_px} px")
    rates = {precision: matrix_rate(plan.matrix, precision) for precision in PRECISIONS}
    console.print(_rates_table(rates))
    for name in options.models:
        model = _model(name)
        console.print(_checks_table(model, plan))
        _print_speeds(model, plan, rates, console)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Check and measure packs on whatever device there is.")
    parser.add_argument(
        "--models", nargs="+", choices=MODELS, default=MODELS, help="networks to measure; all by default"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes: see that it works")
    parser.add_argument(
        "--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS, help="to measure; all by default"
    )
    parser.add_argument("--octaves", type=int, default=1, help="of each dream; JAX compiles for each; default 1")
    parser.add_argument("--minutes", type=float, default=7, help="after which nothing more is begun; default 7")
    parser.add_argument(
        "--cache", type=Path, default=Path(".dreamfarm/compiled"), help="where JAX keeps what it compiled"
    )
    return parser.parse_args()


def _model(name: str) -> Model:
    try:
        return load_model(name)
    except WeightsError:
        return load_model(name, "random")


def _params(model: Model, plan: Plan, precision: str, **values: Any) -> DreamParams:
    given = {"octaves": plan.octaves, "steps": plan.steps, **values}
    return DreamParams.model_validate({"model": model.name, "precision": precision, **given})


def _pictures(plan: Plan, count: int) -> list[NDArray[np.uint8]]:
    numbers = np.random.default_rng(0)
    coarse = numbers.integers(30, 225, (count, plan.side_px // 16, plan.side_px // 16, 3), dtype=np.uint8)
    return list(coarse.repeat(16, axis=1).repeat(16, axis=2))


def matrix_rate(side: int, precision: str) -> float:
    """Return the floating-point operations per second of products of square matrices, the best of ten."""
    kind = "bfloat16" if precision == "bfloat16" else "float32"

    def products(a: Any) -> Any:
        x = b = ops.cast(a, kind)
        for _ in range(PRODUCTS):
            x = ops.matmul(x, b)
        return ops.max(x)

    run = compiled(products, (None, None), tf32=precision == "tf32")
    # So scaled, products are as large as their factors.
    values = np.random.default_rng(0).standard_normal((side, side), np.float32) / np.float32(math.sqrt(side))
    matrix = ops.convert_to_tensor(values)
    seconds = [_seconds(lambda: float(run(matrix))) for _ in range(11)]
    return float(2 * side**3 * PRODUCTS / min(seconds[1:]))


def _seconds(call: Any) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _rates_table(rates: dict[str, float]) -> Table:
    table = Table("precision", "matrix rate", title="What the device's matrix product reaches")
    for precision, rate in rates.items():
        table.add_row(precision, f"{rate / 1e12:.2f} Tflop/s")
    return table


def _checks_table(model: Model, plan: Plan) -> Table:
    table = Table("check", "mean of the range", "largest", title=f"{model.name}: correctness")
    table.add_row("a pack of 2 against each alone, 3 steps", *_shares(_pack_error(model, plan)))
    for precision in (each for each in plan.precisions if each != "float32"):
        table.add_row(f"{precision} against float32, 3 steps", *_shares(_precision_error(model, plan, precision)))
    return table


def _shares(difference: Any) -> tuple[str, str]:
    return f"{difference.mean():.2e}", f"{difference.max():.2e}"


def _pack_error(model: Model, plan: Plan) -> Any:
    pictures = _pictures(plan, 2)
    params = [_params(model, plan, "float32", octaves=1, steps=3, seed=seed) for seed in range(2)]
    together = _images(dream_pack(pictures, params, model=model))
    alone = [dream(picture, each, model=model).image for picture, each in zip(pictures, params, strict=True)]
    return np.abs(np.array(together, float) - np.array(alone, float)) / 255


def _images(outcomes: list[DreamResult | Exception]) -> list[Any]:
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    return [outcome.image for outcome in outcomes if isinstance(outcome, DreamResult)]


def _precision_error(model: Model, plan: Plan, precision: str) -> Any:
    (picture,) = _pictures(plan, 1)
    images = [
        dream(picture, _params(model, plan, each, octaves=1, steps=3), model=model).image.astype(float)
        for each in ("float32", precision)
    ]
    return np.abs(images[0] - images[1]) / 255


def _print_speeds(model: Model, plan: Plan, rates: dict[str, float], console: Console) -> None:
    eager = 1 / _eager_seconds(model, plan)
    for precision in plan.precisions:
        headings = ("pictures", "pictures/s", "megapixel-steps/s", "of the matrix rate", "against op by op")
        title = f"{model.name}, {precision}: whole dreams, {plan.octaves} octave(s) of {plan.steps} steps"
        table = Table(*headings, title=title)
        cells = _rate_cells(model, plan, eager, rates["float32"])
        table.add_row("1, op by op in float32", f"{eager:.3f}", *cells, "1.0x")
        for count in plan.packs:
            table.add_row(str(count), *_pack_cells(model, plan, precision, count, rate=rates[precision], eager=eager))
        console.print(table)


def _pack_cells(model: Model, plan: Plan, precision: str, count: int, *, rate: float, eager: float) -> tuple[str, ...]:
    if plan.is_over():
        return "not done: no time left", "", "", ""
    try:
        speed = count / _pack_seconds(model, plan, precision, count)
    except Exception as error:  # noqa: BLE001  # each library has its own error for too little memory
        return f"not done: {type(error).__name__}", "", "", ""
    return f"{speed:.3f}", *_rate_cells(model, plan, speed, rate), f"{speed / eager:.1f}x"


def _pack_seconds(model: Model, plan: Plan, precision: str, count: int) -> float:
    """Return the seconds of a pack's whole dream, the best of up to three; the first one compiles and isn't counted."""
    pictures = _pictures(plan, count)
    params = [_params(model, plan, precision, seed=seed) for seed in range(count)]
    _images(dream_pack(pictures, params, model=model))
    taken: list[float] = []
    while len(taken) < REPEATS and sum(taken) < REPEATS_S:
        taken.append(_seconds(lambda: _images(dream_pack(pictures, params, model=model))))
    return min(taken)


def _eager_seconds(model: Model, plan: Plan) -> float:
    """Return the seconds of one picture's dream, each operation started from Python; a few steps tell of all."""
    (picture,) = _pictures(plan, 1)
    params = _params(model, plan, "float32", steps=plan.eager_steps)
    with _op_by_op():
        dream(picture, params.model_copy(update={"steps": 1}), model=model)
        return _seconds(lambda: dream(picture, params, model=model)) * plan.steps / plan.eager_steps


@contextmanager
def _op_by_op() -> Iterator[None]:
    if chosen == "jax":
        import jax  # noqa: PLC0415  # the other library need not be there

        with jax.disable_jit():
            yield
        return
    import tensorflow as tf  # noqa: PLC0415  # the other library need not be there

    tf.config.run_functions_eagerly(run_eagerly=True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(run_eagerly=False)


def _rate_cells(model: Model, plan: Plan, speed: float, rate: float) -> tuple[str, str]:
    """Return the megapixel-steps per second at so many pictures per second, and the share of the matrix rate."""
    params = _params(model, plan, "float32")
    sizes = plan_octaves(params, plan.side_px, plan.side_px).sizes
    megapixels = sum(math.prod(size) for size in sizes) / 1e6
    operations = sum(step_operations(model.spec, params.layers, size) for size in sizes)
    return f"{speed * plan.steps * megapixels:.1f}", f"{100 * speed * plan.steps * operations / rate:.0f} %"


if __name__ == "__main__":
    main()
