"""A farm for Python programs; it speaks HTTP and nothing else.

>>> from dreamfarm import Farm  # doctest: +SKIP
>>> with Farm("http://127.0.0.1:8000") as farm:  # doctest: +SKIP
...     farm.dream(Path("sky.jpg"), Path("dream.png"), params={"steps": 20})

`Farm` and `AsyncFarm` have the same calls, written once: those of the groups that make up `AsyncFarm`.
"""

from __future__ import annotations

from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, ParamSpec, Self, TypeVar

from dreamfarm.account_calls import AccountCalls
from dreamfarm.address import stack_url
from dreamfarm.batch_calls import BatchCalls
from dreamfarm.errors import FarmError, FarmUnreachableError
from dreamfarm.farm_calls import FarmCalls
from dreamfarm.job_calls import JobCalls
from dreamfarm.transport import AsyncTransport, BlockingTransport, Transport, each, finished

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator

__all__ = ["AsyncFarm", "Farm", "FarmError", "FarmUnreachableError"]

P = ParamSpec("P")
R = TypeVar("R")


class _AllCalls(JobCalls, BatchCalls, FarmCalls, AccountCalls):
    """What a farm can be asked."""


class _Opened:
    """A farm's address, and the connections to it."""

    _kind: ClassVar[type[Transport]]

    def __init__(
        self,
        url: str | None = None,
        *,
        key: str | None = None,
        timeout_s: float = 30.0,
        tries: int = 4,
        poll_s: float = 1.0,
        patience_s: float = 120.0,
    ) -> None:
        self._transport = self._kind(url or stack_url(), timeout_s=timeout_s, tries=tries, key=key)
        self._poll_s, self._patience_s = poll_s, patience_s

    @property
    def url(self) -> str:
        """The farm's address."""
        return self._transport.url


class AsyncFarm(_Opened, _AllCalls):
    """A farm, for programs with an event loop; its parameters and errors are those of `Farm`."""

    _kind = AsyncTransport

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _waiting(
    call: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[Farm, P], R]:
    """Return a call that is awaited as one that returns when it is done."""

    @wraps(call)
    def run(farm: Farm, /, *args: P.args, **options: P.kwargs) -> R:
        return finished(call(farm._calls, *args, **options))  # noqa: SLF001  # becomes a method of it

    return run


def _yielding(
    call: Callable[Concatenate[Any, P], AsyncGenerator[R]],
) -> Callable[Concatenate[Farm, P], Iterator[R]]:
    """Return a call that is iterated asynchronously as one for plain loops."""

    @wraps(call)
    def run(farm: Farm, /, *args: P.args, **options: P.kwargs) -> Iterator[R]:
        return each(call(farm._calls, *args, **options))  # noqa: SLF001  # becomes a method of it

    return run


class Farm(_Opened):
    """A farm.

    Parameters
    ----------
    url : the farm's address; None means the embedded stack that runs for this folder or one above it.
    key : your API key, for a farm that asks for one; shown to the farm alone, and in no error.
    timeout_s : longest wait for a connection, or for the next bytes, in s.
    tries : how often a call that may be repeated is made before it fails.
    poll_s : pause between two looks at a job where it can't be followed by a stream, in s.
    patience_s : how long the farm may be away while a job is followed, in s.

    Raises
    ------
    FarmError
        The farm refused a call; it has ``code``, ``detail`` and ``status``. Every method may raise it.
    FarmUnreachableError
        The farm didn't answer, or there is no address. Every method may raise it.
    """

    _kind = BlockingTransport

    @cached_property
    def _calls(self) -> _AllCalls:
        return _AllCalls(self._transport, poll_s=self._poll_s, patience_s=self._patience_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    close = _waiting(AsyncFarm.close)

    submit = _waiting(AsyncFarm.submit)
    dream = _waiting(AsyncFarm.dream)
    get = _waiting(AsyncFarm.get)
    jobs = _yielding(AsyncFarm.jobs)
    page = _waiting(AsyncFarm.page)
    cancel = _waiting(AsyncFarm.cancel)
    retry = _waiting(AsyncFarm.retry)
    delete = _waiting(AsyncFarm.delete)
    events = _yielding(AsyncFarm.events)
    wait = _waiting(AsyncFarm.wait)
    download_result = _waiting(AsyncFarm.download_result)

    upload = _waiting(AsyncFarm.upload)
    submit_batch = _waiting(AsyncFarm.submit_batch)
    plan_batch = _waiting(AsyncFarm.plan_batch)
    batch = _waiting(AsyncFarm.batch)
    batches = _waiting(AsyncFarm.batches)
    batch_jobs = _yielding(AsyncFarm.batch_jobs)
    cancel_batch = _waiting(AsyncFarm.cancel_batch)
    retry_batch = _waiting(AsyncFarm.retry_batch)

    models = _waiting(AsyncFarm.models)
    model = _waiting(AsyncFarm.model)
    estimate = _waiting(AsyncFarm.estimate)
    workers = _waiting(AsyncFarm.workers)
    drain = _waiting(AsyncFarm.drain)
    bring_back = _waiting(AsyncFarm.bring_back)
    health = _waiting(AsyncFarm.health)

    create_key = _waiting(AsyncFarm.create_key)
    keys = _waiting(AsyncFarm.keys)
    revoke_key = _waiting(AsyncFarm.revoke_key)
    add_webhook = _waiting(AsyncFarm.add_webhook)
    webhooks = _waiting(AsyncFarm.webhooks)
    remove_webhook = _waiting(AsyncFarm.remove_webhook)
    deliveries = _waiting(AsyncFarm.deliveries)
    replay = _waiting(AsyncFarm.replay)
    audit = _yielding(AsyncFarm.audit)
