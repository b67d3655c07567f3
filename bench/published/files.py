"""The files of the corpus: what each is, and whether it counts among those that have to launch."""

import fnmatch
import os
from dataclasses import dataclass
from pathlib import Path

from app.cloudformation.body import INLINE_BYTES, Body, load
from app.cloudformation.capabilities import nested_stacks, uses_macros
from app.cloudformation.errors import NotATemplate
from bench.published.lint import lint_verdicts

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Found:
    """One file. Either `body` could be read, or `refusal` says why it is no template."""

    path: Path
    place: str
    text: str = ""
    body: Body | None = None
    refusal: str = ""
    exception: str = ""
    is_lint_accepted: bool = False

    @property
    def repository(self) -> str:
        """Owner and name of the repository the file comes from."""
        return self.place.split("/", 1)[0].replace("__", "/")

    @property
    def file(self) -> str:
        """The file inside its repository."""
        return self.place.split("/", 1)[1]

    @property
    def not_counted_because(self) -> str:
        """Why the template is not among those that have to launch; empty when it is."""
        if self.body is None:
            return "no template"
        if not self.is_lint_accepted:
            return "cfn-lint finds errors"
        if self.body.size >= INLINE_BYTES:
            return "51,200 bytes or more"
        if uses_macros(self.body):
            return "macros"
        return "nested stacks" if nested_stacks(self.body) else ""


def corpus_directory() -> Path:
    """Where the templates lie: in SLIPWAY_CORPUS, or beside the repository."""
    return Path(os.environ.get("SLIPWAY_CORPUS") or ROOT / ".." / "shared" / "corpus").resolve() / "cloudformation"


def data_directory() -> Path:
    """Where verdicts of cfn-lint are kept between runs."""
    return Path(os.environ.get("SLIPWAY_DATA") or ROOT / "var")


def list_files(only: str = "*", limit: int | None = None) -> list[Path]:
    """Give the files of the corpus in order, those whose place matches `only`."""
    corpus = corpus_directory()
    files = [path for path in sorted(corpus.rglob("*")) if path.is_file()]
    return [path for path in files if fnmatch.fnmatch(str(path.relative_to(corpus)), only)][:limit]


def read_files(paths: list[Path]) -> list[Found]:
    """Read every file and ask cfn-lint about it, but not about content it has judged before."""
    verdicts = lint_verdicts(paths, data_directory())
    return [read_file(path, verdicts[path]) for path in paths]


def read_file(path: Path, is_lint_accepted: bool) -> Found:
    """Read one file."""
    place = path.relative_to(corpus_directory()).as_posix()
    raw = path.read_bytes()
    try:
        body = load(raw)
    except NotATemplate as refusal:
        return Found(path, place, refusal=refusal.sentence, is_lint_accepted=is_lint_accepted)
    except Exception as error:  # noqa: BLE001 - counting the exceptions nobody expected is what this is for
        return Found(path, place, exception=repr(error), is_lint_accepted=is_lint_accepted)
    return Found(path, place, raw.decode("utf-8-sig"), body, is_lint_accepted=is_lint_accepted)
