"""Parts of the OpenAPI contract that no type annotation can say."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask_openapi import OpenAPI, RequestBody
from flask_openapi.models import Parameter, Schema
from flask_openapi.models import Response as Described

from api.problems import CONTENT_TYPE
from api.requests import MAX_COMPANIONS, EstimateRequest, JobRequest
from farm.pools import HIGHEST_PRIORITY
from farm.schema import EventView

REDIRECT: dict[str, Any] = {
    "description": "A presigned link to the bytes.",
    "headers": {"Location": {"schema": {"type": "string", "format": "uri"}}},
}

EVENT_STREAM: dict[str, Any] = {
    "description": "Server-sent events named `update`, whose data is an EventView.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
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
_JOB_FORM = {
    "type": "object",
    "required": ["image"],
    "additionalProperties": False,
    "properties": {
        "image": {**_PICTURE, "description": "The picture: JPEG, PNG, WebP, GIF, TIFF or BMP."},
        "guide": {**_PICTURES, "description": "Pictures whose features the dream follows."},
        "mask": {**_PICTURES, "description": "Pictures of the same size, white where to dream."},
        "params": {"type": "string", "contentMediaType": "application/json", "description": "DreamParams as JSON."},
        "tags": {"type": "string", "contentMediaType": "application/json", "description": "A list of tags as JSON."},
        "needs": {"type": "string", "description": "Tags that a worker must offer, with commas between."},
        "priority": {"type": "integer", "minimum": 0, "maximum": HIGHEST_PRIORITY},
        "format": {"type": "string", "enum": ["png", "jpeg", "webp"]},
        "name": {"type": "string", "maxLength": 200},
        "expires_in": {"type": "integer", "minimum": 60, "maximum": 31_536_000, "description": "In s."},
    },
}
_IDEMPOTENCY_KEY = Parameter.model_validate(
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        "description": "For a day, a repeat of the call by the same key gets the first answer and makes nothing.",
    }
)
JOB_BODY = RequestBody.model_validate(
    {
        "content": {
            "multipart/form-data": {"schema": _JOB_FORM},
            "application/json": {"schema": {"$ref": "#/components/schemas/JobRequest"}},
        }
    }
)

ESTIMATE_BODY = RequestBody.model_validate(
    {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/EstimateRequest"}}}}
)


def add_schemas(app: OpenAPI) -> None:
    """Describe the models that the contract names by reference alone."""
    for model in (JobRequest, EstimateRequest, EventView):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        for name, part in {**schema.pop("$defs", {}), model.__name__: schema}.items():
            app.components_schemas.setdefault(name, Schema.model_validate(part))


def add_common(app: OpenAPI) -> None:
    """Describe what every call has in common: how it is refused, and for a POST how it is repeated."""
    for path in app.paths.values():
        for operation in filter(None, (path.get, path.post, path.put, path.delete)):
            operation.responses = {**_REFUSALS, **(operation.responses or {})}
        if path.post:
            # Blueprints keep these descriptions from one application to the next.
            own = [one for one in path.post.parameters or [] if one is not _IDEMPOTENCY_KEY]
            path.post.parameters = [*own, _IDEMPOTENCY_KEY]


def problems(*statuses: int) -> dict[str | int | HTTPStatus, Any]:
    """Describe error answers of these statuses."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {CONTENT_TYPE: {"schema": schema}}}
        for status in statuses
    }


_REFUSALS = {str(status): Described.model_validate(described) for status, described in problems(401, 403, 429).items()}
