"""What reaches the log, and what must not."""

import json

import structlog

from app import logs


def test_a_traceback_shows_where_and_why_but_no_variables(capsys):
    logs.configure("INFO", "json")
    password = "open sesame, said the fixture"
    try:
        raise ValueError(f"a password of {len(password)} letters is not enough")
    except ValueError:
        structlog.get_logger("slipway").exception("sign_in_broke")
    printed = capsys.readouterr().out
    entry = json.loads(printed.splitlines()[-1])
    assert entry["event"] == "sign_in_broke"
    assert entry["exception"][0]["exc_value"].endswith("letters is not enough")
    assert password not in printed
