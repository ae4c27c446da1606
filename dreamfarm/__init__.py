"""Dreamfarm for people: the command line, the Python client and the embedded stack."""

from dreamcore.version import __version__
from dreamfarm.client import AsyncFarm, Farm
from dreamfarm.errors import FarmError, FarmUnreachableError

__all__ = ["AsyncFarm", "Farm", "FarmError", "FarmUnreachableError", "__version__"]
