"""The services of the application that handles the current request."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import current_app

if TYPE_CHECKING:
    from farm.services import Services

KEY = "dreamfarm"


def services() -> Services:
    """Return the farm's services."""
    return cast("Services", current_app.extensions[KEY])
