"""``python -m farm.bucket``: make the farm's bucket where it isn't there yet."""

from __future__ import annotations

import sys

from farm.errors import FarmError
from farm.settings import SettingsError, load_settings
from farm.storage import ObjectStore


def main() -> int:
    """Make the bucket that the settings name; one that is there stays as it is."""
    try:
        ObjectStore(load_settings()).create_bucket()
    except (FarmError, SettingsError) as error:
        print(error, file=sys.stderr)  # noqa: T201  # read by people
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
