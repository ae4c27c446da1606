"""What a farm's client raises."""

from __future__ import annotations


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
