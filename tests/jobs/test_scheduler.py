"""The scheduler with real processes: kills, pauses, ticks that hang, fail or overlap, and what is left behind."""

from __future__ import annotations

import os
import random
import signal
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from kfnb import clock
from kfnb.errors import BackendError
from kfnb.jobs import linux
from kfnb.jobs.scheduler import control, records
from kfnb.jobs.scheduler.folder import ScheduleFolder, ScheduleSpec, existing, scheduler_of
from kfnb.jobs.scheduler.history import Reason, ScheduleHistory, TickState
from kfnb.jobs.scheduler.order import TickOrder, start
from kfnb.jobs.scheduler.timing import Timing

RATE = 60.0
"""How many seconds pass on the tests' clock in a real one."""
MIDNIGHT = 1_796_083_200.0


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home on a clock that is sped up, in which nothing runs any more afterwards."""
    monkeypatch.setenv(clock.VARIABLE, str(tmp_path / "clock"))
    monkeypatch.setenv("PYTHONPATH", f"{os.environ.get('PYTHONPATH', '')}:{Path(__file__).parent}")
    clock.set_clock(tmp_path / "clock", rate=RATE, at=MIDNIGHT)
    yield tmp_path / "home"
    for one in existing(tmp_path / "home"):
        control.delete(one)
    wait_for(lambda: not alive(tmp_path / "home"))


def wait_for(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)
    return found


def alive(home: Path) -> int | None:
    """The process of the home's scheduler, if it runs."""
    scheduler = scheduler_of(home)
    lock = scheduler.lock()
    if lock is None:
        return scheduler.pid
    os.close(lock)
    return None


def kill(home: Path) -> None:
    """Kill the scheduler."""
    os.kill(wait_for(lambda: alive(home)), signal.SIGKILL)
    wait_for(lambda: not alive(home))


def add(home: Path, every: float = 60.0, timeout: float = 3600.0, **data: Any) -> ScheduleFolder:
    file = home.parent / f"done-{len(existing(home)) if home.exists() else 0}"
    timing = Timing(every=every, anchor=clock.now(), catch_up=data.pop("catch_up", True))
    spec = ScheduleSpec("nightly", "ticks", timing, {"file": str(file), **data}, timeout)
    return control.add(home, spec)


def done(folder: ScheduleFolder) -> list[float]:
    """The ticks that were done, as they say themselves."""
    with suppress(FileNotFoundError):
        return [float(line) for line in Path(folder.spec().data["file"]).read_text().split()]
    return []


def ticks_of(folder: ScheduleFolder, state: TickState) -> list[float]:
    return [one.due for one in records.history(folder).ticks if one.state is state]


def accounted(folder: ScheduleFolder, past: ScheduleHistory) -> None:
    """Each tick until now was begun once, or is noted as missed."""
    timing = folder.spec().timing
    due = [timing.anchor + number * timing.every for number in range(1, 10_000)]
    due = [tick for tick in due if tick <= past.through + 1e-3]
    begun = [one.due for one in past.ticks if not one.by_hand]
    missed = [
        tick
        for tick in due
        for span in past.missed
        if span.first - 1e-3 <= tick <= span.last + 1e-3 and not (span.caught_up and tick in begun)
    ]
    assert sorted(round(tick, 2) for tick in [*begun, *missed]) == [round(tick, 2) for tick in due]
    assert len(set(done(folder))) == len(done(folder))


def test_ticks_are_done_by_a_process_that_needs_no_kernel(home: Path) -> None:
    folder = add(home)
    wait_for(lambda: len(ticks_of(folder, TickState.SUCCEEDED)) >= 3)
    past = records.history(folder)
    first = past.ticks[0]
    assert (first.note, first.made, first.by_hand) == ("done", "made-it", False)
    assert first.due == pytest.approx(folder.spec().created + 60, abs=2)
    assert first.due <= first.began <= (first.ended or 0)
    accounted(folder, past)


def test_one_process_starts_the_ticks_of_all_schedules_and_sleeps_in_little_memory(home: Path) -> None:
    folders = [add(home, 120), add(home, 60), add(home, 3600 * 24)]
    wait_for(lambda: done(folders[0]) and done(folders[1]))
    pid = alive(home)
    control.ensure_running(home)
    time.sleep(0.2)
    assert alive(home) == pid
    status = Path(f"/proc/{pid}/status").read_text()
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon"))
    assert own < 25_000, f"{own} kB"


@pytest.mark.slow
def test_what_was_missed_while_no_scheduler_ran_is_done_once(home: Path) -> None:
    folder = add(home, 30)
    wait_for(lambda: done(folder))
    kill(home)
    before = len(done(folder))
    clock.set_clock(home.parent / "clock", rate=RATE, at=clock.now() + 6 * 3600)
    control.ensure_running(home)
    wait_for(lambda: len(done(folder)) > before)
    missed = next(one for one in records.history(folder).missed if one.count > 100)
    assert missed.reason is Reason.OFF
    assert missed.count >= 700
    assert len(done(folder)) <= before + 5


def test_a_machine_that_slept_is_noticed(home: Path) -> None:
    folder = add(home, 60)
    wait_for(lambda: done(folder))
    clock.set_clock(home.parent / "clock", rate=RATE, at=clock.now() + 3600)
    missed = wait_for(lambda: [one for one in records.history(folder).missed if one.count > 50])
    assert missed[0].reason is Reason.SLEPT
    accounted(folder, records.history(folder))


@pytest.mark.slow
def test_a_clock_that_is_set_back_is_noted_and_no_tick_is_repeated(home: Path) -> None:
    folder = add(home, 60)
    wait_for(lambda: len(done(folder)) >= 2)
    clock.set_clock(home.parent / "clock", rate=RATE, at=clock.now() - 1800)
    wait_for(lambda: records.history(folder).notes_of_clock)
    clock.set_clock(home.parent / "clock", rate=RATE, at=clock.now() + 1750)
    many = len(done(folder))
    wait_for(lambda: len(done(folder)) >= many + 2)
    assert len(set(done(folder))) == len(done(folder))


def test_of_several_processes_that_do_one_tick_only_one_does_it(home: Path) -> None:
    folder = add(home, 1e6)
    order = TickOrder(MIDNIGHT + 7)
    for process in [start(folder, order) for _ in range(6)]:
        process.wait(30)
    assert done(folder) == [MIDNIGHT + 7]


@pytest.mark.slow
def test_a_tick_is_left_out_while_the_one_before_runs(home: Path) -> None:
    folder = add(home, 60, then="sleep", seconds=2.5)
    wait_for(lambda: any(one.reason is Reason.BUSY for one in records.history(folder).missed))
    wait_for(lambda: len(done(folder)) >= 2)
    accounted(folder, records.history(folder))


@pytest.mark.slow
def test_a_tick_continues_without_the_scheduler(home: Path) -> None:
    folder = add(home, 60, then="sleep", seconds=2)
    wait_for(lambda: done(folder))
    kill(home)
    wait_for(lambda: ticks_of(folder, TickState.SUCCEEDED))


@pytest.mark.slow
def test_a_tick_that_hangs_is_ended(home: Path) -> None:
    folder = add(home, 60, timeout=60, then="sleep", seconds=100)
    wait_for(lambda: ticks_of(folder, TickState.FAILED))
    first = records.history(folder).ticks[0]
    assert first.note == "timed out after 60 s"
    wait_for(lambda: len(done(folder)) >= 2)


@pytest.mark.parametrize(
    ("then", "note"),
    [
        ("fail", "no such service"),
        ("break", "ValueError: bug"),
        ("die", "process lost: the tick was killed, or the machine went down: last words"),
    ],
)
def test_a_tick_that_fails_says_why_and_the_next_ones_wait(home: Path, then: str, note: str) -> None:
    folder = add(home, 15, then=then)
    wait_for(lambda: len(ticks_of(folder, TickState.FAILED)) >= 2)
    past = records.history(folder)
    assert past.ticks[0].note == note
    assert past.waits_until > past.ticks[1].due
    assert Reason.BACKS_OFF in {one.reason for one in past.missed}


@pytest.mark.slow
def test_a_program_that_cannot_be_started_is_a_failure_with_its_reason(home: Path) -> None:
    timing = Timing(every=60.0, anchor=clock.now())
    gone = control.add(home, ScheduleSpec("x", "ticks", timing, python="/no/such/python"))
    unknown = control.add(home, ScheduleSpec("x", "no_such_module", timing))
    broken = control.add(home, ScheduleSpec("x", "ticks", timing, package="/no/such/folder"))
    notes = [
        wait_for(lambda one=one: [tick.note for tick in records.history(one).ticks if tick.ended])[0]
        for one in (gone, unknown, broken)
    ]
    assert "cannot be started" in notes[0]
    assert notes[1] == "ModuleNotFoundError: No module named 'no_such_module'"
    assert "cannot be started" in notes[2]


@pytest.mark.slow
def test_a_paused_schedule_does_nothing_and_the_scheduler_leaves(home: Path) -> None:
    folder = add(home, 60)
    wait_for(lambda: done(folder))
    control.pause(folder)
    wait_for(lambda: not alive(home))
    many, paused = len(done(folder)), clock.now()
    wait_for(lambda: clock.now() > paused + 3 * 60)  # two ticks are missed, the third one may be done late
    assert len(done(folder)) == many
    control.resume(folder)
    wait_for(lambda: len(done(folder)) > many)
    assert Reason.PAUSED in {one.reason for one in records.history(folder).missed}


def test_a_tick_can_be_run_now_also_of_a_paused_schedule(home: Path) -> None:
    folder = add(home, 1e6)
    control.pause(folder)
    tick = control.run_now(folder)
    assert (tick.state, tick.by_hand, tick.note) == (TickState.SUCCEEDED, True, "done")
    assert len(done(folder)) == 1


def test_while_a_tick_runs_another_is_refused(home: Path) -> None:
    folder = add(home, 60, then="sleep", seconds=3)
    wait_for(lambda: done(folder))
    with pytest.raises(BackendError, match="schedule nightly is running a tick now; wait for its end"):
        control.run_now(folder)


@pytest.mark.slow
def test_after_the_last_is_deleted_nothing_is_left(home: Path) -> None:
    folder = add(home, 60, then="sleep", seconds=100)
    wait_for(lambda: done(folder))
    control.delete(folder)
    wait_for(lambda: not alive(home))
    assert linux.tagged(folder.tag) == []
    assert [one.name for one in (home / "schedules").iterdir()] == [".scheduler"]


def test_only_their_user_can_read_schedules(home: Path) -> None:
    folder = add(home)
    wait_for(lambda: done(folder))
    assert stat.S_IMODE((home / "schedules").stat().st_mode) == 0o700
    files = [file for file in (home / "schedules").rglob("*") if not file.is_dir()]
    assert {stat.S_IMODE(file.stat().st_mode) & 0o077 for file in files} == {0}


def test_a_damaged_schedule_does_not_keep_others_from_their_ticks(home: Path) -> None:
    damaged, well = add(home, 60), add(home, 60)
    (damaged.path / "schedule.json").write_text("{}")
    kill(home)
    control.ensure_running(home)
    wait_for(lambda: done(well))


def test_old_ticks_are_forgotten(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = add(home, 1e6)
    monkeypatch.setattr(records, "KEPT", 3)
    for number in range(6):
        order = TickOrder(MIDNIGHT + number)
        with records.opened(folder.path) as log:
            records.begin(log, order)
            records.end(log, order.key, records.TickOutcome())
    past = records.history(folder)
    assert [one.due - MIDNIGHT for one in past.ticks] == [3, 4, 5]
    assert past.skipped == 0


@pytest.mark.slow
def test_killed_at_any_moment_it_loses_no_tick_and_does_none_twice(home: Path) -> None:
    chance = random.Random(7)
    folder = add(home, 45)
    for _ in range(20):
        time.sleep(chance.uniform(0.05, 1.2))
        victims = [one for one in (alive(home), *linux.tagged(folder.tag)) if one]
        if victims:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(victims), signal.SIGKILL)
        control.ensure_running(home)
    control.pause(folder)
    wait_for(lambda: not alive(home) and not linux.tagged(folder.tag))
    past = records.history(folder)
    accounted(folder, past)
    succeeded = {one.due for one in past.ticks if one.state is TickState.SUCCEEDED}
    assert succeeded <= set(done(folder))
    assert len(past.ticks) >= 5
