"""Holds the answers that a test's client gets against the contract."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property

from flask.testing import FlaskClient
from flask_openapi.utils import parse_rule
from openapi_schema_validator import OAS31Validator
from werkzeug.exceptions import HTTPException


class Described:
    """What the contract of an application says of answers."""

    def __init__(self, app):
        self.app = app
        self._validators = {}

    @cached_property
    def document(self):
        return self.app.api_doc

    def wrong(self, answer):
        """Return what the contract doesn't say of an answer; None where all is well, or it isn't about such calls."""
        request = answer.request
        operation = self._operation(request.path, request.method.lower())
        if operation is None:
            return None
        found = self._wrong(operation, answer)
        return found and f"{request.method} {request.path}: {answer.status_code} {found}"

    def _operation(self, path, method):
        adapter = self.app.url_map.bind("")
        try:
            rule, _ = adapter.match(path, method=method.upper(), return_rule=True)
        except HTTPException:
            return None
        return self.document["paths"].get(parse_rule(rule.rule), {}).get(method)

    def _wrong(self, operation, answer):
        told = operation["responses"].get(str(answer.status_code))
        if told is None:
            return "is no status of this call"
        missing = {name for name, one in told.get("headers", {}).items() if one.get("required")} - set(
            answer.headers.keys()
        )
        if missing:
            return f"lacks {sorted(missing)}"
        content = told.get("content", {})
        if not content:
            return None
        if answer.mimetype not in content:
            return f"is {answer.mimetype}, and should be {sorted(content)}"
        return self._wrong_body(content[answer.mimetype]["schema"], answer) if answer.is_json else None

    def _wrong_body(self, schema, answer):
        key = repr(schema)
        if key not in self._validators:
            whole = {**schema, "components": self.document["components"]}
            self._validators[key] = OAS31Validator(whole)
        errors = [error.message for error in self._validators[key].iter_errors(answer.json)]
        return errors[0] if errors else None


class WatchingClient(FlaskClient):
    """A test client that remembers the answers that the contract doesn't describe."""

    def open(self, *args, **options):
        answer = super().open(*args, **options)
        app = self.application
        described = app.extensions.setdefault("described", Described(app))
        app.extensions.setdefault("undescribed", []).extend(filter(None, [described.wrong(answer)]))
        return answer


@contextmanager
def watching(app):
    """Give a client of an application; at the end, each answer that it got has to be as the contract says."""
    app.test_client_class = WatchingClient
    app.extensions["undescribed"] = []
    yield app.test_client()
    assert app.extensions["undescribed"] == []
