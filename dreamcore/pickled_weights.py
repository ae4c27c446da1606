"""SqueezeNet's weights, which a package carries as a pickle; read without running a line of either."""

from __future__ import annotations

import importlib.util
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dreamcore.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dreamcore.features import ConvWeights
    from dreamcore.graph import Graph

PACKAGE = "ndf"
INSIDE = Path("example_models", "weights", "squeezenet_weights.pkl")


def find() -> Path:
    """Return where the installed package keeps the weights, without importing it.

    Raises
    ------
    WeightsError
        The package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / INSIDE
        if path.is_file():
            return path
    raise WeightsError(
        f"SqueezeNet's weights come with the package {PACKAGE!r}, which is not installed. Install dreamfarm[cpu] or "
        f"dreamfarm[gpu], pass --weights FILE, or put {INSIDE.name} into the folder DREAMFARM_WEIGHTS_DIR names."
    )


def read(path: Path, _graph: Graph) -> Mapping[str, ConvWeights]:
    """Read a pickle of {convolution: [kernel, bias]}; anything in it but arrays is refused."""
    try:
        with path.open("rb") as file:
            stored = ArrayUnpickler(file).load()
        return {str(name): (np.asarray(kernel), np.asarray(bias)) for name, (kernel, bias) in stored.items()}
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, IndexError, KeyError) as error:
        why = f": {error}" if isinstance(error, _NotAdmittedError) else ""
        raise WeightsError(
            f"{path} is no file of SqueezeNet weights{why}. Give {INSIDE.name}, as the package {PACKAGE!r} has it; "
            "'imagenet' finds it by itself."
        ) from error


class _NotAdmittedError(pickle.UnpicklingError):
    """The file asks for more than arrays."""


class ArrayUnpickler(pickle.Unpickler):
    """Admits what numpy arrays are pickled with, and nothing else: a pickle could otherwise run any program."""

    rebuild = np.empty(0).__reduce__()[0]
    admitted: Mapping[tuple[str, str], Any] = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("numpy.core.multiarray", "_reconstruct"): rebuild,
        ("numpy._core.multiarray", "_reconstruct"): rebuild,
    }

    def find_class(self, module: str, name: str) -> Any:
        """Return one of the few admitted names."""
        try:
            return self.admitted[module, name]
        except KeyError:
            raise _NotAdmittedError(f"it asks for {module}.{name}, which is no array") from None
