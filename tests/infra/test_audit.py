"""What is made of a report on the locked packages."""

from __future__ import annotations

import pytest

from infra.audit import judge

GOOD = {"name": "good", "version": "1.0", "vulns": []}
BAD = {"name": "bad", "version": "2.0", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["2.1", "3.0"]}]}
UNKNOWN = {"name": "unknown", "skip_reason": "Dependency not found on PyPI and could not be audited: unknown (1.0)"}


@pytest.mark.parametrize(
    ("packages", "failed", "words"),
    [
        pytest.param([GOOD], False, ["1 packages were audited."], id="all-well"),
        pytest.param([GOOD, BAD], True, ["bad 2.0: PYSEC-2026-1", "2.1 or 3.0", "2 packages"], id="one-known"),
        pytest.param([GOOD, UNKNOWN], False, ["1 packages were audited", "1 could NOT"], id="one-not-asked"),
        pytest.param([UNKNOWN], False, ["NOT audited"], id="none-asked"),
        pytest.param([], False, ["NOT audited"], id="nothing"),
    ],
)
def test_a_report_is_told_as_it_is(packages, failed, words):
    """A known flaw fails and names its cure; what wasn't asked is not called well."""
    verdict = judge({"dependencies": packages})

    assert verdict.failed == failed
    assert all(word in "\n".join(verdict.lines) for word in words), verdict.lines


def test_no_report_is_no_audit():
    """Where pip-audit can't be had, that is said, and nothing fails."""
    verdict = judge(None)

    assert not verdict.failed
    assert "NOT audited" in verdict.lines[0]
