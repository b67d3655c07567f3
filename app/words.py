"""How numbers, times and lengths of time read on the screen."""

from datetime import datetime, timedelta

_UNITS = ((365 * 86400, "y"), (86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def age(moment: datetime, now: datetime) -> str:
    """Say how long ago something was ("2 h ago"), or how soon it comes ("in 1 d 20 h")."""
    seconds = int((now - moment).total_seconds())
    if seconds < 0:
        return f"in {_largest(-seconds, parts=2)}"
    if seconds == 0:
        return "just now"
    return f"{_largest(seconds, parts=1)} ago"


def duration(length: float | timedelta | None) -> str:
    """Say how long something took: "0.8 s", "12 s", "8 min 12 s", "1 d 20 h"; a dash when it is not known."""
    if length is None:
        return "–"
    seconds = length.total_seconds() if isinstance(length, timedelta) else float(length)
    if 0 < seconds < 0.95:
        return f"{max(seconds, 0.1):.1f} s"
    return _largest(round(seconds), parts=2)


def eta_range(low: float | None, high: float | None, joined_by: str = " to ") -> str:
    """Say a forecast as a range ("2 to 5 min"), naming the unit once where both ends share it. In seconds.

    A dash when nothing is known: a forecast is never made up.
    """
    if low is None or high is None:
        return "–"
    (few, unit), (many, larger) = _rounded(low), _rounded(high)
    if (few, unit) == (many, larger):
        return f"about {few} {unit}"
    return f"{few}{joined_by}{many} {unit}" if unit == larger else f"{few} {unit}{joined_by}{many} {larger}"


def number(value: float) -> str:
    """Write 1234 as "1,234", keeping one decimal where there is one."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def share(part: int, whole: int) -> str:
    """Write a share as a percentage, or "3 of 4" below five, since a rate of so few would mislead."""
    if whole < 5:
        return f"{part} of {whole}"
    return f"{round(100 * part / whole)}\u00a0%"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun: "1 stack", "1,204 stacks"."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def moment(at: datetime) -> str:
    """Write an absolute time: "23 Nov 2026, 14:32 UTC"."""
    return f"{day(at)}, {at:%H:%M} UTC"


def day(at: datetime) -> str:
    """Write a date: "2 Jun 2026"."""
    return f"{at.day} {at:%b %Y}"


def time_of_day(at: datetime) -> str:
    """Write the time within a day: "14:23:02"."""
    return f"{at:%H:%M:%S}"


def short_id(value: str, most: int = 34) -> str:
    """Shorten the id of a resource to what tells it apart: an address or ARN to its end, a long name in its middle."""
    if value.startswith(("arn:", "http://", "https://")):
        value = value.rstrip("/").replace(":", "/").rsplit("/", 1)[-1] or value
    if len(value) <= most:
        return value
    end = most // 3
    return f"{value[: most - end - 1]}…{value[-end:]}"


def _largest(seconds: int, parts: int) -> str:
    said: list[str] = []
    for size, unit in _UNITS:
        if seconds >= size and len(said) < parts:
            said.append(f"{seconds // size} {unit}")
            seconds %= size
        elif said:
            break
    return " ".join(said) or "0 s"


def _rounded(seconds: float) -> tuple[int, str]:
    if seconds < 90:
        # Nobody waits by the second: forecasts move in steps of five.
        return (max(5, round(seconds / 5) * 5), "s") if seconds > 5 else (max(1, round(seconds)), "s")
    return (round(seconds / 60), "min") if seconds < 5400 else (round(seconds / 3600), "h")
