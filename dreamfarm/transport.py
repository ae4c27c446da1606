"""HTTP as the client needs it: patient where a call may be repeated, and every error in plain words."""

from __future__ import annotations

import hashlib
import random
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import httpx2
from pydantic import ValidationError

from farm.schema import Problem, View

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import BinaryIO

Answer = TypeVar("Answer", bound=View)

BACKOFF_S = 0.2
LONGEST_BACKOFF_S = 5.0
LONGEST_RETRY_AFTER_S = 30.0
BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class FarmError(Exception):
    """The farm refused a call.

    Parameters
    ----------
    code : stable, for programs, for example ``not_found``.
    detail : for people.
    status : the HTTP status, or 0 where there was no answer.
    """

    def __init__(self, code: str, detail: str, status: int = 0) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status


class FarmUnreachableError(FarmError):
    """The farm didn't answer, or something it stands on is away."""


class _KeyAuth(httpx2.Auth):
    """Shows a key to the farm alone: never to the store that presigned links lead to."""

    def __init__(self, url: str, key: str | None) -> None:
        self._origin = _origin(httpx2.URL(url))
        self._header = f"Bearer {_checked_key(key)}" if key else None

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Add the key where it belongs."""
        if self._header and _origin(request.url) == self._origin:
            request.headers["Authorization"] = self._header
        yield request


class Transport:
    """One farm's HTTP connection pool.

    Parameters
    ----------
    url : the farm's address.
    timeout_s : longest wait for a connection, or for the next bytes, in s.
    tries : how often a call that may be repeated is made before it fails.
    key : shown to the farm, and to nobody else.
    """

    def __init__(self, url: str, *, timeout_s: float, tries: int, key: str | None = None) -> None:
        self.url = _checked(url)
        self.tries = tries
        # A proxy from the environment can't lead to a farm on this machine.
        self._client = httpx2.Client(
            base_url=self.url,
            auth=_KeyAuth(self.url, key),
            timeout=timeout_s,
            trust_env=httpx2.URL(self.url).host not in LOOPBACK,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(self, method: str, path: str, *, makes: bool = False, **request: Any) -> httpx2.Response:
        """Make a call and return its answer, which is no error.

        One that `makes` something carries an Idempotency-Key, so that however often it is sent, the farm makes it once.

        Raises
        ------
        FarmError
            The farm refused it.
        FarmUnreachableError
            It didn't get through, however often it was tried.
        """
        if makes:
            request["headers"] = {**request.get("headers", {}), "Idempotency-Key": uuid4().hex}
        for attempt in range(1, self.tries + 1):
            last = attempt == self.tries
            try:
                response = self._client.request(method, path, **request)
            except httpx2.TransportError as error:
                if last:
                    raise unreachable(self.url, error) from error
                time.sleep(backoff_s(attempt))
                continue
            if last or not _is_busy(response):
                return accepted(response)
            asked_s = retry_after_s(response)
            time.sleep(backoff_s(attempt) if asked_s is None else asked_s)
        raise AssertionError  # the last attempt returns or raises

    def read(self, answer: type[Answer], method: str, path: str, **request: Any) -> Answer:
        """Make a call as `call` does and return what its answer says."""
        response = self.call(method, path, **request)
        try:
            return answer.model_validate_json(response.content)
        except ValidationError:
            detail = f"{response.url} answered, but not as a dreamfarm does. Is the address right?"
            raise FarmError("unexpected_answer", detail, response.status_code) from None

    @contextmanager
    def stream(self, path: str, **request: Any) -> Iterator[httpx2.Response]:
        """Open an answer of any status to read bit by bit, errors included; made once."""
        try:
            with self._client.stream("GET", path, **request) as response:
                yield response
        except httpx2.TransportError as error:
            raise unreachable(self.url, error) from error


def _is_busy(response: httpx2.Response) -> bool:
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


def save_body(response: httpx2.Response, file: BinaryIO, *, sha256: str | None) -> None:
    """Write an answer's bytes as they come, and raise where they are others than `sha256` says."""
    digest = hashlib.sha256()
    for chunk in response.iter_bytes():
        digest.update(chunk)
        file.write(chunk)
    if sha256 not in {None, digest.hexdigest()}:
        detail = "The downloaded picture has other bytes than the farm made. Download it again."
        raise FarmError("damaged_download", detail, HTTPStatus.OK)


def unreachable(url: str, error: Exception) -> FarmUnreachableError:
    """Return the error that says the farm can't be reached."""
    reason = "it took too long" if isinstance(error, httpx2.TimeoutException) else str(error) or type(error).__name__
    return FarmUnreachableError(
        "unreachable",
        f"The farm at {url} doesn't answer ({reason}). Is it running? `dreamfarm up` starts one, --url names another.",
    )


def backoff_s(attempt: int) -> float:
    """Return how long to wait after so many failures, in s: twice as long each time, spread by chance."""
    return min(LONGEST_BACKOFF_S, BACKOFF_S * 2.0 ** (attempt - 1)) * random.uniform(0.8, 1.2)  # noqa: S311  # no secret


def retry_after_s(response: httpx2.Response) -> float | None:
    """Return how long the farm asks to wait, in s, within reason; None where it doesn't say."""
    value = response.headers.get("Retry-After", "")
    try:
        wait_s = float(value) if value.isdigit() else (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(wait_s, 0.0), LONGEST_RETRY_AFTER_S)


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _checked_key(key: str) -> str:
    if not key.isascii() or not key.isprintable() or " " in key:
        raise FarmError("bad_key", "The key has characters that no key has. Copy it again, without spaces or quotes.")
    return key


def _checked(url: str) -> str:
    address = url if "://" in url else f"http://{url}"
    try:
        parsed = httpx2.URL(address)
    except httpx2.InvalidURL:
        parsed = httpx2.URL("")
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise FarmError("bad_address", f"{url!r} is no farm's address. Give one like http://127.0.0.1:8000.")
    return address.rstrip("/")


def _problem(response: httpx2.Response) -> Problem:
    try:
        return Problem.model_validate_json(response.content)
    except ValidationError:
        phrase = response.reason_phrase or "error"
        detail = f"{response.url} answered {response.status_code} ({phrase}), and not as a dreamfarm does."
        return Problem(title=phrase, status=response.status_code, code="unexpected_answer", detail=detail)
