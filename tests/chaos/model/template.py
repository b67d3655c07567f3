"""As much of a template as the model needs: which resources and outputs it names, and what two of them differ in."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

_TYPE = re.compile(r"\bType[\"']?:\s*[\"']?([\w:.-]+)")


@dataclass(frozen=True, slots=True)
class Outline:
    """Types and texts by logical id, and the names of the outputs, in the template's order."""

    types: dict[str, str]
    texts: dict[str, str]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What a change set does to one resource: Add, Modify or Remove."""

    action: str
    logical_id: str
    type: str


@lru_cache(maxsize=1024)
def outline(body: str) -> Outline:
    """Read a template. JSON is parsed; of YAML the lines of two sections are read, which is a hundred times quicker."""
    if body.lstrip().startswith("{"):
        parsed = json.loads(body)
        texts = {name: json.dumps(value) for name, value in parsed.get("Resources", {}).items()}
        return Outline(_types(texts), texts, tuple(parsed.get("Outputs", ())))
    sections = _sections(body)
    return Outline(_types(sections["Resources"]), sections["Resources"], tuple(sections["Outputs"]))


def _types(texts: Mapping[str, str]) -> dict[str, str]:
    found = {name: _TYPE.search(text) for name, text in texts.items()}
    return {name: match.group(1) if match else "" for name, match in found.items()}


def _sections(body: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {"Resources": {}, "Outputs": {}}
    section, step, name = "", 0, ""
    for line in body.splitlines():
        words = line.strip()
        indent = len(line) - len(line.lstrip())
        if not words or words.startswith("#"):
            continue
        if indent == 0:
            section, step = words.split(":")[0], 0
        elif section in found:
            step = step or indent
            if indent == step:
                name = words.split(":")[0].strip("\"'")
            found[section][name] = found[section].get(name, "") + line + "\n"
    return found


def changes(
    old: Outline, new: Outline, changed_parameters: set[str], are_tags_changed: bool = False
) -> tuple[Change, ...]:
    """Return what turns one into the other. Changed tags touch every resource, a parameter those that name it."""
    kept = [name for name in new.types if name in old.types]
    modified = [
        name
        for name in kept
        if are_tags_changed
        or old.texts[name] != new.texts[name]
        or any(parameter in new.texts[name] for parameter in changed_parameters)
    ]
    return (
        *(Change("Add", name, new.types[name]) for name in new.types if name not in old.types),
        *(Change("Modify", name, new.types[name]) for name in modified),
        *(Change("Remove", name, old.types[name]) for name in old.types if name not in new.types),
    )


NOTHING = Outline({}, {}, ())
