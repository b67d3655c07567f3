"""Finds in the portal's source whatever changes something outside: calls to the cloud, commits, messages."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

WRITES = re.compile(r"(create|execute|delete|cancel|continue|update|put|set|start|stop|rollback|tag|untag|send)_\w+")
SENDS = {"send_task", "apply_async", "delay"}


@dataclass(frozen=True)
class Found:
    """A call, and the function it stands in."""

    module: str
    function: str
    call: str

    @property
    def place(self) -> str:
        return f"{self.module}:{self.function}"


def sources(root: Path) -> dict[str, str]:
    """Return the portal's modules by their path below the root."""
    return {str(file.relative_to(root)): file.read_text() for file in sorted((root / "app").rglob("*.py"))}


def calls(modules: Mapping[str, str]) -> Iterator[tuple[Found, ast.Call]]:
    """Yield every call of a method, or of something in another module, with where it stands."""
    for module, source in modules.items():
        for function, node in _functions(_parsed(source)):
            for each in _own(node):
                if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute):
                    yield Found(module, function, each.func.attr), each


def cloud_writes(modules: Mapping[str, str]) -> list[Found]:
    """Return the calls of a client of the cloud that change something there."""
    return [found for found, node in calls(modules) if WRITES.fullmatch(found.call) and _receiver(node) == "client"]


def commits(modules: Mapping[str, str]) -> list[Found]:
    """Return where something is committed: a session, or an engine's own transaction, begun without arguments."""
    found = [(each, node) for each, node in calls(modules) if each.call in ("commit", "begin")]
    return [each for each, node in found if not node.args]


def messages(modules: Mapping[str, str]) -> list[Found]:
    """Return where a message is given to the broker."""
    return [found for found, _ in calls(modules) if found.call in SENDS]


def failpoints_in(modules: Mapping[str, str], place: str) -> list[str]:
    """Return the failpoints of a function; what varies in a name is written as a star."""
    module, _, wanted = place.partition(":")
    names = []
    for function, node in _functions(_parsed(modules[module])):
        if function == wanted:
            names += [_text(each.args[0]) for each in _own(node) if _is_failpoint(each)]
    return names


def effects_performed(modules: Mapping[str, str], module: str) -> dict[str, set[str]]:
    """Return, by the effect a function of the module performs, which functions of `cfn` it calls."""
    performed: dict[str, set[str]] = {}
    for node in _parsed(modules[module]).body:
        effect = _effect(node)
        if effect:
            performed[effect] = {name for each in ast.walk(node) if (name := _cfn(each))}
    return performed


def uses_of(modules: Mapping[str, str], names: set[str]) -> set[str]:
    """Return the modules, but for their own, that use functions of `app.aws.cloudformation` by these names."""
    users = set()
    for module, source in modules.items():
        for each in ast.walk(_parsed(source)):
            imported = isinstance(each, ast.ImportFrom) and each.module == "app.aws.cloudformation"
            if _cfn(each) in names or (imported and names & {alias.name for alias in each.names}):
                users.add(module)
    return users


@cache
def _parsed(source: str) -> ast.Module:
    return ast.parse(source)


def _functions(tree: ast.AST, inside: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Yield a module and its functions, each by its full name."""
    yield inside, tree
    for node in _own(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from _functions(node, f"{inside}.{node.name}".lstrip("."))


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what stands in a function, or module, itself: not what stands in a function within it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.ClassDef):
            yield from _own(child)


def _receiver(node: ast.Call) -> str:
    return node.func.value.id if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) else ""


def _is_failpoint(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "reached"


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    parts = node.values if isinstance(node, ast.JoinedStr) else []
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in parts)


def _effect(node: ast.AST) -> str:
    """Return the effect a registered function takes first: `effects.CreateChangeSet` is CreateChangeSet."""
    if not isinstance(node, ast.FunctionDef) or not node.decorator_list or not node.args.args:
        return ""
    annotation = node.args.args[0].annotation
    return annotation.attr if isinstance(annotation, ast.Attribute) else ""


def _cfn(node: ast.AST) -> str:
    is_ours = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "cfn"
    return node.attr if is_ours else ""
