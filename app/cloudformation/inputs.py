"""What a template is evaluated with: the answers, the place it goes to, and what the caller can look up there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

# (AWS type of a parameter, an id, an attribute) -> the attribute's value, or None when it cannot be found out
AttributeLookup = Callable[[str, str, str], str | list[str] | None]
# (AWS type of a parameter) -> every existing value in the account and region, or None when it cannot be found out
ExistingLookup = Callable[[str], list[str] | None]


def _no_attribute(_type: str, _id: str, _attribute: str) -> None:
    return None


def _no_existing(_type: str) -> None:
    return None


@dataclass(frozen=True)
class Environment:
    """The place a stack goes to.

    `pseudo` holds pseudo parameters by full name, such as `AWS::Region`. The two lookups are only used by Rules; left
    out, the rules that need them are undecidable.
    """

    pseudo: Mapping[str, str] = field(default_factory=dict)
    attributes: AttributeLookup = _no_attribute
    existing: ExistingLookup = _no_existing


def pseudo_parameters(region: str, account_id: str, stack_name: str | None = None) -> dict[str, str]:
    """Give the pseudo parameters that follow from the place, before there is a stack."""
    partition, suffix = _partition(region)
    known = {
        "AWS::Region": region,
        "AWS::AccountId": account_id,
        "AWS::Partition": partition,
        "AWS::URLSuffix": suffix,
    }
    return known | ({"AWS::StackName": stack_name} if stack_name else {})


def _partition(region: str) -> tuple[str, str]:
    if region.startswith("cn-"):
        return "aws-cn", "amazonaws.com.cn"
    return ("aws-us-gov", "amazonaws.com") if region.startswith("us-gov-") else ("aws", "amazonaws.com")
