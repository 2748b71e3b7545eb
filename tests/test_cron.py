"""Cron: what KFP takes, and when it runs on the clock of a zone, against a search minute by minute."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kfnb.errors import UsageError
from kfnb.text.cron import Cron, cron, cron_note
from kfnb.text.timezones import local_zone, zone_of

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/St_Johns",
    "Asia/Kathmandu",
    "UTC",
)
"""Zones whose clocks are changed at night, at midnight, by half an hour, for Ramadan, or never."""


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("0 6 * * *", "0 0 6 * * *"),
        ("*/15 8-18 * * mon-fri", "0 */15 8-18 * * mon-fri"),
        ("0 0 2 * * *", "0 0 2 * * *"),
        ("30 0 0 1,15 jan ?", "30 0 0 1,15 jan ?"),
        ("@daily", "@daily"),
    ],
)
def test_crontabs_five_fields_get_kfps_second(text, made):
    assert cron(text) == made


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("not a cron", "has 3 fields"),
        ("", "has 0 fields"),
        ("60 6 * * *", "'60' is not a valid minute: write 0 to 59"),
        ("0 6 * * 7", "'7' is not a valid day of the week: write 0 to 6, or sun to sat"),
        ("0 6 * foo *", "'foo' is not a valid month"),
        ("0 \u00b2 * * *", "is not a valid hour"),
        ("0 6 0 * *", "'0' is not a valid day of the month"),
        ("0 18-8 * * *", "ends before it begins"),
        ("*/0 * * * *", "is not a valid minute"),
        ("0 6 * * 1;2", "is not a valid day of the week"),
        ("@every 1h", "use --every 1h for intervals"),
    ],
)
def test_a_schedule_that_kfp_would_not_take_is_told_by_its_field(text, told):
    with pytest.raises(UsageError) as caught:
        cron(text)
    assert told in str(caught.value)


def test_what_was_made_of_a_schedule_is_said():
    assert cron_note("0 6 * * *") == "'0 6 * * *' is '0 0 6 * * *' in KFP's cron, which begins with seconds"
    assert cron_note("0 0 6 * * *") == ""


def runs(text: str, since: str, count: int, zone: str = "Europe/Berlin") -> list[str]:
    """The next times of a schedule after a time of the zone's clock, as that shows them."""
    where = ZoneInfo(zone)
    at = datetime.fromisoformat(since).replace(tzinfo=where).timestamp()
    schedule = Cron.read(cron(text))
    found = []
    for _ in range(count):
        following = schedule.after(at, where)
        assert following is not None
        at = following
        found.append(f"{datetime.fromtimestamp(at, where):%m-%d %H:%M%z}")
    return found


def test_a_schedule_runs_at_the_times_of_its_zone() -> None:
    assert runs("0 6 * * 1-5", "2026-11-27T07:00", 2) == ["11-30 06:00+0100", "12-01 06:00+0100"]
    assert runs("*/20 8 * * *", "2026-07-01T08:10", 3) == [
        "07-01 08:20+0200",
        "07-01 08:40+0200",
        "07-02 08:00+0200",
    ]
    assert runs("@monthly", "2026-11-30T12:00", 1) == ["12-01 00:00+0100"]


def test_the_day_of_the_month_or_of_the_week_fits_where_both_are_given() -> None:
    assert runs("0 0 13 * fri", "2026-11-01T00:00", 3) == [
        "11-06 00:00+0100",
        "11-13 00:00+0100",
        "11-20 00:00+0100",
    ]
    assert runs("0 0 1 1 ?", "2026-11-01T00:00", 1) == ["01-01 00:00+0100"]


def test_a_time_that_the_clock_leaves_out_is_at_the_moment_of_the_change() -> None:
    """On 29 March 2026, 02:00 to 03:00 do not exist in Berlin."""
    assert runs("30 2 * * *", "2026-03-28T12:00", 2) == ["03-29 03:00+0200", "03-30 02:30+0200"]
    assert runs("0,30 2,3 * * *", "2026-03-28T12:00", 3) == [
        "03-29 03:00+0200",
        "03-29 03:30+0200",
        "03-30 02:00+0200",
    ]


def test_a_time_that_comes_twice_is_the_first_of_them() -> None:
    """On 25 October 2026, 02:00 to 03:00 come twice in Berlin."""
    assert runs("30 2 * * *", "2026-10-24T12:00", 2) == ["10-25 02:30+0200", "10-26 02:30+0100"]
    second = datetime(2026, 10, 25, 2, 15, fold=1, tzinfo=BERLIN).timestamp()
    following = Cron.read(cron("30 2 * * *")).after(second, BERLIN)
    assert following == datetime(2026, 10, 26, 2, 30, tzinfo=BERLIN).timestamp()


def test_a_schedule_of_all_hours_continues_evenly_when_the_clock_is_changed() -> None:
    for day in ("2026-03-28T23:00", "2026-10-24T23:00"):
        at = datetime.fromisoformat(day).replace(tzinfo=BERLIN).timestamp()
        for _ in range(20):
            following = Cron.read(cron("*/30 * * * *")).after(at, BERLIN)
            assert following is not None
            assert following - at == 1800
            at = following


def test_a_day_that_never_comes_has_no_next_run() -> None:
    assert Cron.read(cron("0 6 30 2 *")).after(0, BERLIN) is None
    assert runs("0 6 29 2 *", "2096-03-01T00:00", 1, "UTC") == ["02-29 06:00+0000"]  # 2100 has none


def test_an_unknown_zone_is_refused_with_a_name_that_is_like_it() -> None:
    with pytest.raises(UsageError, match="unknown time zone Europe/Belrin; did you mean Europe/Berlin"):
        zone_of("Europe/Belrin")


def test_the_zone_of_this_machine_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    zone_of(local_zone())
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert local_zone() == "Asia/Tokyo"


# what runs in a span of time, found without any arithmetic on fields: minute by minute


def _fits(field: str, number: int, high: int) -> bool:
    for part in field.split(","):
        span, _, step = part.partition("/")
        low, _, end = span.partition("-")
        first = 0 if span == "*" else int(low)
        last = high if span == "*" or (step and not end) else int(end or low)
        if first <= number <= last and (number - first) % int(step or 1) == 0:
            return True
    return False


def _on_the_wall(fields: list[str], wall: datetime) -> bool:
    """Whether a time of a wall clock fits. Days count from 0 only where all of them fit or none has a step."""
    minute, hour, day, month, weekday = fields
    by_day, by_weekday = _fits(day, wall.day, 31), _fits(weekday, wall.isoweekday() % 7, 6)
    days = by_day and by_weekday if "*" in (day[0], weekday[0]) else by_day or by_weekday
    return (
        days
        and _fits(minute, wall.minute, 59)
        and _fits(hour, wall.hour, 23)
        and _fits(month, wall.month, 12)
    )


def searched(text: str, start: int, minutes: int, zone: ZoneInfo) -> Iterator[int]:
    """The times of a schedule after ``start``, in so many minutes."""
    fields = text.split()
    shown = datetime.fromtimestamp(start, zone)
    for at in range(start + 60, start + minutes * 60, 60):
        before, shown = shown, datetime.fromtimestamp(at, zone)
        if fields[1] == "*":
            if _on_the_wall(fields, shown.replace(tzinfo=None)):
                yield at
            continue
        left_out, expected = [], before.replace(tzinfo=None) + timedelta(minutes=1)
        while expected < shown.replace(tzinfo=None):
            left_out.append(expected)
            expected += timedelta(minutes=1)
        now_fits = not shown.fold and _on_the_wall(fields, shown.replace(tzinfo=None))
        if now_fits or any(_on_the_wall(fields, wall) for wall in left_out):
            yield at


def field(high: int, low: int = 0) -> st.SearchStrategy[str]:
    numbers = st.integers(low, high)
    spans = st.tuples(numbers, numbers).map(lambda ends: f"{min(ends)}-{max(ends)}")
    lists = st.lists(numbers, min_size=1, max_size=3).map(lambda found: ",".join(map(str, found)))
    return st.one_of(st.just("*"), spans, lists)


SCHEDULES = st.tuples(
    st.one_of(field(59), st.just("*/7")),
    st.one_of(field(23), st.just("*")),
    st.one_of(st.just("*"), field(31, 1)),
    st.just("*"),
    st.one_of(st.just("*"), field(6)),
).map(" ".join)


def changes(zone: ZoneInfo) -> list[int]:
    """When the zone's clock is changed in 2026 and 2027; some other time where it is not."""
    start = int(datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp())
    offsets = [datetime.fromtimestamp(start + hour * 3600, zone).utcoffset() for hour in range(2 * 8760)]
    found = [hour for hour, (one, other) in enumerate(pairwise(offsets)) if one != other]
    return [start + hour * 3600 for hour in found] or [start]


CHANGES = {name: changes(ZoneInfo(name)) for name in ZONES}


@settings(deadline=None, max_examples=150)
@given(SCHEDULES, st.sampled_from(ZONES), st.integers(0, 9), st.integers(-1500, 300))
def test_the_next_times_are_those_of_a_search_minute_by_minute(
    text: str, name: str, which: int, before: int
) -> None:
    zone, near = ZoneInfo(name), CHANGES[name]
    start = near[which % len(near)] + before * 60
    start -= start % 60
    expected = list(islice(searched(text, start, 3 * 1440, zone), 40))
    schedule, at, found = Cron.read(cron(text)), float(start), []
    while len(found) < len(expected):
        following = schedule.after(at, zone)
        assert following is not None
        assert following > at
        at = following
        found.append(at)
    assert found == expected


def test_the_next_time_is_found_at_once() -> None:
    began = time.perf_counter()
    for text in ("0 6 29 2 *", "* * * * * *", "0 6 30 2 *", "59 23 31 12 *"):
        Cron.read(cron(text)).after(1796065095, BERLIN)
    assert time.perf_counter() - began < 1
