import pytest

from app.lanes import lane_clock


@pytest.mark.parametrize("total", [1, 4, 9.5, 45, 61, 600, 840, 7200, 90000, 900000])
def test_a_clock_has_at_most_six_lines_whatever_its_length(total: float) -> None:
    clock = lane_clock(total)
    assert len(clock.lines) <= 6
    assert all(0 < at < total for at in clock.lines)


def test_labels_step_aside_for_the_present() -> None:
    said = [words for _, _, words in lane_clock(840, 540).labels]
    assert said == ["0", "3", "6", "12", "14 min"]
    assert lane_clock(840, 540).now_words == "minute 9"


def test_a_short_job_is_counted_in_seconds() -> None:
    clock = lane_clock(20, 7)
    assert clock.unit == "s"
    assert clock.now_words == "7 s"


def test_a_job_that_takes_longer_than_forecast_moves_the_end() -> None:
    clock = lane_clock(60, 90)
    assert clock.total == 90
    assert clock.x(90) == 840


def test_bars_stay_on_the_clock_and_can_always_be_seen() -> None:
    clock = lane_clock(600, 300)
    assert clock.x(-5) == 0
    assert clock.x(9999) == 840
    assert clock.width(10, 10.1) == 4


def test_a_job_that_has_just_begun_has_a_clock() -> None:
    assert lane_clock(0, 0).x(0) == 0
