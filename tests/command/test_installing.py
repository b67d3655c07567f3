"""What the command does before anything is installed, in a copy whose environments hold next to nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PREPARE = "import sys; sys.path.insert(0, 'local'); from command import venvs; venvs.prepare(['portal'])"
ABSENT = f"slipway-never-published==1.0 --hash=sha256:{'0' * 64}\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The command alone, with requirements that ask for nothing."""
    shutil.copytree(ROOT / "local" / "command", tmp_path / "local" / "command")
    shutil.copy(ROOT / "slipway", tmp_path)
    for name in (
        "requirements.txt",
        "requirements-test.txt",
        "local/cloud-requirements.txt",
        "local/idp-requirements.txt",
    ):
        (tmp_path / name).write_text("# nothing\n")
    return tmp_path


def run(checkout: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SLIPWAY_")}
    return subprocess.run([sys.executable, *words], cwd=checkout, env=kept | env, capture_output=True, text=True)


def test_an_environment_is_made_once_and_again_when_its_requirements_change(checkout):
    stamp = checkout / "var/venvs/portal/slipway-stamp"
    assert "Installed the portal's packages" in run(checkout, "-c", PREPARE).stderr
    assert run(checkout, "-c", PREPARE).stderr == ""
    (checkout / "requirements.txt").write_text("# nothing, differently\n")
    assert "Installed" in run(checkout, "-c", PREPARE).stderr
    # As after an installation that was interrupted.
    stamp.unlink()
    assert "Installed" in run(checkout, "-c", PREPARE).stderr


def test_a_package_without_a_build_is_named_in_a_sentence(checkout):
    (checkout / "local/cloud-requirements.txt").write_text(ABSENT)
    answer = run(checkout, "slipway", "bench", PIP_NO_INDEX="1")
    assert answer.returncode == 1
    sentence = answer.stderr.split("slipway: ")[1]
    assert sentence.startswith(
        "The local cloud's packages could not be installed: there is no ready-made build of "
        "slipway-never-published==1.0 for this machine and this Python. The whole story is in "
    )
    assert "Traceback" not in answer.stderr


def test_a_machine_without_network_is_told_so(checkout):
    (checkout / "requirements-test.txt").write_text(ABSENT)
    answer = run(checkout, "slipway", "check", PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="1")
    assert answer.returncode == 1
    assert "The tests' packages could not be installed: the package index does not answer. Check" in answer.stderr


def test_a_python_that_cannot_make_environments_names_the_package_to_install(checkout):
    # As on Debian without python3-venv: the module is not there.
    hide = "import sys; sys.modules['ensurepip'] = None; sys.argv = ['slipway', 'check']; "
    answer = run(checkout, "-c", hide + "import runpy; runpy.run_path('slipway', run_name='__main__')")
    assert answer.returncode == 1
    assert answer.stderr.startswith("slipway: This Python cannot make virtual environments. On Debian")
    assert "apt-get install python3-venv" in answer.stderr


def test_an_old_python_is_told_so(checkout):
    old = "import runpy, sys; runpy.run_path('slipway')['check_python']((3, 10, 4))"
    answer = run(checkout, "-c", old)
    assert answer.returncode == 1
    assert answer.stderr == f"Slipway needs Python 3.11 or newer; this is Python 3.10 ({sys.executable}).\n"


def test_the_executable_is_understood_by_every_python_3():
    # The oldest grammar this Python can still check: nothing newer may hide the sentence behind a syntax error.
    import ast

    ast.parse((ROOT / "slipway").read_text(), feature_version=(3, 4))
