"""Chores of which one worker at a time has each."""

import threading
import time

from sqlalchemy import select, update

from app import db
from app.jobs import duties
from app.jobs.chores import Chore, Rota, Shift
from app.jobs.engine import Worker
from app.jobs.models import EPOCH, Duty
from app.jobs.worker import DEAF_SECONDS, Loop


def a_rota(app, name="one", done=None):
    return Rota(app, Shift(Worker(name, 30), lambda: None), threading.Event())


def test_one_of_many_gets_a_duty_even_the_first_time(app):
    gate, got = threading.Barrier(8), []

    def take(number):
        with app.app_context():
            gate.wait()
            got.append(duties.take("sweep", f"worker {number}", 30))

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([held for held in got if held is not None]) == 1


def test_a_duty_is_kept_by_its_owner_and_taken_over_when_the_lease_is_over(app):
    assert duties.take("sweep", "one", 30).fence == 1
    assert duties.take("sweep", "one", 30).fence == 2
    assert duties.take("sweep", "two", 30) is None
    db.session.execute(update(Duty).values(lease_until=EPOCH))
    db.session.commit()
    assert duties.take("sweep", "two", 30).fence == 3


def test_who_lost_a_duty_cannot_give_it_back(app):
    lost = duties.take("sweep", "one", -1)
    kept = duties.take("sweep", "two", 30)
    duties.give_back(lost, 3600)
    assert db.session.scalar(select(Duty.lease_owner)) == "two"
    duties.give_back(kept, 3600)
    assert duties.take("sweep", "one", 30) is None


def test_a_worker_that_ends_leaves_its_duties_to_others(app):
    duties.take("sweep", "one", 30)
    duties.leave("one")
    assert duties.take("sweep", "two", 30) is not None


def test_a_chore_is_done_by_one_worker_in_its_time_and_a_shared_one_by_each(app):
    done = []
    alone = Chore("sweep", lambda shift: done.append(shift.worker.name), 60)
    shared = Chore("look", lambda shift: done.append(shift.worker.name), 60, is_shared=True)
    for name in ("one", "two", "one"):
        a_rota(app, name).do(alone)
    assert done == ["one"]
    for name in ("one", "two"):
        a_rota(app, name).do(shared)
    assert done == ["one", "one", "two"]


def test_a_chore_that_broke_is_done_again(app, caplog):
    tries = []

    def sweep(shift):
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("dust")

    stopping = threading.Event()
    app.extensions["chores"] = [Chore("sweep", sweep, 0.02, is_shared=True)]
    Rota(app, Shift(Worker("one", 30), lambda: None), stopping).start()
    until = time.monotonic() + 5
    while len(tries) < 3 and time.monotonic() < until:
        time.sleep(0.01)
    stopping.set()
    assert len(tries) >= 3
    assert "chore_failed" in caplog.text


def test_a_worker_whose_search_for_jobs_hangs_is_of_no_use(app):
    loop = Loop(app, app.extensions["worker"])
    assert not loop.is_deaf()
    loop.polled_at = time.monotonic() - DEAF_SECONDS - 1
    assert loop.is_deaf()
