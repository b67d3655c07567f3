"""Which handler answers for which resource type.

MiniStack implements about 190 types and refuses the rest. Here every published type gets a placeholder; a type that
MiniStack implements keeps its handler, backed by the placeholder where that one answers less than CloudFormation
would. Types that would run code, or wait for a machine that is not there, are placeholders too.
"""

import logging
import re
from collections.abc import Callable
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import provisioners, stacks

from localcloud.placeholders import CUSTOM, Properties, attributes_for, physical_id_for, placeholder
from localcloud.published_types import PublishedType

log = logging.getLogger("slipway.local")

Answer = tuple[str, Properties]
Handlers = dict[str, Any]
HANDLERS: dict[str, Handlers] = provisioners._RESOURCE_HANDLERS

CUSTOM_RESOURCE = "AWS::CloudFormation::CustomResource"
# A wait condition waits for a signal from a machine that would have to exist.
ALWAYS_PLACEHOLDERS = ("AWS::CloudFormation::WaitCondition", "AWS::CloudFormation::WaitConditionHandle")

# A mistake inside a handler, as opposed to a refusal it means (those are ValueErrors with a reason).
MISTAKES = (AttributeError, IndexError, KeyError, TypeError, UnboundLocalError, NotImplementedError)

# What MiniStack says when a resource names another that it does not hold. It may well exist: as a placeholder, which
# has nothing behind it that another service could find.
REFERS_TO_A_STRANGER = re.compile(r"not found|be found|does not exist|NotFound|Invalid Target", re.IGNORECASE)

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

# Marks, among its attributes, a placeholder of a type that MiniStack implements.
STANDS_IN = "slipway:stands-in"

_property_recreation = provisioners._property_recreation


def register_types(types: dict[str, PublishedType]) -> None:
    """Make every published type answerable. Repeating it would wrap handlers twice, so call it once."""
    known = {**UNPUBLISHED, **types}
    for name in ALWAYS_PLACEHOLDERS:
        HANDLERS.pop(name, None)
    for name, facts in known.items():
        if name in HANDLERS:
            HANDLERS[name] = backed(name, facts, HANDLERS[name])
        else:
            HANDLERS[name] = placeholder(name, facts)
            provisioners._REPLACING_PROPERTIES.setdefault(name, tuple(facts.replacing))
            provisioners._CONDITIONALLY_REPLACING_PROPERTIES.setdefault(name, tuple(facts.maybe_replacing))
    register_custom_resources()
    stacks._property_recreation = recreation(known)


def register_custom_resources() -> None:
    """Types their template names (`Custom::…`) reach functions of MiniStack's, the one without a name a handler."""
    HANDLERS[CUSTOM_RESOURCE] = placeholder(CUSTOM_RESOURCE, CUSTOM)

    def create(
        logical_id: str, properties: Properties, stack_name: str, resource_type: str = CUSTOM_RESOURCE
    ) -> Answer:
        answer: Answer = placeholder(resource_type, CUSTOM)["create"](logical_id, properties, stack_name)
        return answer

    def update(
        physical_id: str,
        old: Properties,
        new: Properties,
        stack_name: str,
        logical_id: str = "",
        resource_type: str = CUSTOM_RESOURCE,
    ) -> Answer:
        answer: Answer = placeholder(resource_type, CUSTOM)["update"](physical_id, old, new, stack_name, logical_id)
        return answer

    def delete(*_given: Any, **_named: Any) -> None:
        """Nothing stands behind a custom resource."""

    provisioners._custom_resource_create = create
    provisioners._custom_resource_update = update
    provisioners._custom_resource_delete = delete


def backed(name: str, facts: PublishedType, handlers: Handlers) -> Handlers:
    """MiniStack's handlers of the type, with the attributes they leave out, and with a placeholder for a template
    they trip over."""
    wrapped = {**handlers, "create": _backed_create(name, facts, handlers["create"])}
    if "update" in handlers:
        wrapped["update"] = _backed_update(name, facts, handlers["update"])
    if "delete" in handlers:
        wrapped["delete"] = _delete_whatever_is_there(handlers["delete"])
    return wrapped


def _backed_create(name: str, facts: PublishedType, create: Callable[..., Any]) -> Callable[..., Answer]:
    def create_or_stand_in(logical_id: str, given: Properties, stack_name: str) -> Answer:
        properties = with_numbers(facts, given)
        try:
            physical_id, found = create(logical_id, properties, stack_name)
        except (*MISTAKES, ValueError) as problem:
            if not _is_mistake(problem):
                raise
            log.warning("%s of %s is a placeholder: MiniStack raised %r", logical_id, stack_name, problem)
            physical_id, found = physical_id_for(name, facts, logical_id, properties, stack_name), {STANDS_IN: True}
        return physical_id, {**attributes_for(name, facts, physical_id, properties), **(found or {})}

    return create_or_stand_in


def _backed_update(name: str, facts: PublishedType, update: Callable[..., Any]) -> Callable[..., Answer]:
    def update_or_leave(physical_id: str, before: Properties, after: Properties, *rest: Any) -> Answer:
        old, new = with_numbers(facts, before), with_numbers(facts, after)
        if stands_in(physical_id):
            return physical_id, {**attributes_for(name, facts, physical_id, new), STANDS_IN: True}
        try:
            now, found = update(physical_id, old, new, *rest)
        except MISTAKES as mistake:
            log.warning("%s is left as it was: MiniStack raised %r", physical_id, mistake)
            now, found = physical_id, {}
        return now, {**attributes_for(name, facts, now, new), **(found or {})}

    return update_or_leave


def _delete_whatever_is_there(delete: Callable[..., Any]) -> Callable[..., None]:
    """Deleting something that never was, or is gone, is success: a placeholder has nothing behind it."""

    def delete_quietly(physical_id: str, properties: Properties, *rest: Any) -> None:
        if stands_in(physical_id):
            return
        try:
            delete(physical_id, properties, *rest)
        except (*MISTAKES, ValueError) as problem:
            if not _is_mistake(problem):
                raise
            log.warning("%s counts as deleted: MiniStack raised %r", physical_id, problem)

    return delete_quietly


def stands_in(physical_id: str) -> bool:
    """Whether a stack here holds this as a placeholder although MiniStack knows the type: what was created that way is
    changed and deleted that way, since MiniStack would not find it."""
    return any(
        record.get("PhysicalResourceId") == physical_id and (record.get("Attributes") or {}).get(STANDS_IN)
        for stack in cloudformation._stacks.values()
        for record in stack.get("_resources", {}).values()
    )


def _is_mistake(problem: Exception) -> bool:
    return not isinstance(problem, ValueError) or bool(REFERS_TO_A_STRANGER.search(str(problem)))


def with_numbers(facts: PublishedType, properties: Properties) -> Properties:
    """Turn whole numbers that came as text, as every parameter does, into numbers: MiniStack reckons with them."""
    texts = {name: properties[name] for name in facts.integers if isinstance(properties.get(name), str)}
    return {**properties, **{name: int(text) for name, text in texts.items() if text.isdecimal()}}


def recreation(types: dict[str, PublishedType]) -> Callable[[str, str], str]:
    """How a change set classes a changed property. MiniStack says "Conditionally" for every type without a table
    of its own; the schema knows better."""

    def of(type_name: str, property_name: str) -> str:
        facts = types.get(type_name)
        if facts is None or type_name in provisioners._REPLACING_PROPERTIES:
            answer: str = _property_recreation(type_name, property_name)
            return answer
        if property_name in facts.replacing:
            return "Always"
        return "Conditionally" if property_name in facts.maybe_replacing else "Never"

    return of
