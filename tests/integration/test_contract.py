"""The OpenAPI contract and the api, held against each other by schemathesis: every operation, every check.

What is left out stands in `tests/contract/schemathesis.toml`, with the reason. `python -m tests.contract 30` tries for
half an hour.
"""

from __future__ import annotations

import pytest

from tests.contract.run import run

EXAMPLES = {"coverage": 1, "fuzzing": 1, "stateful": 10}

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("auth", "phases"),
    [
        pytest.param("required", "coverage", id="each-call"),
        pytest.param("off", "fuzzing", id="each-call-without-keys"),
        pytest.param("required", "stateful", id="one-after-the-other"),
    ],
)
def test_all_answers_are_as_the_contract_says(servers, services, tmp_path, auth, phases):  # noqa: ARG001  # emptied
    """Right calls, wrong ones and sequences of calls get no answer that isn't described, and none of 5xx."""
    options = ["--generation-deterministic", f"--phases={phases}", f"--max-examples={EXAMPLES[phases]}"]
    status, printed, unexpected = run(tmp_path, servers.environment(), *options, auth=auth)

    assert status == 0, printed
    assert unexpected == []
