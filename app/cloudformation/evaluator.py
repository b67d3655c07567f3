"""Evaluate a template's intrinsic functions as far as the answers and the place decide them."""

from collections.abc import Collection, Mapping
from typing import Any

from app.cloudformation.body import Body
from app.cloudformation.functions import FUNCTIONS
from app.cloudformation.inputs import Environment
from app.cloudformation.parameters import Parameter, parameters
from app.cloudformation.scalars import as_text, split_items
from app.cloudformation.truths import TRUTHS
from app.cloudformation.unknown import NO_VALUE, Unknown, made_by

# Deeper than any document may be, so only conditions that lead to each other without end get here.
_MOST_STEPS_DOWN = 120
# Joining long answers thousands of times over must not fill the memory; honest templates need some kilobytes.
_MOST_CHARACTERS = 4_000_000

Truth = bool | Unknown


class Evaluator:
    """One template with one set of answers in one place.

    `not_told` names parameters that have a value nobody knows here, such as a hidden one that stays as it was.
    `value` never raises: what is malformed or cannot be known comes out as Unknown, with the reason.
    """

    def __init__(
        self,
        body: Body,
        values: Mapping[str, str],
        environment: Environment | None = None,
        not_told: Collection[str] = (),
    ) -> None:
        self.body = body
        self.not_told = not_told
        self.values = values
        self.environment = environment or Environment()
        self.parameters: dict[str, Parameter] = {field.name: field for field in parameters(body)}
        self._named: dict[str, Truth] = {}
        self._steps_down = 0
        self._characters = 0

    def value(self, expression: Any) -> Any:
        """Give what an expression stands for: plain values, with Unknown where nobody can tell."""
        if isinstance(expression, list):
            return self._stepping(self._list, expression)
        if isinstance(expression, dict):
            return self._stepping(self._mapping, expression)
        return expression

    def truth(self, expression: Any) -> Truth:
        """Tell whether a condition holds; Unknown where the answers do not decide it."""
        return self._stepping(self._truth, expression)

    def named_truth(self, name: Any) -> Truth:
        """Tell whether a condition of the Conditions section holds. Each is evaluated once."""
        if not isinstance(name, str) or name not in self.body.section("Conditions"):
            return Unknown(f"there is no condition {str(name)[:60]}", f"condition {name}")
        if name not in self._named:
            self._named[name] = Unknown(f"the condition {name} depends on itself", f"condition {name}")
            self._named[name] = self.truth(self.body.section("Conditions")[name])
        return self._named[name]

    def parameter_value(self, name: str) -> Any:
        """Give what a Ref to a parameter yields: text, or a list for list types."""
        parameter = self.parameters[name]
        if parameter.is_ssm:
            return Unknown(f"{name} is fetched from SSM when it runs", f"ssm {self.values.get(name, name)}")
        text = self.values.get(name, parameter.default)
        if name in self.not_told:
            return Unknown(f"{name} is not told here", f"${{{name}}}")
        if text is None:
            return Unknown(f"{name} has no answer yet", f"${{{name}}}")
        return split_items(text) if parameter.is_list else text

    def spend(self, text: str) -> str | Unknown:
        """Pass on a text that was just made, unless too much has been made already."""
        self._characters += len(text)
        if self._characters > _MOST_CHARACTERS:
            return Unknown("the values are too long to follow", "…")
        return text

    def _stepping(self, step: Any, expression: Any) -> Any:
        if self._steps_down >= _MOST_STEPS_DOWN:
            return Unknown("the conditions lead on and on", "…")
        self._steps_down += 1
        try:
            return step(expression)
        finally:
            self._steps_down -= 1

    def _list(self, items: list[Any]) -> list[Any]:
        return [value for value in map(self.value, items) if value is not NO_VALUE]

    def _mapping(self, entries: dict[str, Any]) -> Any:
        name = next(iter(entries), "")
        if len(entries) == 1 and (name == "Ref" or name.startswith("Fn::")):
            return self._call(name, entries[name])
        values = {key: self.value(value) for key, value in entries.items()}
        return {key: value for key, value in values.items() if value is not NO_VALUE}

    def _call(self, name: str, argument: Any) -> Any:
        if name in TRUTHS:
            return self.truth({name: argument})
        function = FUNCTIONS.get(name)
        if function is None:
            return made_by(name, argument, f"{name[:60]} is evaluated by AWS")
        return function(self, argument)

    def _truth(self, expression: Any) -> Truth:
        if isinstance(expression, dict) and len(expression) == 1:
            [(name, argument)] = expression.items()
            if name in TRUTHS:
                return TRUTHS[name](self, argument)
        return _as_truth(self.value(expression))


def _as_truth(value: Any) -> Truth:
    if isinstance(value, Unknown):
        return value
    text = (as_text(value) or "").lower()
    if text in ("true", "false"):
        return text == "true"
    return made_by("condition", value, "a condition is neither true nor false")
