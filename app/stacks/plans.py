"""A change set in plain words: what will be added, changed, replaced or removed, and which values make it so."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.cloudformation.stateful import holds_data

# Worst first: the order a person reads a plan in.
KINDS = ("replace", "remove", "may_replace", "modify", "add", "import")


def describe(changes: Sequence[Mapping[str, Any]], properties: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return the changes worst first, each with kind, words and the properties that differ.

    `changes` are CloudFormation's ResourceChange documents; `properties` maps logical ids to property changes worked
    out from the two templates, since a change set names the property but not always its values.
    """
    described = [_describe(change, properties.get(change["LogicalResourceId"], ())) for change in changes]
    return sorted(described, key=lambda change: (KINDS.index(change["kind"]), not change["holds_data"]))


def _describe(change: Mapping[str, Any], properties: Sequence[Any]) -> dict[str, Any]:
    kind = _kind(change)
    stateful = holds_data(change["ResourceType"])
    deciding = _deciding(change)
    return {
        "kind": kind,
        "logical_id": change["LogicalResourceId"],
        "physical_id": change.get("PhysicalResourceId", ""),
        "type": change["ResourceType"],
        "holds_data": stateful,
        "sentence": _sentence(kind, stateful),
        "properties": [
            {
                "path": item.path,
                "before": item.before,
                "after": item.after,
                "note": "decides the replacement" if item.path.split(".")[0] in deciding else "",
            }
            for item in properties
        ]
        or _named_only(change),
    }


def _kind(change: Mapping[str, Any]) -> str:
    action = change["Action"]
    if action == "Modify":
        replacement = str(change.get("Replacement", "False"))
        return {"True": "replace", "Conditional": "may_replace"}.get(replacement, "modify")
    return {"Add": "add", "Remove": "remove", "Import": "import", "Dynamic": "may_replace"}.get(action, "modify")


def _deciding(change: Mapping[str, Any]) -> set[str]:
    targets = [detail.get("Target", {}) for detail in change.get("Details", [])]
    return {target.get("Name", "") for target in targets if target.get("RequiresRecreation", "Never") != "Never"}


def _named_only(change: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Where the templates tell no values (a macro, a nested value), name what CloudFormation says is touched."""
    named = []
    for detail in change.get("Details", []):
        target = detail.get("Target", {})
        if name := target.get("Name"):
            named.append({"path": name, "before": "", "after": "known after it runs", "note": ""})
    return named


def _sentence(kind: str, stateful: bool) -> str:
    match kind, stateful:
        case "replace", True:
            return "Will be replaced by a new, empty one. What the old one holds does not move by itself."
        case "replace", False:
            return "Will be replaced by a new one; its id changes."
        case "may_replace", True:
            return "May be replaced by a new, empty one; that is known only while it runs."
        case "may_replace", False:
            return "May be replaced; that is known only while it runs."
        case "remove", True:
            return "Will be removed, with what it holds unless its deletion policy keeps it."
        case "remove", False:
            return "Will be removed."
        case "add", _:
            return "Will be created."
        case "import", _:
            return "Will be taken over as it is."
    return "Changes in place."


def loses_data(changes: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether something that holds data would be replaced or removed."""
    return any(change["holds_data"] and change["kind"] in ("replace", "remove") for change in changes)


def digest(version_digest: str, answers: Mapping[str, str], change_set_id: str, changes: Sequence[Any]) -> str:
    """Return the SHA-256 (hex) over template, answers, change set and changes: what a yes is bound to."""
    document = [version_digest, dict(answers), change_set_id, list(changes)]
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
