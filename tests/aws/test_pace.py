"""The pace of an account: under a clock of the test's own, and once between real threads."""

import contextlib
import threading
import time
from collections import Counter

import pytest

from app.aws.errors import Throttled
from app.aws.pace import DEAF_SECONDS, LONGEST_WAIT, RECOVERY_SECONDS, Pace, Paces


class Clock:
    """Time that passes only when told to; `slept` holds every wait in the order it was begun."""

    def __init__(self):
        self.now, self.slept = 1000.0, []

    def pace(self, per_second):
        return Pace(per_second, lambda: self.now, self.slept.append)


@pytest.fixture
def clock():
    return Clock()


def turns(clock, pace):
    """When everybody who asks at this moment gets a turn, until somebody is sent away."""
    clock.slept.clear()
    taken = 0
    with contextlib.suppress(Throttled):
        while True:
            pace.take()
            taken += 1
    return [0.0] * (taken - len(clock.slept)) + clock.slept


def test_a_second_sees_at_most_twice_the_rate(clock):
    given = turns(clock, clock.pace(20))
    assert given == sorted(given)
    assert max(sum(start <= turn < start + 1 for turn in given) for start in given) <= 40
    assert len(given) == 20 + 20 * LONGEST_WAIT


def test_turns_come_one_after_another_once_the_savings_are_spent(clock):
    waits = [wait for wait in turns(clock, clock.pace(10)) if wait]
    assert waits == pytest.approx([number / 10 for number in range(1, len(waits) + 1)])


def test_who_is_sent_away_takes_nobodys_turn(clock):
    pace = clock.pace(10)
    turns(clock, pace)
    for _ in range(5):
        with pytest.raises(Throttled):
            pace.take()
    clock.now += 0.1
    pace.take()
    assert clock.slept[-1] == pytest.approx(LONGEST_WAIT)


def test_what_is_saved_is_one_seconds_worth_however_long_nobody_asked(clock):
    pace = clock.pace(20)
    clock.now += 3600
    assert turns(clock, pace).count(0.0) == 20


def test_a_slow_account_still_gets_a_call_through(clock):
    pace = clock.pace(0.5)
    pace.take()
    assert clock.slept == []
    pace.take()
    assert clock.slept == [2.0]


def test_a_complaint_halves_the_rate_and_spends_what_was_saved(clock):
    pace = clock.pace(20)
    pace.slow_down()
    assert pace.rate == 10
    pace.take()
    assert clock.slept == [pytest.approx(0.1)]


def test_complaints_of_one_moment_are_one(clock):
    pace = clock.pace(20)
    for _ in range(30):
        pace.slow_down()
    assert pace.rate == 10
    clock.now += DEAF_SECONDS
    pace.slow_down()
    assert 5 <= pace.rate < 5.2


def test_the_rate_comes_back_slowly_and_not_further_than_it_was(clock):
    pace = clock.pace(20)
    pace.slow_down()
    clock.now += RECOVERY_SECONDS / 2
    pace.take()
    assert pace.rate == pytest.approx(15)
    clock.now += 10 * RECOVERY_SECONDS
    pace.take()
    assert pace.rate == 20


def test_the_rate_never_falls_to_nothing(clock):
    pace = clock.pace(20)
    for _ in range(50):
        clock.now += DEAF_SECONDS
        pace.slow_down()
    assert pace.rate > 0.5


def test_processes_that_share_an_account_find_what_it_takes(clock):
    """Three processes may ask 20 times a second each, of an account that takes 15 a second of them all."""
    allowance, given, refused = 15.0, Counter(), Counter()
    paces = {name: clock.pace(20) for name in ("one", "two", "three")}
    ready = dict.fromkeys(paces, clock.now)
    for _ in range(180 * 100):
        clock.now += 0.01
        allowance = min(15.0, allowance + 0.15)
        for name, pace in paces.items():
            if clock.now >= ready[name]:
                clock.slept.clear()
                pace.take()
                ready[name] = clock.now + sum(clock.slept)
                if allowance >= 1:
                    allowance -= 1
                    given[name] += 1
                else:
                    refused[name] += 1
                    pace.slow_down()
    assert given.total() > 0.8 * 15 * 180
    assert refused.total() < 0.15 * given.total()
    assert min(given.values()) > 0.5 * max(given.values())


def test_no_thread_is_overtaken():
    pace = Pace(200)
    for _ in range(200):
        pace.take()
    given, done = Counter(), threading.Event()

    def ask(name):
        while not done.is_set():
            pace.take()
            given[name] += 1

    began = time.monotonic()
    threads = [threading.Thread(target=ask, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    done.wait(1)
    done.set()
    for thread in threads:
        thread.join()
    assert given.total() <= 200 * (time.monotonic() - began) + 8
    assert min(given.values()) > 0.5 * max(given.values())


def test_an_account_has_one_pace_in_each_region():
    paces = Paces(20)
    assert paces.of("1", "eu-west-1") is paces.of("1", "eu-west-1")
    assert paces.of("1", "eu-west-1") is not paces.of("1", "eu-central-1")
    assert paces.of("1", "eu-west-1") is not paces.of("2", "eu-west-1")
