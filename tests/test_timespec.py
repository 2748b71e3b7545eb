"""Moments and spans, as people type them."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from kfnb.errors import UsageError
from kfnb.text.timespec import instant, span
from kfnb.text.timestamps import rfc3339, seconds


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("1h", 3600), ("2D", 172800), ("1w", 604800)]
)
def test_a_span_is_a_number_and_a_unit(text, seconds):
    assert span(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "h", "0h", "-1h", "1.5h", "1 month"])
def test_what_is_no_span_says_how_one_is_written(text):
    with pytest.raises(UsageError, match="write 90s, 30m, 1h, 2d or 1w"):
        span(text)


def test_a_moment_is_a_date_a_time_or_so_long_ago():
    assert instant("2026-11-25T06:00:00Z") == 1795586400
    assert instant("2026-11-25T06:00:00+01:00") == 1795582800
    assert instant("2d", now=1_000_000) == 827_200
    assert instant("2d", ahead=True, now=0) == 172_800
    assert instant(12) == 12.0
    assert instant(datetime(2026, 11, 25, 6, tzinfo=timezone.utc)) == 1795586400
    assert instant("2026-11-25") == datetime(2026, 11, 25).timestamp()  # noqa: DTZ001 - local time is meant
    assert rfc3339(1795586400) == "2026-11-25T06:00:00Z"


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "25.11.2026"])
def test_what_is_no_moment_says_how_one_is_written(text):
    with pytest.raises(UsageError, match="is not a time: write 2026-11-25"):
        instant(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-25T06:00:00Z", 1795586400.0),
        ("2026-11-25T06:00:00.250Z", 1795586400.25),
        ("2026-11-25T06:00:00.250000000Z", 1795586400.25),
        ("2026-11-25T08:00:00.25+02:00", 1795586400.25),
        ("2026-11-25T06:00:00", 1795586400.0),
        ("0001-01-01T00:00:00Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("2d", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_a_timestamp_of_a_server_is_in_utc_and_go_s_zero_is_none(text, expected):
    assert seconds(text) == expected
