"""Version bodies, read once per process: a body never changes, so its digest is its key."""

from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import select

from app import db
from app.catalog.models import Version
from app.cloudformation.body import Body, load
from app.cloudformation.interface import Group, groups
from app.cloudformation.parameters import Parameter, parameters


@dataclass(frozen=True)
class Parsed:
    """A body with its parameters in file order and in their groups."""

    text: str
    body: Body
    parameters: tuple[Parameter, ...]
    groups: tuple[Group, ...]

    @property
    def secrets(self) -> frozenset[str]:
        """Names of parameters whose answers nobody may see again."""
        return frozenset(parameter.name for parameter in self.parameters if parameter.no_echo)


class _Text:
    """Carries a body past the cache's key, which is its digest alone."""

    def __init__(self, digest: str, text: str):
        self.digest, self.text = digest, text

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Text) and other.digest == self.digest


@lru_cache(maxsize=256)
def _read(text: _Text) -> Parsed:
    body = load(text.text)
    return Parsed(text.text, body, tuple(parameters(body)), tuple(groups(body)))


_texts: dict[str, str] = {}
_MOST_TEXTS = 256


def parsed(version: Version) -> Parsed:
    """Return the version's body, read; the column itself is fetched only the first time in this process."""
    text = _texts.get(version.digest)
    if text is None:
        text = db.session.scalar(select(Version.body).where(Version.id == version.id)) or ""
        while len(_texts) >= _MOST_TEXTS:
            _texts.pop(next(iter(_texts)))
        _texts[version.digest] = text
    return _read(_Text(version.digest, text))
