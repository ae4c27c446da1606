"""``python -m api.health URL``: whether the api there can take jobs, for whoever keeps it running."""

from __future__ import annotations

import sys
from http.client import HTTPException
from urllib.request import ProxyHandler, build_opener

TIMEOUT_S = 8


def main(url: str) -> int:
    """Ask its /readyz; 0 where it is ready, 1 with the reason where not.

    Proxies that the environment names are for other machines.
    """
    try:
        build_opener(ProxyHandler({})).open(url, timeout=TIMEOUT_S).close()
    except (OSError, HTTPException) as error:
        print(f"{url}: {error}", file=sys.stderr)  # noqa: T201  # read by people and probes
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
