"""What can go wrong in the farm; vendor errors become one of these at the adapters, and nowhere else."""

from __future__ import annotations

from dreamcore.errors import DreamError


class FarmError(Exception):
    """Base of the farm's errors; the message is fit for the person who asked."""


class TransientError(FarmError):
    """Something the farm stands on is away; the same call may go through later."""

    def __init__(self, service: str) -> None:
        super().__init__(f"{service} can't be reached at the moment. Try again in a few seconds.")
        self.service = service


class PermanentError(FarmError):
    """A service refused the call and will refuse it again."""


class NotFoundError(FarmError):
    """There is no such thing."""


class UnknownKeyError(FarmError):
    """There is no such key, or it was revoked; `given` tells whether there was one at all."""

    def __init__(self, message: str = "This key is wrong, or it was revoked.", *, given: bool = True) -> None:
        super().__init__(message)
        self.given = given


class ForbiddenError(FarmError):
    """The key is right, and doesn't allow this."""


class LimitError(FarmError):
    """An owner asks for more than they may; the policy is as the header RateLimit-Policy tells it."""

    def __init__(self, message: str, *, code: str, policy: str, left: int, retry_after_s: int) -> None:
        super().__init__(message)
        self.code = code
        self.policy = policy
        self.left = left
        self.retry_after_s = retry_after_s


class QueueFullError(FarmError):
    """The farm holds as many queued jobs as it may."""


class JobTooLargeError(DreamError):
    """A single job asks for more work than the farm takes."""

    code = "job_too_large"


class InvalidKeyReuseError(FarmError):
    """An Idempotency-Key stands for another call already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The Idempotency-Key {name!r} stands for another call. Take a new one for each new call.")


class AddressError(FarmError):
    """A user names an address that the farm doesn't call."""

    code = "address_refused"


class CallError(FarmError):
    """An address that a user named didn't answer, or not as it should."""

    code = "call_failed"


class ExpiredError(FarmError):
    """It was kept for as long as was asked, and removed."""

    code = "expired"


class ConflictError(FarmError):
    """The job's state doesn't allow it."""

    def __init__(self, message: str, *, code: str = "wrong_state") -> None:
        super().__init__(message)
        self.code = code


class LeaseLostError(FarmError):
    """The attempt no longer owns the job, so nothing it writes counts."""
