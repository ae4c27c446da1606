"""An api whose servers are away says so, and what it needs no server for it still does."""

from __future__ import annotations

import subprocess
import sys

import pytest
from openapi_spec_validator import validate

from tests.support import assert_problem, picture, submit

JOB = "/v1/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.mark.parametrize("path", ["/v1/jobs", JOB, f"{JOB}/events", f"{JOB}/result", "/v1/workers", "/readyz"])
def test_reading_without_redis_is_unavailable(client, path):
    """The answer is 503 with a time to come back after, never a 500."""
    answer = client.get(path)

    assert_problem(answer, 503, "service_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_submitting_without_storage_is_unavailable(client):
    """A good job can't be taken while its picture can't be stored."""
    answer = submit(client, picture())

    assert_problem(answer, 503, "service_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_the_process_is_alive_without_servers(client):
    """Liveness asks nobody else, so that an outage doesn't restart every api."""
    assert client.get("/healthz").json == {"status": "ok"}


def test_models_are_listed_with_shapes_at_a_size(client):
    """A user sees what each layer is at the picture's size."""
    model = client.get("/v1/models/squeezenet?width=640&height=320").json

    fire8 = next(layer for layer in model["layers"] if layer["name"] == "fire8")
    height, width, channels = fire8["shape"]
    assert (channels, fire8["stride"]) == (512, 16)
    assert width == pytest.approx(640 / 16, abs=2)
    assert height == pytest.approx(320 / 16, abs=2)
    assert {entry["name"] for entry in client.get("/v1/models").json["models"]} >= {"squeezenet", "inception_v3"}


def test_an_unknown_model_is_not_found(client):
    """The answer names the models there are."""
    assert "squeezenet" in assert_problem(client.get("/v1/models/alexnet"), 404, "not_found")["detail"]


def test_the_contract_is_valid_and_complete(client, app):
    """The OpenAPI document is valid, and describes every route of version 1."""
    contract = client.get("/openapi.json").json

    validate(contract)
    routes = {rule.rule.replace("<int:", "<") for rule in app.url_map.iter_rules() if rule.rule.startswith("/v1/")}
    assert {route.replace("<", "{").replace(">", "}") for route in routes} == {
        path for path in contract["paths"] if path.startswith("/v1/")
    }


def test_the_docs_page_loads_nothing_from_elsewhere(client):
    """Page and scripts come from the api itself."""
    page = client.get("/docs").get_data(as_text=True)

    assert "http" not in page
    assert client.get("/docs/swagger/js/swagger-ui-bundle.js").status_code == 200
    assert client.get("/docs/static/docs.js").status_code == 200


def test_importing_the_api_loads_no_tensorflow():
    """The api stays thin: the engine is not in its process."""
    code = "import sys, api.app; sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras')))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
