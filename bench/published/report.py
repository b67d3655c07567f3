"""The figures of a trial: one object per repository, and tables to read."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from bench.published.trial import Tried

COLUMNS = (
    ("files", "Files"),
    ("no template", "No template"),
    ("forms", "Forms"),
    ("fields", "Fields"),
    ("answers accepted", "Answers accepted"),
    ("answers refused", "Answers refused with reasons"),
    ("http 500", "HTTP 500"),
    ("unhandled", "Unhandled"),
    ("lint accepted", "Accepted by cfn-lint"),
    ("lint accepted with form", "… with form and an answer"),
    ("to launch", "To launch"),
    ("launched", "Launched"),
    ("deleted", "Deleted again, failed ones too"),
)


def summaries(tried: Sequence[Tried]) -> Iterator[dict[str, object]]:
    """Give the figures by repository, then those of all."""
    for repository in sorted({one.repository for one in tried}):
        yield _figures(repository, [one for one in tried if one.repository == repository])
    yield _figures("all", tried)


def _figures(name: str, tried: Sequence[Tried]) -> dict[str, object]:
    counts: Counter[str] = Counter()
    for one in tried:
        counts.update({key: int(value) for key, value in _counted(one).items()})
    share = round(100 * counts["launched"] / counts["to launch"], 1) if counts["to launch"] else None
    return {"repository": name, **{key: counts[key] for key, _ in COLUMNS}, "launched percent": share}


def _counted(one: Tried) -> dict[str, int]:
    sent = one.sent
    has_form = sent is not None and sent.form_status == 200 and sent.check_status == 200 and not sent.without_field
    is_answered = sent is not None and (sent.submit_status == 303 or bool(sent.submit_status == 422 and sent.reasons))
    return {
        "files": 1,
        "no template": bool(one.refusal),
        "forms": has_form,
        "fields": sent.fields if sent else 0,
        "answers accepted": sent is not None and sent.submit_status == 303,
        "answers refused": sent is not None and sent.submit_status == 422 and bool(sent.reasons),
        "http 500": sent is not None and max(sent.form_status, sent.check_status, sent.submit_status) >= 500,
        "unhandled": one.is_unhandled,
        "lint accepted": one.is_lint_accepted and not one.refusal,
        "lint accepted with form": one.is_lint_accepted and has_form and is_answered,
        "to launch": one.is_counted,
        "launched": one.is_counted and one.launch == "succeeded",
        "deleted": one.is_counted and one.deletion == "succeeded",
    }


def tables(tried: Sequence[Tried]) -> str:
    """Give the tables in Markdown."""
    parts = [
        _by_repository(tried),
        _counts("Why a file is no template", [_kind(one.refusal) for one in tried if one.refusal]),
        _counts("Why a template need not launch", [one.not_counted_because for one in tried if not one.refusal]),
        _counts("How launches that count ended", [one.launch for one in tried if one.is_counted]),
        _listed("Launches that did not succeed", _failures(tried)),
        _listed("Deletions that did not succeed", _undeleted(tried)),
        _listed("Answers refused by the form", _refused(tried)),
        _listed("Launched at the second try, alone in an unused account", _second(tried)),
        _listed("What was laid before the launch", _laid(tried)),
        _listed("Exceptions", [(_name(one), one.exception) for one in tried if one.exception]),
    ]
    return "\n".join(part for part in parts if part)


def _by_repository(tried: Sequence[Tried]) -> str:
    lines = ["| Repository | " + " | ".join(title for _, title in COLUMNS) + " | Share |"]
    lines.append("|---" * (len(COLUMNS) + 2) + "|")
    for row in summaries(tried):
        share = "" if row["launched percent"] is None else f"{row['launched percent']} %"
        lines.append(f"| {row['repository']} | " + " | ".join(str(row[key]) for key, _ in COLUMNS) + f" | {share} |")
    return "\n".join(lines) + "\n"


def _counts(title: str, reasons: Sequence[str]) -> str:
    counted = Counter(reason for reason in reasons if reason).most_common()
    return _table(title, ("Files", "Reason"), [(str(number), reason) for reason, number in counted])


def _kind(refusal: str) -> str:
    """Leave the name in a refusal out, so that those of one kind are counted together."""
    return re.sub(r"(The key|!Rain::)( ?)\w+", r"\1\2…", refusal)


def _listed(title: str, rows: Sequence[tuple[str, str]]) -> str:
    return _table(title, ("Template", "Words"), rows)


def _table(title: str, heads: tuple[str, str], rows: Sequence[tuple[str, str]]) -> str:
    if not rows:
        return ""
    lines = [f"### {title}", "", f"| {heads[0]} | {heads[1]} |", "|---|---|"]
    return "\n".join([*lines, *(f"| {_plain(one)} | {_plain(other)} |" for one, other in rows), ""])


def _plain(text: str) -> str:
    flat = " ".join(text.split()).replace("|", "\\|")
    return flat if len(flat) <= 300 else flat[:299] + "…"


def _name(one: Tried) -> str:
    return f"{one.repository} {one.file}"


def _failures(tried: Sequence[Tried]) -> list[tuple[str, str]]:
    failed = [one for one in tried if one.is_counted and one.launch != "succeeded"]
    return [(_name(one), _at_fault(one) or f"{one.launch}: {one.cause}") for one in failed]


def _at_fault(one: Tried) -> str:
    """Name the fields of refused answers, not the words beside them, which are the template's own."""
    if one.sent is None or not one.sent.reasons:
        return ""
    return "refused at " + ", ".join(name.removeprefix("parameters.") for name in one.sent.reasons)


def _undeleted(tried: Sequence[Tried]) -> list[tuple[str, str]]:
    return [(_name(one), one.deletion) for one in tried if one.deletion not in ("", "succeeded")]


def _refused(tried: Sequence[Tried]) -> list[tuple[str, str]]:
    return [(_name(one), _at_fault(one)) for one in tried if one.sent and one.sent.submit_status == 422]


def _second(tried: Sequence[Tried]) -> list[tuple[str, str]]:
    return [(_name(one), one.launch) for one in tried if one.tries > 1 and one.launch == "succeeded"]


def _laid(tried: Sequence[Tried]) -> list[tuple[str, str]]:
    return [(_name(one), ", ".join(one.laid)) for one in tried if one.laid and one.is_counted]
