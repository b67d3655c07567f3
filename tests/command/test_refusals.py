"""One clear sentence for whatever is in the way."""

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import free_port

ENOSPC = "The disk is full"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes, where this user may make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], capture_output=True)
    yield disk
    if mount.returncode == 0:
        subprocess.run(["umount", disk], check=True)


def test_a_full_disk_is_named(small_disk, slipway, monkeypatch, capsys):
    if os.path.ismount(small_disk):
        answer = slipway("up", "--data", small_disk / "data", "--port", free_port())
        code, said = answer.returncode, answer.stderr
    else:
        # Making a disk takes rights this user lacks, so the measuring stands in for it.
        from command import main, up

        usage = type("Usage", (), {"free": 4_000_000})
        monkeypatch.setattr(up.shutil, "disk_usage", lambda path: usage)
        code, said = main.main(["up", "--data", str(small_disk / "data")]), capsys.readouterr().err
    assert code == 1
    assert said.startswith(f"slipway: The disk of {small_disk}/data is full: ")
    assert said.endswith("Make room and run the same command again.\n")


def test_a_disk_that_fills_up_on_the_way_is_one_sentence_too():
    from command.problems import sentence_of

    full = OSError(errno.ENOSPC, "No space left on device", "/data/ports.new")
    assert sentence_of(full) == "The disk is full (/data/ports.new). Make room and run the same command again."


def test_a_data_directory_that_cannot_be_made_is_one_sentence(slipway, tmp_path):
    (tmp_path / "file").write_text("")
    answer = slipway("up", "--data", tmp_path / "file" / "data")
    assert answer.returncode == 1
    assert answer.stderr.startswith("slipway: The machine refused")
    assert "Not a directory" in answer.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["launch"], "There is no command launch. ./slipway --help lists them."),
        (["up", "--port", "http"], "Argument --port: http is no port; choose a number from 1 to 65533."),
        (["up", "--pace", "-1"], "Argument --pace: -1 is no pace; give seconds, 0 or more."),
        (["up", "now"], "Unrecognized arguments: now."),
        (["demo"], "The command is: ./slipway demo reset"),
        (["check", "fast"], "./slipway check takes no fast."),
        (["cloud", "aws"], "./slipway cloud takes no aws."),
    ],
)
def test_words_it_does_not_know(slipway, words, sentence):
    answer = slipway(*words)
    assert (answer.returncode, answer.stderr) == (2, f"slipway: {sentence}\n")


@pytest.mark.parametrize("words", [[], ["--help"], ["help"]])
def test_help_lists_the_commands(slipway, words):
    answer = slipway(*words)
    assert answer.returncode == 0
    for name in ("up", "test", "check", "bench", "token create", "cloud", "demo reset"):
        assert f"./slipway {name}" in answer.stdout
