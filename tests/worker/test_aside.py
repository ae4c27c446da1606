"""Work beside the render keeps its order, and its errors are not lost."""

from __future__ import annotations

import threading

import pytest

from worker.aside import Aside


def test_calls_run_in_order_one_at_a_time():
    """A call begins when the one before it has ended."""
    seen = []
    with Aside() as aside:
        for number in range(20):
            aside.do(lambda number=number: seen.append(number))
        aside.finish()

    assert seen == list(range(20))


def test_the_caller_goes_on_while_the_call_runs():
    """Starting a call doesn't wait for it."""
    gate = threading.Event()
    with Aside() as aside:
        aside.do(gate.wait)
        gate.set()  # reached although the call waits for it
        aside.finish()


@pytest.mark.parametrize("ask", [Aside.finish, lambda aside: aside.do(lambda: None)], ids=["finish", "next-call"])
def test_an_error_is_raised_at_the_next_occasion(ask):
    """What went wrong aside goes wrong for the caller."""
    with Aside() as aside:
        aside.do(lambda: 1 / 0)

        with pytest.raises(ZeroDivisionError):
            ask(aside)
