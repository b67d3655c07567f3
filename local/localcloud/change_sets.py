"""Change sets as CloudFormation makes them, where MiniStack lists more changes than there are."""

from collections.abc import Iterable
from typing import Any

from ministack.services.cloudformation import changesets, engine

from localcloud.template_rules import Template, evaluate_conditions

_resolve_props_for_diff = changesets._resolve_props_for_diff
_diff_resources = changesets._diff_resources


def correct_change_sets() -> None:
    """Put the corrections of this module in place."""
    changesets._resolve_props_for_diff = resolve_active_resources
    changesets._diff_resources = diff_resources


def resolve_active_resources(template: Template, params: dict[str, Any], stack_name: str, stack_id: str) -> Template:
    """Leave resources whose condition is false out of a change set; MiniStack listed them as added."""
    resolved = _resolve_props_for_diff(template, params, stack_name, stack_id)
    if not resolved:
        return resolved
    conditions = evaluate_conditions(template, params)
    active = {
        logical_id: resource
        for logical_id, resource in resolved["Resources"].items()
        if conditions.get(resource.get("Condition"), True)
    }
    return {**resolved, "Resources": active}


def diff_resources(
    old: Template,
    new: Template,
    resources: dict[str, Any] | None = None,
    template: Template | None = None,
    changed_params: Iterable[str] = (),
    *rest: Any,
) -> list[dict[str, Any]]:
    """Count a parameter as changed only where a property that speaks of it has another value. MiniStack replaced a
    resource when a literal was written as a new parameter of equal value."""
    raw = (template or new).get("Resources", {})
    heard = {name for key in raw for name in _named_where_changed(key, raw[key], old, new)}
    found: list[dict[str, Any]] = _diff_resources(
        old, new, resources, template, [name for name in changed_params if name in heard], *rest
    )
    return found


def _named_where_changed(key: str, raw: dict[str, Any], old: Template, new: Template) -> set[str]:
    """What the changed properties of one resource speak of."""
    before = _properties(old, key)
    after = _properties(new, key)
    changed = [value for name, value in (raw.get("Properties") or {}).items() if before.get(name) != after.get(name)]
    return {name for name, _ in engine._intrinsic_references(changed)}


def _properties(template: Template, key: str) -> dict[str, Any]:
    return template.get("Resources", {}).get(key, {}).get("Properties") or {}
