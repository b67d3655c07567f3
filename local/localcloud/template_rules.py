"""Where MiniStack reads a template differently from CloudFormation, corrected.

Each correction names what it changes; none touches a template that MiniStack already reads well.
"""

import re
from textwrap import dedent
from typing import Any

import yaml
from ministack.core.responses import get_region
from ministack.services import ssm
from ministack.services.cloudformation import changesets, engine, handlers, stacks

from localcloud.patterns import matches
from localcloud.placeholders import digest
from localcloud.zones import zones_of

Template = dict[str, Any]

PUBLIC_IMAGE = re.compile(r"/aws/service/.*(ami|image|release)")
# What a parameter may be, as opposed to NoEcho, which is a boolean indeed.
VALUES = ("AllowedValues", "Default")
COMPARING = ("Conditions", "Rules")
CONDITION_FUNCTIONS = ("Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals", "Condition")
READERS_OF_CONDITIONS = (engine, stacks, handlers, changesets)
READERS_OF_TEMPLATES = (engine, handlers, changesets)
RESOLVERS = (engine, stacks, changesets)

_evaluate_conditions = engine._evaluate_conditions
_check_parameter_constraints = engine._check_parameter_constraints
_public_parameter = ssm._public_parameter
_static_property = stacks._static_property
_parse_template = engine._parse_template
_resolve_refs = engine._resolve_refs


def correct_template_rules() -> None:
    """Put the corrections of this module in place."""
    for module in READERS_OF_CONDITIONS:
        module._evaluate_conditions = evaluate_conditions
    for module in RESOLVERS:
        module._resolve_refs = resolve_refs
    engine._check_parameter_constraints = check_parameter_constraints
    ssm._public_parameter = public_parameter
    stacks._static_property = static_property
    for module in READERS_OF_TEMPLATES:
        module._parse_template = parse_template
    engine.CfnLoader.add_multi_constructor("!", any_function)


def evaluate_conditions(template: Template, params: dict[str, Any]) -> dict[str, bool]:
    """Conditions that compare more than parameters: pseudo parameters, maps, joins. MiniStack compares such
    expressions as they stand, so that "is this eu-west-1" was never true."""
    given = template.get("Conditions")
    if not isinstance(given, dict):
        return _evaluate_conditions({**template, "Conditions": {}}, params)
    mappings = template.get("Mappings") or {}
    plain = {name: _plain(expression, params, mappings) for name, expression in given.items()}
    return _evaluate_conditions({**template, "Conditions": plain}, params)


def _plain(node: Any, params: dict[str, Any], mappings: dict[str, Any]) -> Any:
    """The expression with everything but the condition functions worked out."""
    if isinstance(node, list):
        return [_plain(item, params, mappings) for item in node]
    if not isinstance(node, dict):
        return node
    function = next(iter(node), "")
    if function == "Condition":
        return node
    if function in CONDITION_FUNCTIONS:
        return {function: _plain(node[function], params, mappings)}
    return resolve_refs(node, {}, params, {}, mappings, "", "")


def resolve_refs(value: Any, *context: Any) -> Any:
    """Let GetAtt name its attribute by a parameter, which CloudFormation allows, and GetAZs know every zone."""
    if isinstance(value, dict) and "Fn::GetAZs" in value:
        region = resolve_refs(value["Fn::GetAZs"], *context)
        return zones_of(get_region()) if region in ("", None, get_region()) else []
    asked = value.get("Fn::GetAtt") if isinstance(value, dict) else None
    if isinstance(asked, list) and len(asked) == 2 and isinstance(asked[1], dict):
        value = {"Fn::GetAtt": [asked[0], resolve_refs(asked[1], *context)]}
    return _resolve_refs(value, *context)


def check_parameter_constraints(name: str, definition: dict[str, Any], type_name: str, value: str) -> None:
    """Read AllowedPattern as Java does, then leave the other constraints to MiniStack."""
    pattern = definition.get("AllowedPattern")
    rest = {key: entry for key, entry in definition.items() if key != "AllowedPattern"}
    _check_parameter_constraints(name, rest, type_name, value)
    if pattern is None or type_name == "Number":
        return
    is_list = type_name in ("CommaDelimitedList", "List<Number>")
    members = [member.strip() for member in value.split(",")] if is_list else [value]
    if not all(matches(str(pattern), member) for member in members):
        raise engine._constraint_error(name, definition, f"must match pattern {pattern}")


def public_parameter(name: str) -> dict[str, Any] | None:
    """Answer every public image parameter (`/aws/service/…ami…`), not only the two MiniStack holds."""
    known = _public_parameter(name)
    if known or not PUBLIC_IMAGE.match(name):
        return known
    region = ssm.get_region()
    return {
        "Name": name,
        "Type": "String",
        "Value": f"ami-0{digest(region, name)[:16]}",
        "Version": 1,
        "LastModifiedDate": 1728518400,
        "ARN": f"arn:aws:ssm:{region}::parameter{name}",
    }


def static_property(*given: Any) -> Any:
    """Leave a property whose value cannot be had yet (a missing export, say) to the resource that needs it. MiniStack
    let the error escape while it checked the template, and the stack stayed in progress for ever."""
    try:
        return _static_property(*given)
    except ValueError:
        return None


def parse_template(text: str) -> Template:
    """Read a template that is indented as a whole, of which MiniStack strips the first line alone, and take booleans
    that answers are compared with for the text they are: `AllowedValues: [true, false]` allows "true", not "True"."""
    template = _parse_template(dedent(text))
    for section in COMPARING:
        if section in template:
            template[section] = _in_words(template[section])
    for definition in (template.get("Parameters") or {}).values():
        if isinstance(definition, dict):
            definition.update(_in_words({key: definition[key] for key in VALUES if key in definition}))
    return template


def _in_words(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _in_words(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_in_words(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else value


def any_function(loader: Any, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """Read the short form of every function; MiniStack knows those of properties, not those of rules."""
    return engine._construct_cfn_tag(f"Fn::{suffix}")(loader, node)
