"""What the scheduler does when: ticks in time, missed ones, pauses, clocks that are changed. No processes, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.jobs.fold import Event
from kfnb.jobs.scheduler.history import Missed, Reason, ScheduleHistory, TickState, key_of
from kfnb.jobs.scheduler.planning import Moment, TickPlan, plan, went_back
from kfnb.jobs.scheduler.timing import Timing

GRACE = 5.0
EVERY_MINUTE = Timing(every=60.0, anchor=0.0)
NO_CATCH_UP = Timing(every=60.0, anchor=0.0, catch_up=False)


@dataclass
class Schedule:
    """A schedule as the scheduler sees it, with events in memory. Its ticks take no time."""

    timing: Timing = EVERY_MINUTE
    since: float = 0.0
    past: ScheduleHistory = field(default_factory=ScheduleHistory)
    done: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.write("created", through=0.0, enabled=True)

    def write(self, kind: str, task: str = "", **data: Any) -> None:
        self.past.add(Event(self.past.seq + 1, 0.0, kind, task, data))
        assert not self.past.skipped

    def planned(self, now: float, *, busy: bool = False) -> TickPlan:
        return plan(self.timing, self.past, Moment(now, self.since, GRACE, busy))

    def poll(self, now: float, *, busy: bool = False, fails: bool = False) -> TickPlan:
        if went_back(self.past, now):
            self.write("set_back", shown=self.past.through, at=now)
        made = self.planned(now, busy=busy)
        if made.missed:
            self.write(
                "missed",
                count=made.missed.count,
                first=made.missed.first,
                last=made.missed.last,
                reason=str(made.missed.reason),
                at=made.missed.at,
                caught_up=made.missed.caught_up,
            )
        if made.tick is not None:
            key = key_of(made.tick)
            assert not self.past.has(key), "done twice"
            self.write("tick", key, due=made.tick, by_hand=False, began=now)
            state = TickState.FAILED if fails else TickState.SUCCEEDED
            self.write("ended", key, state=str(state), at=now, note="", made="")
            self.done.append(made.tick)
        return made


def test_a_tick_is_done_at_its_time_once() -> None:
    one = Schedule()
    assert one.poll(59) == TickPlan(wake=60)
    assert one.poll(60.2) == TickPlan(60.0, None, 120.0)
    assert one.poll(60.3) == TickPlan(wake=120)
    assert one.poll(120).tick == 120.0


def test_what_was_missed_is_done_once_and_noted() -> None:
    one = Schedule()
    one.poll(60)
    one.since = 1000.0
    made = one.poll(1000)
    assert made.tick == 960.0
    assert made.missed == Missed(15, 120.0, 960.0, Reason.OFF, 1000, caught_up=True)
    assert one.poll(1001).tick is None


def test_a_tick_in_time_is_none_of_those_that_were_missed() -> None:
    one = Schedule(since=0)
    made = one.poll(301)
    assert (made.tick, made.missed) == (300.0, Missed(4, 60.0, 240.0, Reason.SLEPT, 301))


def test_without_catching_up_what_is_late_is_only_noted() -> None:
    one = Schedule(NO_CATCH_UP)
    assert one.poll(150) == TickPlan(None, Missed(2, 60.0, 120.0, Reason.SLEPT, 150), 180.0)
    assert one.poll(180).tick == 180.0
    assert one.poll(301) == TickPlan(300.0, Missed(1, 240.0, 240.0, Reason.SLEPT, 301), 360.0)


def test_nothing_is_done_while_it_is_paused_and_once_afterwards() -> None:
    one = Schedule()
    one.write("enabled", enabled=False, at=30.0)
    assert one.poll(200) == TickPlan()
    one.write("enabled", enabled=True, at=250.0)
    assert one.poll(250).missed == Missed(4, 60.0, 240.0, Reason.PAUSED, 250, caught_up=True)
    assert one.done == [240.0]


def test_a_tick_that_would_overlap_is_left_out() -> None:
    one = Schedule()
    assert one.poll(60, busy=True) == TickPlan(None, Missed(1, 60.0, 60.0, Reason.BUSY, 60), 120.0)
    assert one.poll(61) == TickPlan(wake=120)


def test_after_failures_it_waits_longer_and_longer() -> None:
    one = Schedule()
    now = 60.0
    while now <= 6000:
        one.poll(now, fails=True)
        now += 60
    waits = [int(other - one_) for one_, other in zip(one.done, one.done[1:], strict=False)]
    assert waits == [60, 120, 240, 480, 960, 1920]
    assert {one.reason for one in one.past.missed} == {Reason.BACKS_OFF}
    now = one.past.waits_until + 60 - one.past.waits_until % 60
    one.poll(now)
    assert (one.past.failures, one.past.waits_until) == (0, 0)


def test_a_clock_that_is_set_back_repeats_nothing_and_goes_on() -> None:
    one = Schedule()
    for now in range(60, 3601, 60):
        one.poll(now)
    before = list(one.done)
    assert one.poll(1800) == TickPlan(wake=1860.0)
    for now in range(1860, 3601, 60):
        one.poll(now)
    assert one.done == before
    assert one.poll(3660).tick == 3660.0
    assert one.past.notes_of_clock == ((3600.0, 1800.0),)


def test_a_clock_that_was_a_year_ahead_does_not_silence_a_schedule_for_a_year() -> None:
    one = Schedule()
    one.poll(60)
    year = 365 * 86400.0
    assert one.poll(year).missed is not None
    assert one.poll(130) == TickPlan(wake=180.0)
    assert one.poll(180).tick == 180.0


@pytest.mark.parametrize("ahead", [0.5, 30])
def test_a_clock_that_is_moved_a_little_changes_nothing(ahead: float) -> None:
    one = Schedule()
    one.poll(60)
    assert one.poll(60 - ahead).tick is None
    assert one.past.notes_of_clock == ()
    assert one.poll(120).tick == 120.0


def test_a_start_and_an_end_are_kept_to() -> None:
    one = Schedule(Timing(every=60.0, anchor=100.0, start=100.0, end=220.0))
    assert one.planned(50) == TickPlan(wake=100.0)
    for now in (100, 160, 220, 280):
        one.poll(now)
    assert one.done == [100.0, 160.0, 220.0]
    assert one.poll(1000) == TickPlan()


def test_many_missed_ticks_cost_little() -> None:
    seconds = Timing(cron="* * * * * *", zone="Europe/Berlin")
    due = seconds.due(0, 1_796_065_095.5)
    assert due is not None
    assert (due.first, due.before_last, due.last) == (1.0, 1_796_065_094.0, 1_796_065_095.0)
    assert Timing(every=1.0).due(0, 1e9).count == 1_000_000_000  # type: ignore[union-attr]


@given(st.lists(st.floats(-5000, 5000), max_size=20))
def test_however_the_clock_jumps_no_tick_is_done_twice_and_the_next_ones_are_done(
    jumps: list[float],
) -> None:
    one, now = Schedule(), 0.0
    for jump in jumps:
        now = max(0.0, now + jump)
        one.poll(now)
    one.poll(now)
    first = int(now // 60 + 1) * 60
    for following in range(first, first + 600, 60):
        one.poll(following)
    assert {float(tick) for tick in range(first, first + 600, 60)} <= set(one.done)


STEPS = st.lists(
    st.tuples(st.sampled_from(["wait", "sleep", "off", "pause", "resume", "busy"]), st.floats(0.1, 900)),
    max_size=40,
)


@given(st.booleans(), STEPS)
def test_each_tick_is_done_once_or_noted_as_missed(catch_up: bool, steps: list[tuple[str, float]]) -> None:
    one, now = Schedule(Timing(every=60.0, anchor=0.0, catch_up=catch_up)), 0.0
    for what, seconds in [*steps, ("resume", 1.0)]:
        if what in ("pause", "resume"):
            one.write("enabled", enabled=what == "resume", at=now)
        until = now + seconds
        while what == "wait" and now < until:
            now = min(until, one.planned(now).wake or until)
            one.poll(now)
        now = until
        one.since = now if what == "off" else one.since
        one.poll(now, busy=what == "busy")
    due = [float(tick) for tick in range(60, int(now) + 1, 60)]
    missed = [tick for tick in due for span in one.past.missed if span.first <= tick <= span.last]
    late = [span.last for span in one.past.missed if span.caught_up]
    assert sorted([*one.done, *missed]) == sorted([*due, *late])
    assert sum(span.count for span in one.past.missed) == len(missed)
    assert len(set(one.done)) == len(one.done)
