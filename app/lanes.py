"""The clock that the bars of a job's resources share."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

WIDTH = 840
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)


@dataclass(frozen=True)
class LaneClock:
    """From the start of a job to the later of its end and its forecast, in seconds; `now` while it still runs.

    Bars are drawn on a viewBox of WIDTH units; only the labels use percentages, so that their letters keep their shape.
    """

    total: float
    now: float | None = None

    def x(self, seconds: float) -> float:
        """Return the place of a moment on the viewBox."""
        return round(min(max(seconds, 0), self.total) * WIDTH / self.total, 1)

    def width(self, start: float, end: float) -> float:
        """Return the width of a bar; the shortest is still wide enough to be seen."""
        return round(max(self.x(end) - self.x(start), 4), 1)

    def percent(self, seconds: float) -> str:
        """Return the place of a moment as SVG text wants it."""
        return f"{100 * seconds / self.total:.2f}%"

    @property
    def step(self) -> int:
        """Seconds between two lines, so that at most six fit."""
        return next((step for step in _STEPS if self.total / step <= 6), 7 * _STEPS[-1])

    @property
    def lines(self) -> tuple[int, ...]:
        """The seconds at which a line stands, without both ends."""
        return tuple(takewhile(lambda at: at < self.total * 0.995, range(self.step, int(self.total) + 1, self.step)))

    @property
    def labels(self) -> Iterator[tuple[str, str, str]]:
        """Yield place, anchor and words of each label; those that would touch the present or the end step aside."""
        yield "0", "start", "0"
        for at in self.lines:
            if at < self.total * 0.88 and not self._is_near_now(at):
                yield self.percent(at), "middle", self._words(at)
        if not self._is_near_now(self.total):
            yield "100%", "end", f"{self._words(self.total)} {self.unit}"

    @property
    def unit(self) -> str:
        """The unit the labels count in."""
        return "s" if self.step < 60 else "min" if self.step < 3600 else "h"

    @property
    def now_words(self) -> str:
        """What stands above the present: "minute 9", "12 s"."""
        now = self.now or 0
        return f"minute {now // 60:.0f}" if self.unit == "min" else f"{self._words(now)} {self.unit}"

    def _is_near_now(self, at: float) -> bool:
        return self.now is not None and abs(at - self.now) < self.total * 0.09

    def _words(self, at: float) -> str:
        return f"{at / {'s': 1, 'min': 60, 'h': 3600}[self.unit]:.0f}"


def lane_clock(total: float, now: float | None = None) -> LaneClock:
    """Return the clock of a job; never shorter than a second, nor than what has already passed."""
    return LaneClock(max(total, now or 0, 1.0), now)
