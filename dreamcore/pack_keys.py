"""Which dreams may go through the network together. Imports no TensorFlow."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from dreamcore.errors import PackError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dreamcore.params import DreamParams
    from dreamcore.terms import Aim

OWN = frozenset({"seed", "step_size", "jitter", "max_loss"})


def pack_key(params: DreamParams, shape: tuple[int, ...]) -> str:
    """Return what dreams must have in common to share a pack; equal keys may, others may not.

    Each picture of a pack has its own seed, step size, jitter, loss limit, guide pictures, and weights,
    channels and places of its terms.

    Parameters
    ----------
    params
    shape : (H, W, …)
        The picture's, px.
    """
    common = json.dumps(_common(params, shape), sort_keys=True)
    return hashlib.sha256(common.encode()).hexdigest()


def check_pack(params: Sequence[DreamParams], shapes: Sequence[tuple[int, ...]]) -> None:
    """Raise `PackError` where dreams can't share a pack, naming what differs."""
    if not shapes or len(shapes) != len(params):
        raise PackError(
            f"A pack has one set of parameters for each of its pictures, and at least one picture; "
            f"{len(shapes)} pictures and {len(params)} sets of parameters were given."
        )
    tiled = {each.tiling for each in params} & {"exact", "rolled"}
    if tiled:
        raise PackError(
            f"Pictures in tiles share no pack, and tiling is {tiled.pop()!r}. Choose 'auto', or dream apart."
        )
    first, *others = [_common(*each) for each in zip(params, shapes, strict=True)]
    for index, other in enumerate(others, start=1):
        differing = [name for name in first if first[name] != other[name]]
        if differing:
            raise PackError(_difference(index, differing[0], first, other))


def _common(params: DreamParams, shape: tuple[int, ...]) -> dict[str, Any]:
    values = params.model_dump(mode="json", exclude={*OWN, "layers", "terms", "objective"})
    return values | {"terms": [_compiled_for(aim) for aim in params.aims], "shape": list(shape[:2])}


def _compiled_for(aim: Aim) -> str:
    """Return what a term has in common with those of the pack's other pictures, in words."""
    parts = {"channels": aim.channels, "at": aim.at}
    return " ".join(
        [aim.kind, "of", aim.layer, *(f"with {name}" for name, value in parts.items() if value is not None)]
    )


def _difference(index: int, name: str, first: dict[str, Any], other: dict[str, Any]) -> str:
    return (
        f"Picture {index} can't share a pack with picture 0: {name} is {other[name]!r}, not {first[name]!r}. "
        f"Pictures of a pack may differ in {', '.join(sorted(OWN))}, in weights, channels, places and guides "
        "alone; dream others apart."
    )
