"""Parts of the OpenAPI contract that no type annotation can say."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask_openapi import OpenAPI, RequestBody
from flask_openapi.models import Schema
from pydantic import BaseModel

from api.problems import CONTENT_TYPE
from api.requests import (
    MAX_COMPANIONS,
    BatchRequest,
    EstimateRequest,
    JobRequest,
    KeyRequest,
    SessionRequest,
    WebhookRequest,
)
from farm.pools import HIGHEST_PRIORITY
from farm.schema import EventView, LinkView

BODIES = (JobRequest, EstimateRequest, BatchRequest, KeyRequest, SessionRequest, WebhookRequest)

_LOCATION = {"schema": {"type": "string", "format": "uri-reference"}, "required": True}
_SECONDS = {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}, "required": True}
_HEADERS = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}, "required": True}},
    429: {"Retry-After": _SECONDS},
    503: {"Retry-After": _SECONDS},
}
"""What error answers of a status say beside their body."""

REDIRECT: dict[str, Any] = {
    "description": "A presigned link to the bytes.",
    "headers": {"Location": _LOCATION},
}

_EVENT = {
    "type": "object",
    "required": ["id", "event", "data"],
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9]+-[0-9]+$"},
        "event": {"const": "update"},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/components/schemas/EventView"},
        },
    },
}
"""One event of a stream, as OpenAPI 3.1 describes streams."""

EVENT_STREAM: dict[str, Any] = {
    "description": "Server-sent events named `update`, whose data is an EventView.",
    "content": {"text/event-stream": {"schema": _EVENT}},
}

JSON_LINES: dict[str, Any] = {
    "description": "A JobView a line.",
    "content": {"application/jsonl": {"schema": {"type": "string"}}},
}

METRICS: dict[str, Any] = {
    "description": "Gauges, counters and histograms.",
    "content": {"text/plain": {"schema": {"type": "string"}}},
}

ZIP: dict[str, Any] = {
    "description": "The finished pictures.",
    "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
}

JPEG: dict[str, Any] = {
    "description": "A picture.",
    "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
}

_PICTURE = {"type": "string", "format": "binary"}
PICTURE: dict[str, Any] = {
    "description": "The bytes.",
    "content": {"application/octet-stream": {"schema": _PICTURE}},
}
PICTURE_BODY = RequestBody.model_validate(
    {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["image"], "properties": {"image": _PICTURE}}
            }
        },
    }
)
_PICTURES = {"type": "array", "items": _PICTURE, "maxItems": MAX_COMPANIONS}
_TAG = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": r"^[\w.:-]+$"}
_AS_JSON = {name: {"contentType": "application/json"} for name in ("params", "zoom", "tags")}
_JOB_FORM = {
    "type": "object",
    "required": ["image"],
    "additionalProperties": False,
    "properties": {
        "image": {**_PICTURE, "description": "The picture: JPEG, PNG, WebP, GIF, TIFF or BMP."},
        "guide": {**_PICTURES, "description": "Pictures whose features the dream follows."},
        "mask": {**_PICTURES, "description": "Pictures of the same size, white where to dream."},
        "kind": {"type": "string", "enum": ["dream", "zoom"]},
        "params": {"$ref": "#/components/schemas/DreamParams", "description": "DreamParams as JSON."},
        "zoom": {"$ref": "#/components/schemas/ZoomParams", "description": "ZoomParams as JSON, for the kind zoom."},
        "tags": {"type": "array", "items": _TAG, "maxItems": 16, "description": "A list of tags as JSON."},
        "needs": {"type": "string", "description": "Tags that a worker must offer, with commas between."},
        "priority": {"type": "integer", "minimum": 0, "maximum": HIGHEST_PRIORITY},
        "format": {"type": "string", "enum": ["png", "jpeg", "webp"]},
        "name": {"type": "string", "maxLength": 200, "pattern": r"^[^\x00-\x1f\x7f]*$"},
        "fresh": {"type": "boolean", "description": "Render even what was rendered before."},
        "expires_in": {"type": "integer", "minimum": 60, "maximum": 31_536_000, "description": "In s."},
    },
}


def json_body(model: type[BaseModel]) -> RequestBody:
    """Describe a body that is this model as JSON."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return RequestBody.model_validate({"required": True, "content": {"application/json": {"schema": schema}}})


JOB_BODY = RequestBody.model_validate(
    {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": _JOB_FORM, "encoding": _AS_JSON},
            "application/json": {"schema": {"$ref": "#/components/schemas/JobRequest"}},
        },
    }
)


def taken_on(model: type[BaseModel]) -> dict[str, Any]:
    """Describe the answer that something was taken on, and where to see how it goes."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    content = {"application/json": {"schema": schema}}
    return {"description": "Taken on.", "headers": {"Location": _LOCATION}, "content": content}


def add_schemas(app: OpenAPI) -> None:
    """Describe the models that the contract names by reference alone."""
    for model in (*BODIES, EventView, LinkView):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        for name, part in {**schema.pop("$defs", {}), model.__name__: schema}.items():
            app.components_schemas.setdefault(name, Schema.model_validate(part))


def problems(*statuses: int) -> dict[str | int | HTTPStatus, Any]:
    """Describe error answers of these statuses."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "headers": _HEADERS.get(status, {}),
            "content": {CONTENT_TYPE: {"schema": schema}},
        }
        for status in statuses
    }
