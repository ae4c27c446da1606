"""What a layer answers to a whole picture, in the memory of a tile where the picture is large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dreamcore.tiles import exact_tiles

if TYPE_CHECKING:
    from dreamcore.models import Model

Tensor = Any


def answers(model: Model, layer: str, image: Tensor, *, core_px: int | None = None) -> Tensor:
    """Return a layer's activation of an image, (N, h, w, C).

    Parameters
    ----------
    image : (N, H, W, 3) float32
    core_px
        Side of the tiles' cores to compute it by, whose cells are those of the whole image; None for all at once, as
        always where Keras runs the network.
    """
    features = model.features((layer,))
    if core_px is None or model.spec.graph is None:
        return features(image)[0]
    count, height, width = image.shape[:3]
    whole = np.zeros((count, *model.spec.layer(layer).shape(height, width)), np.float32)
    for tile in exact_tiles(model.spec, [layer], (height, width), core_px=core_px):
        crop = image[:, slice(*tile.rows), slice(*tile.columns)]
        rows, columns = (slice(*span) for span in tile.cells[0])
        whole[:, rows, columns] += np.asarray(features(crop)[0]) * tile.counted[0]
    return whole
