"""Every line a worker writes about a job names the job, the fence and the request the job came from."""

from app.jobs.flows import Done
from app.jobs.run import LeaseLost
from tests.support.logged import lines_as_json

REQUEST = "f00dfacef00dface"


def test_each_attempt_is_told_apart(rehearse, work, capsys):
    def stumble(run):
        if run.attempt == 1:
            raise RuntimeError("the step of this test breaks once")
        return Done()

    job = rehearse(only=stumble)
    job.request_id = REQUEST
    with lines_as_json(capsys) as lines:
        work.once(job)
        work.expire(job)
        work.once(job)
        said = [(line["event"], line["job"], line["job_id"], line["fence"], line["request_id"]) for line in lines()]
    assert said == [("step_broke", job.ref, job.id, 1, REQUEST), ("job_ended", job.ref, job.id, 2, REQUEST)]


def test_a_lost_lease_is_too(rehearse, work, capsys):
    def lose(run):
        raise LeaseLost("as another worker would have it")

    job = rehearse(only=lose)
    job.request_id = REQUEST
    with lines_as_json(capsys) as lines:
        work.once(job)
        [line] = lines()
    assert (line["event"], line["job"], line["fence"], line["request_id"]) == ("lease_lost", job.ref, 1, REQUEST)


def test_one_jobs_words_do_not_stay_for_the_next(rehearse, work, capsys):
    first, second = rehearse(only=lambda run: Done()), rehearse(only=lambda run: Done())
    first.request_id = REQUEST
    with lines_as_json(capsys) as lines:
        work(first)
        work(second)
        assert [line.get("request_id") for line in lines()] == [REQUEST, None]
