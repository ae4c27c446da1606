"""Asks the advisories of PyPI about each locked package: ``python -m infra.audit``.

It fails where a package is known to be vulnerable. Where nobody could be asked it says so, and fails nothing. It is
pip-audit that asks; it is installed for this alone and thrown away.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

LOCK = Path(__file__).parents[1] / "requirements.lock"
TOOL = "pip-audit>=2.10,<3"
WITHOUT_CHANGES = ("--disable-pip", "--require-hashes", "--progress-spinner=off", "--format=json")


class Verdict(NamedTuple):
    """What was found, in lines, and whether that is a failure."""

    lines: list[str]
    failed: bool


def judge(report: dict[str, Any] | None) -> Verdict:
    """Say what a report of pip-audit's means; None where there is none."""
    packages = report["dependencies"] if report else []
    asked = [one for one in packages if "skip_reason" not in one]
    if not asked:
        return Verdict(["The packages were NOT audited: PyPI's advisories can't be reached from here."], failed=False)
    known = [_told(package, flaw) for package in asked for flaw in package["vulns"]]
    skipped = len(packages) - len(asked)
    left_out = f"; {skipped} could NOT be, as PyPI says nothing of them" if skipped else ""
    return Verdict([*known, f"{len(asked)} packages were audited{left_out}."], failed=bool(known))


def _told(package: dict[str, Any], flaw: dict[str, Any]) -> str:
    fixed = " or ".join(flaw["fix_versions"]) or "no version yet"
    return f"{package['name']} {package['version']}: {flaw['id']}. It is mended in {fixed}."


def ask(lock: Path) -> dict[str, Any] | None:
    """Return pip-audit's report on a lock file; None where it can't be had."""
    with TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        binaries, report = Path(folder) / "bin", Path(folder) / "report.json"
        got = _run(binaries / "pip", "install", "--disable-pip-version-check", TOOL)
        if got.returncode == 0:
            _run(binaries / "pip-audit", f"--requirement={lock}", f"--output={report}", *WITHOUT_CHANGES)
        return json.loads(report.read_text()) if report.is_file() and report.stat().st_size else None


def _run(*command: Path | str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)  # noqa: S603  # as a list


def main() -> int:
    """Audit the lock, and say how it went."""
    verdict = judge(ask(LOCK))
    print("\n".join(verdict.lines))
    return int(verdict.failed)


if __name__ == "__main__":
    sys.exit(main())
