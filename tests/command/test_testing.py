"""`./slipway test` and `check`: plain results at the end, and an exit code that says the same."""

import pytest

SAMPLE = """
import pytest

def test_passes(): pass
def test_fails(): assert 1 == 2
@pytest.mark.skip(reason="shown as skipped")
def test_skipped(): pass
@pytest.fixture
def broken(): raise ValueError
def test_errs(broken): pass
"""


def run(slipway, tmp_path, *words):
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    return slipway("test", tmp_path / "test_sample.py", "-p", "no:cacheprovider", *words)


def test_the_last_line_counts(slipway, tmp_path):
    answer = run(slipway, tmp_path)
    assert answer.stdout.splitlines()[-1] == "1 passed, 2 failed, 1 skipped"
    assert answer.returncode == 1


def test_success_is_the_exit_code_too(slipway, tmp_path):
    answer = run(slipway, tmp_path, "-k", "passes")
    assert answer.stdout.splitlines()[-1] == "1 passed, 0 failed"
    assert answer.returncode == 0


@pytest.mark.parametrize("words", [("-k", "nothing_is_called_this"), ("--no-such-option",)])
def test_a_run_that_tests_nothing_has_failed(slipway, tmp_path, words):
    answer = run(slipway, tmp_path, *words)
    assert answer.stdout.splitlines()[-1] == "0 passed, 1 failed"
    assert answer.returncode != 0


def test_every_check_runs_and_one_that_fails_decides(venvs, monkeypatch, capsys, tmp_path):
    from command import check

    monkeypatch.setenv("SLIPWAY_VENVS", str(venvs))
    checks = {"first": ["-c", "raise SystemExit('it is not so')"], "second": ["-c", "pass"]}
    monkeypatch.setattr(check, "_checks", lambda: checks)
    assert check.check([], tmp_path) == 1
    assert capsys.readouterr().out == "first: failed\n    it is not so\nsecond: ok\n"
