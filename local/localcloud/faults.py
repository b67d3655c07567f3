"""Fault rules: which resource fails, and with which words.

The file is a list of rules, in YAML or JSON, read again whenever it changes:

    - {type: "AWS::SQS::Queue", logical_id: Orders, operation: create, reason: "Queue limit reached", times: 1}
    - {type: "AWS::RDS::*", stack: "payments-*", seconds: 20}

`type`, `logical_id` and `stack` are patterns with `*`; what is left out matches everything. A rule with a `reason`
fails the resource, one with `seconds` slows it down, and either may do both. `times` ends a rule after that many
uses. `operation` is create (unless said otherwise), update, delete or rollback, the last meaning the way back of an
update.
"""

import fnmatch
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

log = logging.getLogger("slipway.local")
FIELDS = {"type", "logical_id", "stack", "operation", "reason", "seconds", "times"}
OPERATIONS = ("create", "update", "delete", "rollback")


@dataclass
class Rule:
    """One rule and how often it may still be used (None: always)."""

    type: str = "*"
    logical_id: str = "*"
    stack: str = "*"
    operation: str = "create"
    reason: str = ""
    seconds: float = 0.0
    times: int | None = None

    def matches(self, operation: str, type_name: str, logical_id: str, stack_name: str) -> bool:
        """Whether the rule speaks about this resource and has uses left."""
        wanted = ((self.type, type_name), (self.logical_id, logical_id), (self.stack, stack_name))
        fits = all(fnmatch.fnmatchcase(value, pattern) for pattern, value in wanted)
        return fits and self.operation == operation and self.times != 0


class Faults:
    """The rules of one file, as they are now."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rules: list[Rule] = []
        self._seen: tuple[int, int] | None = None

    def take(self, operation: str, type_name: str, logical_id: str, stack_name: str) -> Rule | None:
        """The first rule for this resource, one use of it spent; None when the resource is left alone."""
        self._read_if_changed()
        for rule in self.rules:
            if rule.matches(operation, type_name, logical_id, stack_name):
                if rule.times is not None:
                    rule.times -= 1
                return rule
        return None

    def _read_if_changed(self) -> None:
        try:
            stat = self.path.stat()
            now = (stat.st_mtime_ns, stat.st_size)
        except FileNotFoundError:
            now, self.rules = None, []
        if now and now != self._seen:
            self._read()
        self._seen = now

    def _read(self) -> None:
        # A file with a mistake, or one caught half-written, must not stop the cloud: the rules before it stay.
        try:
            self.rules = parse_rules(self.path.read_text())
        except (ValueError, yaml.YAMLError, OSError) as problem:
            log.error("%s is not used: %s", self.path, problem)


def parse_rules(text: str) -> list[Rule]:
    """The rules in the text. Raises ValueError with a sentence naming the rule and the field."""
    entries = yaml.safe_load(text) or []
    if not isinstance(entries, list):
        raise ValueError("fault rules are a list, one rule an item.")
    return [_parse_rule(number, entry) for number, entry in enumerate(entries, 1)]


def _parse_rule(number: int, entry: Any) -> Rule:
    if not isinstance(entry, dict):
        raise ValueError(f"rule {number} is not a mapping of fields.")
    if unknown := sorted(map(str, entry.keys() - FIELDS)):
        raise ValueError(f"rule {number} has a field {unknown[0]}, which is none of {', '.join(sorted(FIELDS))}.")
    if entry.get("operation", "create") not in OPERATIONS:
        raise ValueError(f"rule {number}: operation is one of {', '.join(OPERATIONS)}.")
    if not entry.get("reason") and not entry.get("seconds"):
        raise ValueError(f"rule {number} has neither a reason to fail with nor seconds to wait.")
    for name, kind in (("seconds", int | float), ("times", int)):
        if name in entry and not isinstance(entry[name], kind):
            raise ValueError(f"rule {number}: {name} is a number.")
    return Rule(**{"reason": "", **entry})
