"""What a template needs leave for: macros, nested stacks and the capabilities CloudFormation wants acknowledged."""

from dataclasses import dataclass
from typing import Any

from app.cloudformation.body import Body
from app.cloudformation.scalars import as_text

IAM, NAMED_IAM, AUTO_EXPAND = "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"

SERVERLESS = "AWS::Serverless-2016-10-31"

# The property that gives a resource of the type a name of the author's choice; None where there is none.
_IAM_NAMES: dict[str, str | None] = {
    "AWS::IAM::AccessKey": None,
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::GroupPolicy": None,
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": None,
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::RolePolicy": None,
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserPolicy": None,
    "AWS::IAM::UserToGroupAddition": None,
}
_NESTING = frozenset(("AWS::CloudFormation::Stack", "AWS::Serverless::Application"))


@dataclass(frozen=True)
class NestedStack:
    """A resource that is a stack of its own, with where its template lies if that is plain text."""

    logical_id: str
    template_url: str | None


def macros(body: Body) -> tuple[str, ...]:
    """Name the macros that rewrite the template, whole or in places, AWS's own included."""
    declared = body.document.get("Transform")
    whole = declared if isinstance(declared, list) else [declared]
    names = [_macro_name(entry) for entry in [*whole, *_local_transforms(body.document)]]
    return tuple(dict.fromkeys(name for name in names if name))


def uses_macros(body: Body) -> bool:
    """Tell whether what will exist is decided by a macro, so that only a change set shows it."""
    return bool(macros(body))


def nested_stacks(body: Body) -> tuple[NestedStack, ...]:
    """Give the stacks a template brings along."""
    return tuple(
        NestedStack(name, _template_url(resource))
        for name, resource in body.resources.items()
        if as_text(resource.get("Type")) in _NESTING
    )


def capabilities(body: Body) -> tuple[str, ...]:
    """Give the capabilities to acknowledge.

    What a nested stack or a macro brings cannot be read here; CloudFormation then asks for all of them, so they are all
    given. AWS's language extensions and includes add no resources of their own.
    """
    found = {capability for resource in body.resources.values() for capability in _of_resource(resource)}
    if nested_stacks(body) or any(not _only_rewrites(name) for name in macros(body)):
        found |= {IAM, NAMED_IAM, AUTO_EXPAND}
    elif uses_macros(body):
        found.add(AUTO_EXPAND)
    return tuple(sorted(found))


def _only_rewrites(macro: str) -> bool:
    return macro == "AWS::LanguageExtensions"


def _of_resource(resource: dict[str, Any]) -> set[str]:
    resource_type = resource.get("Type")
    if not isinstance(resource_type, str) or resource_type not in _IAM_NAMES:
        return set()
    properties = resource.get("Properties")
    name = _IAM_NAMES[resource_type]
    return {IAM, NAMED_IAM} if isinstance(properties, dict) and name in properties else {IAM}


def _template_url(resource: dict[str, Any]) -> str | None:
    properties = resource.get("Properties")
    return as_text(properties.get("TemplateURL")) if isinstance(properties, dict) else None


def _macro_name(entry: Any) -> str | None:
    return as_text(entry.get("Name")) if isinstance(entry, dict) else as_text(entry)


def _local_transforms(document: Any) -> list[Any]:
    """Collect every Fn::Transform, wherever it stands."""
    found: list[Any] = []
    waiting = [document]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            found += [part["Fn::Transform"]] if "Fn::Transform" in part else []
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return found
