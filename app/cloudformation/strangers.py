"""Recognise the files people bring instead of a CloudFormation template, so that the refusal can say what they have."""

import re
from typing import Any

_TERRAFORM = re.compile(
    r'^(?:terraform|locals)\s*\{|^(?:resource|data)\s+"[^"\n]+"\s+"[^"\n]+"\s*\{|^(?:variable|provider|module|output)\s+"[^"\n]+"\s*\{',
    re.MULTILINE,
)
_JINJA_STATEMENT = re.compile(r"\{%-?\s*(?:if|for|set|macro|include|import|block|extends|raw|endif|endfor)\b")
_JINJA_ANY = re.compile(r"\{%|\{\{(?!resolve:)|\{#")
_PROTON = re.compile(r"\{\{-?\s*(?:environment|service_instance|service|pipeline|component|proton)\.[a-z_]+")

# (keys that must all be present at the top, what such a file is)
_BY_KEYS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"apiVersion", "kind"}), "This is a Kubernetes or Backstage document"),
    (frozenset({"openapi"}), "This is an OpenAPI document"),
    (frozenset({"swagger"}), "This is an OpenAPI document"),
    (frozenset({"schemaVersion", "mainSteps"}), "This is a Systems Manager document"),
    (frozenset({"Version", "Statement"}), "This is an IAM policy"),
    (frozenset({"resource"}), "This is Terraform in JSON"),
    (frozenset({"terraform"}), "This is Terraform in JSON"),
    (frozenset({"infrastructure"}), "This is the manifest of a Proton bundle"),
    (frozenset({"project", "tests"}), "This is a taskcat configuration"),
)


def refusal_before_parsing(text: str) -> tuple[str, int] | None:
    """Name a file that cannot be CloudFormation whatever a parser makes of it, with its line."""
    if found := _TERRAFORM.search(text):
        return "This is Terraform; Slipway reads CloudFormation templates here.", _line_of(text, found)
    if found := _PROTON.search(text):
        return "This holds Jinja of an AWS Proton bundle; import the whole bundle instead.", _line_of(text, found)
    return None


def refusal_after_failure(text: str) -> tuple[str, int | None] | None:
    """Say why a text could not be parsed, where the cause is not a slip in its YAML or JSON."""
    if found := _JINJA_STATEMENT.search(text) or _JINJA_ANY.search(text):
        return "This is a Jinja template; render it and import what comes out.", _line_of(text, found)
    if "Resources" not in text:
        return "This is plain text; a CloudFormation template is YAML or JSON with a Resources section.", None
    return None


def what_it_is(document: Any) -> str:
    """Say in a few words what a parsed document without Resources is instead."""
    if isinstance(document, list):
        return "This is a list" + (" of parameter values" if _holds_parameter_values(document) else "")
    if not isinstance(document, dict):
        return "This is a single value"
    matches = (meaning for keys, meaning in _BY_KEYS if keys <= document.keys())
    return next(matches, "This is a mapping without Resources")


def _holds_parameter_values(items: list[Any]) -> bool:
    return bool(items) and all(isinstance(item, dict) and "ParameterKey" in item for item in items)


def _line_of(text: str, found: re.Match[str]) -> int:
    return text.count("\n", 0, found.start()) + 1
