"""What a farm's answers mean: done, refused in plain words, or busy and worth another try."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import httpx2
from pydantic import ValidationError

from dreamfarm.errors import FarmError, FarmUnreachableError
from farm.schema import Problem, View

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer", bound=View)

BACKOFF_S = 0.2
LONGEST_BACKOFF_S = 5.0
LONGEST_RETRY_AFTER_S = 30.0
BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


def is_busy(response: httpx2.Response) -> bool:
    """Tell whether the same call may be answered otherwise in a moment."""
    if response.status_code == HTTPStatus.CONFLICT:
        return _problem(response).code == "in_flight"
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return _problem(response).code != "quota_exceeded"  # that one lasts until midnight
    return response.status_code in BUSY


def accepted(response: httpx2.Response) -> httpx2.Response:
    """Return an answer that is no error, or raise the error that it tells."""
    if not response.is_error:
        return response
    problem = _problem(response)
    kind = FarmUnreachableError if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE else FarmError
    raise kind(problem.code, problem.detail, response.status_code)


def parsed(answer: type[Answer], response: httpx2.Response) -> Answer:
    """Return what an answer says; raise where it says something else."""
    try:
        return answer.model_validate_json(response.content)
    except ValidationError:
        detail = f"{response.url} answered, but not as a dreamfarm does. Is the address right?"
        raise FarmError("unexpected_answer", detail, response.status_code) from None


def unreachable(url: str, error: Exception) -> FarmUnreachableError:
    """Return the error that says the farm can't be reached."""
    reason = "it took too long" if isinstance(error, httpx2.TimeoutException) else str(error) or type(error).__name__
    return FarmUnreachableError(
        "unreachable",
        f"The farm at {url} doesn't answer ({reason}). Is it running? `dreamfarm up` starts one, --url names another.",
    )


def backoff_s(attempt: int, *, spread: Callable[[float, float], float] = random.uniform) -> float:
    """Return how long to wait after so many failures, in s: twice as long each time, spread by chance."""
    return min(LONGEST_BACKOFF_S, BACKOFF_S * 2.0 ** (attempt - 1)) * spread(0.8, 1.2)


def retry_after_s(response: httpx2.Response) -> float | None:
    """Return how long the farm asks to wait, in s, within reason; None where it doesn't say."""
    value = response.headers.get("Retry-After", "")
    try:
        wait_s = float(value) if value.isdigit() else (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(wait_s, 0.0), LONGEST_RETRY_AFTER_S)


def _problem(response: httpx2.Response) -> Problem:
    try:
        return Problem.model_validate_json(response.content)
    except ValidationError:
        phrase = response.reason_phrase or "error"
        detail = f"{response.url} answered {response.status_code} ({phrase}), and not as a dreamfarm does."
        return Problem(title=phrase, status=response.status_code, code="unexpected_answer", detail=detail)
