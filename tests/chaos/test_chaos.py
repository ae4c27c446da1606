"""Nothing is lost, whatever dies; and the suite that says so finds planted bugs."""

from __future__ import annotations

import pytest

from tests.chaos import scenarios
from tests.chaos.campaign import run
from tests.chaos.faults import KINDS, kinds, schedule
from tests.chaos.shaky import ShakyStack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SEED, JOBS, WORKERS = 7, 40, 2


def test_a_schedule_follows_from_its_seed():
    """The same seed gives the same faults, another one others; every kind comes."""
    one, again, other = schedule(1, 30, KINDS), schedule(1, 30, KINDS), schedule(2, 30, KINDS)

    assert one == again != other
    assert {fault.kind for fault in one} == set(KINDS)


def test_nothing_is_lost_whatever_dies(tmp_path):
    """Every kind of fault once, while jobs come in: each is done once, with the bytes of an undisturbed farm."""
    report = run(tmp_path / "farm", seed=SEED, jobs=JOBS, workers=WORKERS, faults=len(kinds()))

    assert report.findings == []
    assert set(report.faults) == set(kinds())


def test_the_guards_hold(tmp_path):
    """A worker that comes back, one that dies, a checkpoint that is another picture's: the result doesn't show it."""
    with ShakyStack(tmp_path / "farm", workers=2) as site:
        site.wait_for_workers(2)
        stage = scenarios.Stage(site)

        wrong = [
            stage.play(scenario)
            for scenario in (
                scenarios.worker_is_away,
                scenarios.checkpoint_is_another_pictures,
                scenarios.worker_dies,
            )
        ]

    assert wrong == [set(), set(), set()]


@pytest.mark.parametrize(
    ("mutant", "scenario", "wrong"),
    [
        ("unfenced", scenarios.worker_is_away, {"doubled"}),
        ("unwatched", scenarios.worker_dies, {"lost"}),
        ("trusting", scenarios.checkpoint_is_another_pictures, {"differing"}),
    ],
)
def test_planted_bugs_are_found(tmp_path, mutant, scenario, wrong):
    """Without fencing, without a janitor, without a look at hashes, the same scenario ends badly, and is seen to."""
    with ShakyStack(tmp_path / "farm", workers=2, worker_module=f"tests.chaos.mutants.{mutant}") as site:
        site.wait_for_workers(2)

        assert scenarios.Stage(site).play(scenario) == wrong
