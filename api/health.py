"""``python -m api.health [URL]``: whether the api of this machine can take jobs, for whoever keeps it running."""

from __future__ import annotations

import sys
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

READY_URL = "http://127.0.0.1:8000/readyz"
TIMEOUT_S = 8


def main(url: str = READY_URL) -> int:
    """Ask; 0 where it is ready, 1 with the reason where not. Proxies of the environment aren't meant for oneself."""
    try:
        build_opener(ProxyHandler({})).open(url, timeout=TIMEOUT_S).close()
    except (URLError, TimeoutError) as error:
        print(f"{url}: {error}", file=sys.stderr)  # noqa: T201  # read by people and probes
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:2]))
