"""``python -m farm.bucket``: make the farm's bucket where it isn't there yet."""

from __future__ import annotations

import sys

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from farm.errors import FarmError, TransientError
from farm.settings import SettingsError, load_settings
from farm.storage import ObjectStore

PATIENCE_S = 60
"""How long a store that has just started may need until it makes buckets."""


def main() -> int:
    """Make the bucket that the settings name; one that is there stays as it is."""
    try:
        storage = ObjectStore(load_settings())
        for attempt in Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_delay(PATIENCE_S),
            wait=wait_fixed(1),
            reraise=True,
        ):
            with attempt:
                storage.create_bucket()
    except (FarmError, SettingsError) as error:
        print(error, file=sys.stderr)  # noqa: T201  # read by people
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
