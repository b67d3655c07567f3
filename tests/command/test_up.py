"""`./slipway up`: ready, looked at from outside, refused where it cannot work."""

import json
import stat
import urllib.request

import pytest

from tests.support.installation import Up


def get(up: Up, path: str) -> tuple[int, str]:
    with urllib.request.urlopen(up.url + path, timeout=10) as answer:
        return answer.status, answer.read().decode()


def test_it_says_where_it_is_and_who_can_sign_in(running):
    assert running.lines[0] == f"Slipway is ready: http://localhost:{running.port}"
    assert "dana" in running.lines[1]
    assert "the password is the name" in running.lines[1]


def test_everything_answers_once_it_is_ready(running):
    status, body = get(running, "/readyz")
    assert (status, json.loads(body)) == (
        200,
        dict.fromkeys(("database", "schema", "broker", "worker", "jobs"), "ok") | {"status": "ready"},
    )
    assert get(running, "/sign-in")[0] == 200
    assert set(running.children()) == {"web", "worker", "cloud", "idp"}


def test_the_numbers_cover_every_web_process(running):
    for _ in range(20):
        get(running, "/healthz")
    counted = [line for line in get(running, "/metrics")[1].splitlines() if 'route="/healthz"' in line]
    total = next(line for line in counted if line.startswith("slipway_requests_total"))
    assert float(total.split()[-1]) == 20


def test_the_provider_and_the_portal_agree_on_the_issuer(running):
    ports = json.loads((running.data / "ports.json").read_text())
    address = f"http://localhost:{ports['idp']}/.well-known/openid-configuration"
    with urllib.request.urlopen(address, timeout=10) as answer:
        assert json.load(answer)["issuer"] == f"http://localhost:{ports['idp']}"


def test_secrets_are_for_their_owner_only(running):
    assert stat.S_IMODE((running.data / "secrets.json").stat().st_mode) == 0o600


def test_a_second_up_on_the_same_data_is_refused(running, slipway):
    answer = slipway("up", "--data", running.data, "--port", running.port + 1000)
    assert answer.returncode == 1
    assert answer.stderr == (
        f"slipway: Slipway is running on {running.data} (process {running.popen.pid}); "
        "stop it with Ctrl-C to start another.\n"
    )


def test_a_port_in_use_is_named(running, slipway, tmp_path):
    answer = slipway("up", "--data", tmp_path, "--port", running.port)
    assert answer.returncode == 1
    assert answer.stderr == (
        f"slipway: Port {running.port} is in use by another program. Choose another with --port.\n"
    )


def test_a_demo_in_use_is_not_reset(running, slipway):
    answer = slipway("demo", "reset", "--data", running.data)
    assert answer.returncode == 1
    assert "stop it with Ctrl-C to reset it" in answer.stderr
    assert (running.data / "slipway.db").exists()


def test_cloud_prints_lines_a_shell_can_take(running, slipway):
    lines = slipway("cloud", "--data", running.data).stdout.splitlines()
    assert all(line.startswith("export AWS_") for line in lines)
    told = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    assert told["AWS_ACCESS_KEY_ID"] == "111122223333"
    with urllib.request.urlopen(told["AWS_ENDPOINT_URL"] + "/_slipway/ready", timeout=10) as answer:
        assert answer.status == 200


def test_token_prints_the_token_and_nothing_else(running, slipway):
    answer = slipway("token", "create", "--person", "dana", "--name", "laptop", env={"SLIPWAY_DATA": str(running.data)})
    assert answer.stdout.startswith("slw_")
    assert len(answer.stdout.splitlines()) == 1
    assert answer.stderr == ""


def test_a_token_for_nobody_is_refused(running, slipway):
    answer = slipway("token", "create", "--person", "nobody", "--name", "laptop", "--data", running.data)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("Nobody is called nobody.")


@pytest.mark.parametrize("words", [("cloud",), ("token", "create", "--person", "dana", "--name", "laptop")])
def test_commands_about_an_installation_need_one(words, slipway, tmp_path):
    answer = slipway(*words, "--data", tmp_path)
    assert answer.returncode == 1
    assert answer.stderr == f"slipway: There is no Slipway in {tmp_path} yet. Start one with: ./slipway up\n"
