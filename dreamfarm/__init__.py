"""Dreamfarm for people: the command line, the Python client and the embedded stack."""

from dreamcore.version import __version__
from dreamfarm.client import Farm
from dreamfarm.transport import FarmError, FarmUnreachableError

__all__ = ["Farm", "FarmError", "FarmUnreachableError", "__version__"]
