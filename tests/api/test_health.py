"""`python -m api.health`, which containers ask."""

from __future__ import annotations

import pytest

from api.health import main
from dreamfarm.stack.ports import any_free_port
from tests.web import Site


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (500, 1)])
def test_it_tells_what_the_api_answers(status, code, monkeypatch):
    """Ready is 0, everything else is 1; a proxy that the environment names isn't asked."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{any_free_port()}")
    with Site() as site:
        assert main(site.url(f"status/{status}")) == code


def test_an_api_that_is_not_there_is_named(capsys):
    """Who reads the check's output sees which address didn't answer."""
    url = f"http://127.0.0.1:{any_free_port()}/readyz"

    assert main(url) == 1
    assert url in capsys.readouterr().err
