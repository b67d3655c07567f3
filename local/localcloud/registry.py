"""Which handler answers for which resource type.

MiniStack implements about 190 types and refuses the rest. Here every published type gets a placeholder; a type that
MiniStack implements keeps its handler, backed by the placeholder where that one answers less than CloudFormation
would. Types that would run code, or wait for a machine that is not there, are placeholders too.
"""

import logging
from collections.abc import Callable
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import engine, provisioners, stacks

from localcloud.placeholders import attributes_for, physical_id_for, placeholder
from localcloud.published_types import PublishedType

log = logging.getLogger("slipway.local")

Handlers = dict[str, Any]
HANDLERS: dict[str, Handlers] = provisioners._RESOURCE_HANDLERS

CUSTOM_RESOURCE = "AWS::CloudFormation::CustomResource"
# A wait condition waits for a signal from a machine that would have to exist.
ALWAYS_PLACEHOLDERS = ("AWS::CloudFormation::WaitCondition", "AWS::CloudFormation::WaitConditionHandle")

# A mistake inside a handler, as opposed to a refusal it means (those are ValueErrors with a reason).
MISTAKES = (AttributeError, IndexError, KeyError, TypeError, UnboundLocalError, NotImplementedError)

# Types that real templates still use and the schemas no longer publish.
UNPUBLISHED = {
    "AWS::CodeStar::GitHubRepository": PublishedType(),
    "AWS::EMR::Cluster": PublishedType(attributes={"MasterPublicDNS": "string"}),
    "AWS::OpsWorks::App": PublishedType(),
    "AWS::OpsWorks::Instance": PublishedType(attributes={"PublicIp": "string", "PrivateIp": "string"}),
    "AWS::OpsWorks::Layer": PublishedType(),
    "AWS::OpsWorks::Stack": PublishedType(),
    "AWS::SDB::Domain": PublishedType(),
}

_property_recreation = provisioners._property_recreation


def register_types(types: dict[str, PublishedType]) -> None:
    """Make every published type answerable. Repeating it would wrap handlers twice, so call it once."""
    known = {**UNPUBLISHED, **types}
    for name in ALWAYS_PLACEHOLDERS:
        HANDLERS.pop(name, None)
    for name, facts in known.items():
        if name in HANDLERS:
            _complete(name, facts, HANDLERS[name])
        else:
            HANDLERS[name] = placeholder(name, facts)
            provisioners._REPLACING_PROPERTIES.setdefault(name, tuple(facts.replacing))
            provisioners._CONDITIONALLY_REPLACING_PROPERTIES.setdefault(name, tuple(facts.maybe_replacing))
    HANDLERS[CUSTOM_RESOURCE] = custom_handlers(CUSTOM_RESOURCE)
    provisioners._custom_resource_create = create_custom
    provisioners._custom_resource_update = update_custom
    provisioners._custom_resource_delete = delete_custom
    stacks._property_recreation = recreation(known)


def _complete(name: str, facts: PublishedType, handlers: Handlers) -> None:
    """Keep MiniStack's handler, add the attributes it leaves out, and stand in where it trips over a template."""
    create, update = handlers["create"], handlers.get("update")

    def completed(physical_id: str, found: dict[str, Any] | None, properties: dict[str, Any]) -> dict[str, Any]:
        return {**attributes_for(name, facts, physical_id, properties), **(found or {})}

    def create_or_stand_in(logical_id: str, properties: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
        try:
            physical_id, found = create(logical_id, properties, stack_name)
        except MISTAKES as mistake:
            log.warning("%s of %s is a placeholder: MiniStack raised %r", logical_id, stack_name, mistake)
            physical_id = physical_id_for(name, facts, logical_id, properties, stack_name)
            found = {}
        return physical_id, completed(physical_id, found, properties)

    def update_or_stand_in(
        physical_id: str, old: dict[str, Any], new: dict[str, Any], *rest: Any
    ) -> tuple[str, dict[str, Any]]:
        assert update is not None
        try:
            now, found = update(physical_id, old, new, *rest)
        except MISTAKES as mistake:
            log.warning("%s is left as it was: MiniStack raised %r", physical_id, mistake)
            now, found = physical_id, {}
        return now, completed(now, found, new)

    handlers["create"] = create_or_stand_in
    if update is not None:
        handlers["update"] = update_or_stand_in
    if "delete" in handlers:
        handlers["delete"] = _delete_whatever_is_there(handlers["delete"])


def _delete_whatever_is_there(delete: Callable[..., Any]) -> Callable[..., None]:
    """Deleting something that never was, or is gone, is success: a stand-in has nothing behind it."""

    def delete_quietly(physical_id: str, properties: dict[str, Any], *rest: Any) -> None:
        try:
            delete(physical_id, properties, *rest)
        except MISTAKES as mistake:
            log.warning("%s counts as deleted: MiniStack raised %r", physical_id, mistake)

    return delete_quietly


def recreation(types: dict[str, PublishedType]) -> Callable[[str, str], str]:
    """How a change set classes a changed property. MiniStack says "Conditionally" for every type without a table
    of its own; the schema knows better."""

    def of(type_name: str, property_name: str) -> str:
        facts = types.get(type_name)
        if facts is None or type_name in provisioners._REPLACING_PROPERTIES:
            return _property_recreation(type_name, property_name)
        if property_name in facts.replacing:
            return "Always"
        return "Conditionally" if property_name in facts.maybe_replacing else "Never"

    return of


# A custom resource's provider is code, which never runs here. It always succeeds, and since nobody can know which
# attributes it would return, it answers the ones its template asks for.


def custom_handlers(type_name: str) -> Handlers:
    """Handlers for the type that carries no name of its own."""
    return {
        "create": lambda logical_id, properties, stack_name: create_custom(
            logical_id, properties, stack_name, type_name
        ),
        "update": lambda physical_id, old, new, stack_name, logical_id=None: update_custom(
            physical_id, old, new, stack_name, logical_id, type_name
        ),
        "update_with_logical_id": True,
        "delete": delete_custom,
    }


def create_custom(
    logical_id: str, properties: dict[str, Any], stack_name: str, resource_type: str = CUSTOM_RESOURCE
) -> tuple[str, dict[str, Any]]:
    """Succeed at once, with an attribute for every GetAtt in the template that names this resource."""
    facts = PublishedType(attributes=dict.fromkeys(_asked_of(stack_name, logical_id), "string"))
    physical_id = physical_id_for(resource_type, facts, logical_id, properties, stack_name)
    return physical_id, attributes_for(resource_type, facts, physical_id, {})


def update_custom(
    physical_id: str,
    _old: dict[str, Any],
    new: dict[str, Any],
    stack_name: str,
    logical_id: str | None = None,
    resource_type: str = CUSTOM_RESOURCE,
) -> tuple[str, dict[str, Any]]:
    """Keep the physical id; the template may ask for other attributes than before."""
    _, attributes = create_custom(logical_id or physical_id, new, stack_name, resource_type)
    return physical_id, attributes


def delete_custom(*_given: Any, **_named: Any) -> None:
    """Nothing stands behind a custom resource."""


def _asked_of(stack_name: str, logical_id: str) -> set[str]:
    stack = cloudformation._stacks.get(stack_name) or {}
    template = stack.get("_deploying") or stack.get("_template") or {}
    sections = [template.get("Resources"), template.get("Outputs")]
    return {attribute for name, attribute in engine._intrinsic_references(sections) if name == logical_id and attribute}
