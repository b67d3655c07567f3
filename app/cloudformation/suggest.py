"""Suggest a plausible answer for every parameter: for previews, for tests, and to try whole catalogues of templates."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from app.cloudformation.answers import check
from app.cloudformation.parameters import Parameter
from app.cloudformation.samples import samples
from app.cloudformation.types import SSM_NAME

# What is offered where nobody could look up what exists.
_EXISTING = {
    "AWS::EC2::AvailabilityZone::Name": ("eu-west-1a", "eu-west-1b"),
    "AWS::EC2::Image::Id": ("ami-0a1b2c3d4e5f60718",),
    "AWS::EC2::Instance::Id": ("i-0a1b2c3d4e5f60718",),
    "AWS::EC2::KeyPair::KeyName": ("example-key",),
    "AWS::EC2::SecurityGroup::GroupName": ("default",),
    "AWS::EC2::SecurityGroup::Id": ("sg-0a1b2c3d4e5f60718",),
    "AWS::EC2::Subnet::Id": ("subnet-0a1b2c3d4e5f60718", "subnet-0b1b2c3d4e5f60718"),
    "AWS::EC2::Volume::Id": ("vol-0a1b2c3d4e5f60718",),
    "AWS::EC2::VPC::Id": ("vpc-0a1b2c3d4e5f60718",),
    "AWS::Route53::HostedZone::Id": ("Z0123456789ABCDEFGHIJ",),
    SSM_NAME: ("/example/parameter",),
}

# Words in a parameter's name, and what such a parameter usually wants. The first that the constraints accept is taken.
_BY_NAME: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("stackname", ("example-stack", "example")),
    ("parent", ("example-stack", "example")),
    ("subnetcidr", ("10.0.1.0/24", "10.0.1.0/24,10.0.2.0/24")),
    ("cidr", ("10.0.0.0/16", "10.0.0.0/24", "10.0.0.0")),
    ("password", ("Correct-Horse-7", "CorrectHorse7", "Correct+Horse7")),
    ("email", ("team@example.com",)),
    ("bucket", ("example-bucket-1",)),
    ("rolearn", ("arn:aws:iam::123456789012:role/example",)),
    ("certificate", ("arn:aws:acm:eu-west-1:123456789012:certificate/12345678-1234-1234-1234-123456789012",)),
    ("topic", ("arn:aws:sns:eu-west-1:123456789012:example", "example")),
    ("kms", ("arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012", "alias/example")),
    ("arn", ("arn:aws:iam::123456789012:role/example",)),
    ("instancetype", ("t3.micro",)),
    ("account", ("123456789012",)),
    ("orgid", ("o-a1b2c3d4e5",)),
    ("region", ("eu-west-1",)),
    ("zone", ("eu-west-1a", "example.com")),
    ("ami", ("ami-0a1b2c3d4e5f60718",)),
    ("imageuri", ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/example:latest",)),
    ("image", ("ami-0a1b2c3d4e5f60718",)),
    ("subnet", ("subnet-0a1b2c3d4e5f60718", "subnet-0a1b2c3d4e5f60718,subnet-0b1b2c3d4e5f60718")),
    ("securitygroup", ("sg-0a1b2c3d4e5f60718",)),
    ("vpc", ("vpc-0a1b2c3d4e5f60718",)),
    ("url", ("https://example.com/",)),
    ("attribute", ("Arn",)),
    ("storage", ("20",)),
    ("size", ("20",)),
    ("count", ("2",)),
    ("days", ("7",)),
    ("domain", ("example.com",)),
    ("host", ("app.example.com",)),
    ("schedule", ("rate(1 day)", "cron(0 3 * * ? *)")),
    ("maintenancewindow", ("sun:03:00-sun:04:00",)),
    ("window", ("03:00-04:00",)),
    ("port", ("8080",)),
    ("version", ("1.0", "1")),
    ("user", ("exampleuser",)),
    ("database", ("exampledb",)),
    ("dbname", ("exampledb",)),
    ("path", ("/example", "example/")),
    ("prefix", ("example/", "example")),
    ("policy", ("{}",)),
    ("json", ("{}",)),
    ("enable", ("true",)),
    ("ip", ("10.0.0.10", "10.0.0.10/32")),
)
_ANYTHING = ("example", "example1", "Example1", "example-1", "ex", "1", "true", "10.0.0.0/16", "example.com", "x")
_ONE_FROM_A_LIST = frozenset(("AWS::EC2::SecurityGroup::Id", "AWS::EC2::VPC::Id"))


def suggest(parameter: Parameter, choices: Sequence[str] | None = None) -> str:
    """Give an answer that the parameter's own constraints accept, as far as one can be found.

    The default comes first, then what the author allows, then `choices` (what exists in the target account, for AWS
    types), then something plausible for the name and the pattern. The same parameter always gets the same answer.
    `suggestions.suggest_all` answers a whole form.
    """
    return next(alternatives(parameter, choices), parameter.default or "")


def alternatives(parameter: Parameter, choices: Sequence[str] | None = None) -> Iterator[str]:
    """Give every answer that suggests itself and that the parameter's own constraints accept, the best first."""
    for candidate in dict.fromkeys(_candidates(parameter, list(choices or ()))):
        if check((parameter,), {parameter.name: candidate}).is_valid:
            yield candidate


def _candidates(parameter: Parameter, choices: list[str]) -> Iterator[str]:
    existing = _existing(parameter, choices)
    if parameter.default and not _is_gone(parameter, choices):
        yield parameter.default
    if parameter.allowed_values:
        yield from sorted(parameter.allowed_values, key=lambda value: value == "")
    elif parameter.is_number:
        yield from _numbers(parameter)
    elif existing:
        yield existing
    yield from _texts(parameter)


def _is_gone(parameter: Parameter, choices: list[str]) -> bool:
    """Whether the default names something that does not exist in the account, when that is known.

    Of SSM parameters it is not: those of AWS itself exist everywhere and stand in no list.
    """
    if not choices or parameter.lookup in (None, SSM_NAME):
        return False
    return any(item.strip() not in choices for item in (parameter.default or "").split(","))


def _existing(parameter: Parameter, choices: list[str]) -> str | None:
    """Take what exists: one, or the first two where a list usually wants two places."""
    if parameter.lookup is None:
        return None
    known = choices or list(_EXISTING.get(parameter.lookup, ()))
    several = parameter.is_list and parameter.lookup not in _ONE_FROM_A_LIST
    return ",".join(known[: 2 if several else 1]) or None


def _numbers(parameter: Parameter) -> Iterator[str]:
    low, high = parameter.min_value, parameter.max_value
    for number in (low, Decimal(1) if high is None else min(high, Decimal(1)), high, Decimal(8080)):
        if number is not None:
            yield f"{number:f}"


def _texts(parameter: Parameter) -> Iterator[str]:
    """Give plausible texts: an empty default, what the name hints at, anything at all, then what the pattern makes."""
    if parameter.default is not None:
        yield parameter.default
    name = parameter.name.lower()
    hints = [text for word, texts in _BY_NAME if word in name for text in texts]
    for text in (*hints, *_ANYTHING):
        yield text
        yield _fitted(text, parameter)
    if parameter.allowed_pattern:
        yield from samples(parameter.allowed_pattern, parameter.min_length or 0)


def _fitted(text: str, parameter: Parameter) -> str:
    """Lengthen or cut a text to the allowed length."""
    missing = (parameter.min_length or 0) - len(text)
    longer = text + text[-1] * min(missing, 4096) if missing > 0 else text
    return longer[: parameter.max_length] if parameter.max_length else longer
