"""The simulated farm obeys what queues obey, and gives out jobs as the real dispatcher does."""

from __future__ import annotations

import math

import numpy as np
import pytest

from infra.simulation.autoscaler import SYNC_S, Autoscaler, KedaRules
from infra.simulation.dispatch import MOST_BEHIND_S, number_in
from infra.simulation.farm import Farm, Fleet
from infra.simulation.jobs import Day, Job, make_day

SMALL = Day(visits=300, batches=4, smallest_batch=50, largest_batch=400, people=20, bulk_owners=3)
FLEETS = [
    pytest.param(Fleet(workers=2), id="two"),
    pytest.param(Fleet(), id="autoscaled"),
    pytest.param(Fleet(workers=5, spot_life_s=1200, start_s=60), id="spot"),
    pytest.param(Fleet(workers=5, spot_life_s=1200, warned=0.0), id="spot that is killed"),
    pytest.param(Fleet(spot_life_s=3600, warned=0.5), id="autoscaled spot"),
]


def played(jobs, fleet, **options):
    farm = Farm(jobs, fleet, **options)
    farm.run()
    return farm


def steady(rate, services_s, *, seed=0):
    """Return jobs of one owner that come at random, so many in a second, each of so much work."""
    gaps = np.random.default_rng(seed).exponential(1 / rate, len(services_s))
    times = zip(np.cumsum(gaps), services_s, strict=True)
    return [Job(number, "o", float(at), float(work), float(work)) for number, (at, work) in enumerate(times)]


@pytest.mark.parametrize("fleet", FLEETS)
def test_every_job_is_served_once(fleet):
    """Whatever happens to workers: each job ends, once, after it came, and none is left over or made up."""
    jobs = make_day(3, SMALL)
    farm = played(jobs, fleet)

    assert set(farm.served) == {job.number for job in jobs}
    assert all(one.job.arrived_s <= one.begun_s < one.ended_s for one in farm.served.values())
    assert (len(farm.dispatch), farm.dispatch.order, farm.left_to_do) == (0, [], 0)
    assert farm.dispatch.queued_s == pytest.approx(0, abs=1e-3)


def test_nothing_is_rendered_for_nothing():
    """Without losses workers are busy for exactly what the jobs take, and never for longer than they are paid."""
    jobs = make_day(3, SMALL)
    farm = played(jobs, Fleet(workers=3, switch_s=0))

    assert farm.busy_s == pytest.approx(sum(job.true_work_s for job in jobs) / farm.fleet.speed)
    assert farm.busy_s <= farm.paid_s == pytest.approx(3 * farm.now)


def test_littles_law_holds():
    """Jobs in the farm on average = their rate of arrival times the time that each is in it."""
    jobs = steady(0.4, np.random.default_rng(1).exponential(20, 3000))
    farm = played(jobs, Fleet(workers=2, speed=10))
    changes = sorted(
        [(one.job.arrived_s, 1) for one in farm.served.values()] + [(one.ended_s, -1) for one in farm.served.values()]
    )
    times, steps = np.array(changes).T
    present = np.cumsum(steps)
    mean_present = float(np.sum(present[:-1] * np.diff(times)) / (times[-1] - times[0]))
    mean_stay_s = np.mean([one.ended_s - one.job.arrived_s for one in farm.served.values()])

    assert mean_present == pytest.approx(len(jobs) / (times[-1] - times[0]) * mean_stay_s, rel=1e-6)


@pytest.mark.parametrize(("name", "scatter"), [("equal", 0.0), ("exponential", 1.0), ("long-tailed", 1.8)], ids=str)
def test_one_worker_is_the_textbooks_queue(name, scatter):
    """The mean wait is Pollaczek and Khinchine's: rate * E[service²] / 2 / (1 - load), at a load of 0.7."""
    random, count, mean_s = np.random.default_rng(5), 60_000, 7.0
    if name == "exponential":
        services_s = random.exponential(mean_s, count)
    else:
        sigma = math.sqrt(math.log(1 + scatter**2))
        services_s = mean_s * np.exp(random.normal(-(sigma**2) / 2, sigma, count))
    jobs = steady(0.1, services_s, seed=6)
    farm = played(jobs, Fleet(workers=1, speed=1.0))

    rate = count / jobs[-1].arrived_s
    expected_s = rate * np.mean(services_s**2) / 2 / (1 - rate * np.mean(services_s))
    assert np.mean([one.wait_s for one in farm.served.values()]) == pytest.approx(expected_s, rel=0.12)


def test_losses_only_delay():
    """On machines that live for 20 minutes everything is done, later, and what is done twice is less than an octave."""
    jobs = make_day(3, SMALL)
    calm, lossy = (played(jobs, Fleet(workers=2, spot_life_s=life, warned=0.0)) for life in (math.inf, 1200))

    assert (calm.losses, lossy.losses > 20) == (0, True)
    ended = [np.mean([one.ended_s for one in farm.served.values()]) for farm in (calm, lossy)]
    assert ended[0] < ended[1]
    redone = [one for one in lossy.served.values() if one.attempts > 1]
    octaves_s = sum((one.attempts - 1) * one.job.true_work_s / one.job.octaves / 10 for one in redone)
    switches_s = 3 * sum(one.attempts for one in lossy.served.values())
    assert redone
    assert lossy.busy_s - calm.busy_s <= octaves_s + switches_s


def test_a_warned_worker_loses_no_work():
    """It hands its job back at its next step: all that was rendered stays."""
    jobs = make_day(3, SMALL)
    farm = played(jobs, Fleet(workers=3, switch_s=0, spot_life_s=1200, warned=1.0))

    assert sum(one.attempts > 1 for one in farm.served.values()) > 0
    assert farm.busy_s == pytest.approx(sum(job.true_work_s for job in jobs) / farm.fleet.speed)


def test_who_has_little_does_not_wait_for_who_has_much():
    """One picture beside a batch of a thousand begins after one job, and not after the batch."""
    batch = [Job(number, "studio", 0.0, 100.0, 100.0, bulk=True) for number in range(1000)]
    single = Job(1000, "ada", 50.0, 100.0, 100.0)
    farm = played([*batch, single], Fleet(workers=1))

    assert farm.served[1000].wait_s <= 2 * 100.0 / farm.fleet.speed


def test_the_same_seed_gives_the_same_day():
    """Every run can be repeated."""
    assert make_day(7, SMALL) == make_day(7, SMALL)
    assert make_day(7, SMALL) != make_day(8, SMALL)


def test_numbers_come_from_the_scripts_of_the_farm():
    """What the dispatcher goes by is read where it stands, and a name that is gone is an error."""
    assert MOST_BEHIND_S == 600
    with pytest.raises(LookupError, match=r"claim\.lua sets no NOTHING"):
        number_in("claim", "NOTHING")


def scaled(backlogs_s, rules, *, workers=0):
    """Return how many workers there are after each look."""
    scaler, counts = Autoscaler(rules), []
    for look, backlog_s in enumerate(backlogs_s):
        workers = scaler.wanted(look * SYNC_S, backlog_s, workers)
        counts.append(workers)
    return counts


def test_the_autoscaler_grows_at_once_and_shrinks_slowly():
    """Up by the formula; down after ten quiet minutes, by a tenth of the workers a minute."""
    rules = KedaRules(target_s=100, most=50)
    counts = scaled([4000] * 4 + [500] * 200, rules)

    assert counts[:5] == [40] * 5
    first = next(look for look, count in enumerate(counts) if count < 40)
    assert first * SYNC_S >= 600
    assert counts[first : first + 9 : 4] == [36, 33, 30]
    assert counts[-1] == 5


def test_the_autoscaler_keeps_to_its_bounds():
    """Never above `most`, never below `least`, and no worker comes or goes within the tolerance."""
    assert scaled([10**6] * 3, KedaRules(target_s=100, most=7)) == [7] * 3
    assert scaled([0] * 500, KedaRules(least=2), workers=9)[-1] == 2
    assert scaled([1050, 950] * 100, KedaRules(target_s=100), workers=10) == [10] * 200


def test_the_last_worker_goes_after_the_cooldown():
    """As KEDA does: to none once there was no work for the whole cooldown, and not while there is any."""
    rules = KedaRules(target_s=100, cooldown_s=300, stabilise_s=60)

    assert scaled([1] * 100, rules)[-1] == 1
    counts = scaled([1] + [0] * 100, rules)
    assert counts.index(0) * SYNC_S >= 300
