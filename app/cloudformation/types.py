"""The types a parameter may have, those CloudFormation refuses but people write, and what each means for a form."""

from dataclasses import dataclass

STRING = "String"
NUMBER = "Number"
COMMA_LIST = "CommaDelimitedList"
SSM_NAME = "AWS::SSM::Parameter::Name"
KEY_PAIR = "AWS::EC2::KeyPair::KeyName"
_SSM_VALUE = "AWS::SSM::Parameter::Value<"

LOOKUPS = frozenset(
    (
        "AWS::EC2::AvailabilityZone::Name",
        "AWS::EC2::Image::Id",
        "AWS::EC2::Instance::Id",
        KEY_PAIR,
        "AWS::EC2::SecurityGroup::GroupName",
        "AWS::EC2::SecurityGroup::Id",
        "AWS::EC2::Subnet::Id",
        "AWS::EC2::Volume::Id",
        "AWS::EC2::VPC::Id",
        "AWS::Route53::HostedZone::Id",
    )
)


@dataclass(frozen=True)
class Kind:
    """What a written type asks of an answer.

    `item` is the type of one entry: String, Number or an AWS type. `lookup` names the AWS type whose existing values
    can be offered, or None. For `is_ssm` the answer is a parameter's name; the type it resolves to is `resolves_to`.
    """

    item: str
    is_list: bool = False
    lookup: str | None = None
    is_ssm: bool = False
    resolves_to: str | None = None
    warning: str | None = None


def kind_of(written: str) -> Kind:
    """Understand a type as written. A type CloudFormation does not know is read as text, with a warning."""
    if inner := _inside(written, _SSM_VALUE):
        return _ssm_value(written, inner)
    if inner := _inside(written, "List<"):
        return _list_of(written, inner)
    return _single(written)


def _inside(written: str, opening: str) -> str | None:
    if written.startswith(opening) and written.endswith(">"):
        return written[len(opening) : -1].strip()
    return None


def _single(written: str) -> Kind:
    if written in (STRING, NUMBER):
        return Kind(written)
    if written == COMMA_LIST:
        return Kind(STRING, is_list=True)
    if written == SSM_NAME or written in LOOKUPS:
        return Kind(written, lookup=written)
    return _misspelt(written) or Kind(STRING, warning=_unknown(written))


def _misspelt(written: str) -> Kind | None:
    """Read the types people write though CloudFormation has none of them."""
    if written.lower() in ("boolean", "bool"):
        return Kind("Boolean", warning=f"CloudFormation has no type {written}; read as String with true or false.")
    if written.lower() in ("integer", "int", "float", "number"):
        return Kind(NUMBER, warning=f"CloudFormation has no type {written}; read as Number.")
    if written.lower() == "string":
        return Kind(STRING, warning=f"CloudFormation writes String, not {written}.")
    return None


def _list_of(written: str, inner: str) -> Kind:
    if inner == NUMBER:
        return Kind(NUMBER, is_list=True)
    if inner in LOOKUPS:
        warning = f"CloudFormation has no type {written}; it may refuse it." if inner == KEY_PAIR else None
        return Kind(inner, is_list=True, lookup=inner, warning=warning)
    if inner == STRING:
        return Kind(STRING, is_list=True, warning="CloudFormation has no List<String>; read as CommaDelimitedList.")
    return Kind(STRING, is_list=True, warning=_unknown(written))


def _ssm_value(written: str, inner: str) -> Kind:
    """Read an SSM type: whatever it resolves to, the answer is one name of a parameter in the target account."""
    warning = None if _resolvable(inner) else f"CloudFormation may not know the type {written}."
    return Kind(SSM_NAME, lookup=SSM_NAME, is_ssm=True, resolves_to=inner, warning=warning)


def _resolvable(inner: str) -> bool:
    item = _inside(inner, "List<") or inner
    if inner == f"List<{KEY_PAIR}>":
        return False
    return item in LOOKUPS or item in (STRING, NUMBER) or inner in (COMMA_LIST, SSM_NAME)


def _unknown(written: str) -> str:
    return f"CloudFormation has no parameter type {written[:60]}; read as text."
