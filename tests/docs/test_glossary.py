"""The glossary's tables hold exactly the states there are, with the meaning the code gives them."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from app.catalog.models import VersionStatus
from app.identity.models import Role
from app.jobs.lifecycle import JobStatus, StepStatus
from app.stacks.lifecycle import IN_TROUBLE, MEANINGS, MOVING, StackStatus

GLOSSARY = (Path(__file__).resolve().parents[2] / "docs" / "glossary.md").read_text()


def section(heading: str) -> str:
    return GLOSSARY.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def rows(heading: str) -> list[list[str]]:
    """The cells of a section's tables, without heads."""
    lines = re.findall(r"^\|(.*)\|$", section(heading), re.MULTILINE)
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    return [row for row, before in zip(cells[2:], cells[1:], strict=False) if not set(row[0]) <= {"-"} and before]


def words(cells: Iterable[str]) -> list[str]:
    return [word for cell in cells for word in re.findall(r"`(\w+)`", cell)]


@pytest.mark.parametrize(
    ("heading", "statuses"),
    [("Status of a stack", StackStatus), ("Status of a job", JobStatus), ("Status of a version", VersionStatus)],
)
def test_every_status_has_its_row_and_every_row_its_status(heading, statuses):
    assert sorted(words(row[0] for row in rows(heading))) == sorted(statuses)


def test_every_row_says_what_the_status_means():
    for heading in ("Status of a stack", "Status of a job"):
        assert all(row[1] for row in rows(heading))


def test_every_step_status_is_named():
    assert {f"`{status}`" for status in StepStatus} <= set(re.findall(r"`\w+`", section("Status of a job")))


def test_trouble_and_moving_are_what_lists_call_so():
    trouble, moving = re.search(
        r"\*In trouble\* are (.*?)\. \*Moving\* are\s(.*?)\.", section("Status of a stack"), re.S
    ).groups()
    assert words([trouble]) == list(IN_TROUBLE)
    assert words([moving]) == list(MOVING)


def test_every_role_is_explained():
    explained = " ".join(row[0] for row in rows("Who may do what"))
    assert all(role in explained for role in Role)


def test_the_cloudformation_table_is_the_one_in_the_code():
    told = {words([row[0]])[0]: tuple(row[1:]) for row in rows("What CloudFormation's statuses mean here")}
    assert told == {
        name: (meaning.status, "yes" if meaning.moves else "no", meaning.next_action)
        for name, meaning in MEANINGS.items()
    }
