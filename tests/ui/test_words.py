from datetime import UTC, datetime, timedelta

import pytest

from app import words

NOW = datetime(2026, 11, 23, 14, 32, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=40), "40 s ago"),
        (timedelta(seconds=59.9), "59 s ago"),
        (timedelta(minutes=26, seconds=3), "26 min ago"),
        (timedelta(hours=2, minutes=59), "2 h ago"),
        (timedelta(days=64, hours=3), "64 d ago"),
        (timedelta(days=389), "1 y ago"),
        (-timedelta(hours=44), "in 1 d 20 h"),
        (-timedelta(minutes=5), "in 5 min"),
    ],
)
def test_an_age_is_said_in_its_largest_unit(before: timedelta, said: str) -> None:
    assert words.age(NOW - before, NOW) == said


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (None, "–"),
        (0, "0 s"),
        (0.04, "0.1 s"),
        (0.8, "0.8 s"),
        (0.97, "1 s"),
        (12.4, "12 s"),
        (59.8, "1 min"),
        (492, "8 min 12 s"),
        (timedelta(minutes=2), "2 min"),
        (7500, "2 h 5 min"),
        (3605, "1 h"),
        (158400, "1 d 20 h"),
    ],
)
def test_a_duration_names_at_most_two_units(length: float | timedelta | None, said: str) -> None:
    assert words.duration(length) == said


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (120, 300, "2 to 5 min"),
        (18, 42, "20 to 40 s"),
        (40, 130, "40 s to 2 min"),
        (300, 310, "about 5 min"),
        (1, 3, "1 to 3 s"),
        (3000, 9000, "50 min to 2 h"),
        (None, 300, "–"),
    ],
)
def test_a_forecast_is_a_range(low: float | None, high: float, said: str) -> None:
    assert words.eta_range(low, high) == said


def test_a_range_in_a_table_is_joined_by_a_dash() -> None:
    assert words.eta_range(660, 840, "–") == "11–14 min"


def test_numbers_have_comma_thousands_and_nouns_agree() -> None:
    assert words.number(1234) == "1,234"
    assert words.number(12.5) == "12.5"
    assert words.plural(1, "stack") == "1 stack"
    assert words.plural(1204, "stack") == "1,204 stacks"
    assert words.plural(2, "entry", "entries") == "2 entries"


def test_a_rate_of_few_is_written_as_a_count() -> None:
    assert words.share(3, 4) == "3 of 4"
    assert words.share(32, 34) == "94\u00a0%"


def test_moments_are_written_in_utc() -> None:
    assert words.moment(NOW) == "23 Nov 2026, 14:32 UTC"
    assert words.day(datetime(2026, 6, 2, tzinfo=UTC)) == "2 Jun 2026"
    assert words.time_of_day(NOW) == "14:32:06"


def test_a_long_id_keeps_what_tells_it_apart():
    assert words.short_id("vpc-0b51") == "vpc-0b51"
    assert words.short_id("arn:aws:sqs:eu-west-1:111122223333:refunds") == "refunds"
    assert words.short_id("https://sqs.eu-west-1.amazonaws.com/111122223333/refunds") == "refunds"
    assert words.short_id("refunds-queue-stk7q2f-DeadLetterQueue-7ADC259C5FA8", 21) == "refunds-queue…59C5FA8"
