"""What a version asks, creates and returns, told from its body alone."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.catalog.bodies import Parsed
from app.cloudformation import wording
from app.cloudformation.capabilities import AUTO_EXPAND, IAM, NAMED_IAM, capabilities
from app.cloudformation.outline import Output, Planned, outline, outputs
from app.cloudformation.parameters import Parameter

NEEDS = {
    IAM: "creates roles or policies",
    NAMED_IAM: "creates roles or policies under names of its own",
    AUTO_EXPAND: "uses macros or nested stacks",
}


@dataclass(frozen=True)
class Asked:
    """One parameter as a row: what it is called, what it is for, what is allowed."""

    name: str
    label: str
    type: str
    description: str
    rules: tuple[str, ...]
    pattern: str | None
    default: str | None
    is_required: bool
    is_secret: bool


@dataclass(frozen=True)
class Created:
    """One resource as a row: `when` says what decides that it is made, `usual` how many seconds it takes."""

    name: str
    type: str
    when: str
    note: str
    holds_data: bool
    usual: float | None


@dataclass(frozen=True)
class Reading:
    """Everything a page tells about a version's body."""

    groups: tuple[tuple[str, tuple[Asked, ...]], ...]
    creates: tuple[Created, ...]
    returns: tuple[Output, ...]
    needs: tuple[tuple[str, str], ...]

    @property
    def asked(self) -> int:
        return sum(len(asked) for _, asked in self.groups)

    @property
    def holding_data(self) -> int:
        return sum(created.holds_data for created in self.creates)


def read(parsed: Parsed, usual: Mapping[str, float] | None = None) -> Reading:
    """Read a body as it would come up with its defaults. `usual` gives the seconds each resource takes, where known."""
    defaults = {each.name: each.default for each in parsed.parameters if each.default is not None}
    planned = outline(parsed.body, defaults)
    created = [_created(parsed, each, usual or {}) for each in planned]
    return Reading(
        groups=tuple((group.label, tuple(map(_asked, group.parameters))) for group in parsed.groups),
        # What holds data comes first: it is what people must think about before they launch or delete.
        creates=tuple(sorted(created, key=lambda each: not each.holds_data)),
        returns=outputs(parsed.body, defaults),
        needs=tuple((name, NEEDS[name]) for name in capabilities(parsed.body)),
    )


def _created(parsed: Parsed, planned: Planned, usual: Mapping[str, float]) -> Created:
    condition = parsed.body.resources.get(planned.logical_id, {}).get("Condition")
    if planned.type == "unknown":
        when, note = "the plan tells", ""
    elif condition is None:
        when, note = "always", ""
    else:
        when, note = f"if {condition}", "" if planned.will_be_created is not False else "not with the defaults"
    return Created(planned.logical_id, planned.type, when, note, planned.holds_data, usual.get(planned.logical_id))


def _asked(parameter: Parameter) -> Asked:
    return Asked(
        name=parameter.name,
        label=parameter.label,
        type=parameter.type,
        description=parameter.description,
        rules=tuple(_rules(parameter)),
        pattern=parameter.allowed_pattern,
        # What a secret starts with is a secret too.
        default="set, and not shown" if parameter.no_echo and parameter.default else parameter.default,
        is_required=parameter.is_required,
        is_secret=parameter.no_echo,
    )


def _rules(parameter: Parameter) -> list[str]:
    rules = []
    if parameter.allowed_values:
        rules.append(f"Choose {wording.one_of(parameter.allowed_values)}")
    if parameter.min_value is not None or parameter.max_value is not None:
        rules.append(wording.number_in_bounds(parameter).rstrip("."))
    if length := _length(parameter.min_length, parameter.max_length):
        rules.append(length)
    return rules


def _length(low: int | None, high: int | None) -> str:
    if low and high is not None:
        return f"{low:,} characters" if low == high else f"{low:,} to {high:,} characters"
    if low:
        return f"At least {low:,} characters"
    return f"At most {high:,} characters" if high is not None else ""
