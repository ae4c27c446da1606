"""The table of transitions is what the design promises."""

from __future__ import annotations

import pytest

from farm.states import ACTIVE, TERMINAL, TRANSITIONS, JobState, Transition


def test_every_transition_is_in_the_table():
    """No transition exists without its row."""
    assert set(TRANSITIONS) == set(Transition)


def test_active_and_terminal_states_are_all_states():
    """A state is active or terminal, never both."""
    assert set(JobState) == ACTIVE | TERMINAL
    assert not ACTIVE & TERMINAL


@pytest.mark.parametrize("state", list(JobState), ids=str)
def test_every_state_but_the_first_can_be_reached(state):
    """No state is dead weight: each is the target of a transition, or where jobs begin."""
    assert state is JobState.QUEUED or any(target is state for _, target in TRANSITIONS.values())


def test_a_success_is_only_undone_by_expiry():
    """Nothing turns a finished job back but the end of its shelf life."""
    leaving = {name for name, (sources, _) in TRANSITIONS.items() if JobState.SUCCEEDED in sources}

    assert leaving == {Transition.EXPIRE}
