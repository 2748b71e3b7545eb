"""Schedules on this machine: what they do beside what each engine of schedules does."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_runs import wait, wait_until
from schedule_conformance import ScheduleConformance, nightly

from kfnb import clock, settings
from kfnb.entities import RunState
from kfnb.errors import BackendError, UsageError
from kfnb.jobs.scheduler.folder import existing, scheduler_of
from kfnb.live.followables import Snapshots
from kfnb.resources.runs.local import LocalRunEngine
from kfnb.resources.runs.view.runs import draw_runs
from kfnb.resources.schedules import api, live
from kfnb.resources.schedules.handle import Schedule, ScheduleList
from kfnb.resources.schedules.local.engine import LocalScheduleEngine
from kfnb.resources.schedules.model import Recurrence, ScheduleSnapshot
from kfnb.resources.schedules.view import draw_schedule, draw_schedules
from kfnb.resources.uploads.model import UploadedPipeline

RATE = 30.0
OPTIONS = {"jobs": 2, "secrets": "", "linger": 0, "registry": "", "data_store": "", "owner": "ada"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def engine(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalScheduleEngine]:
    """The engine of a home; no schedule and no process of it is left."""
    made = LocalScheduleEngine(home, OPTIONS)
    yield made
    for one in made.list():
        made.delete(one.id)

    def gone() -> bool:
        lock = scheduler_of(home).lock(timeout=0.1)
        return lock is not None

    wait_until(gone, bool)


@pytest.fixture
def fast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clock that is sped up."""
    monkeypatch.setenv(clock.VARIABLE, str(tmp_path / "clock"))
    clock.set_clock(tmp_path / "clock", rate=RATE, at=1_796_083_200.0)
    return tmp_path / "clock"


class TestLocalSchedules(ScheduleConformance):
    """The suite that every engine passes."""


def started(engine: LocalScheduleEngine, schedule: ScheduleSnapshot, many: int = 1) -> list[str]:
    def runs() -> list[str]:
        return [one.run for one in engine.get(schedule.id).ticks if one.run]

    return list(wait_until(runs, lambda found: len(found) >= many))


def test_a_run_of_a_schedule_is_a_run_like_others_and_says_where_it_is_from(
    engine: LocalScheduleEngine, home: Path, tmp_path: Path, fast: Path
) -> None:
    made = engine.create(nightly(tmp_path, experiment="nights"), Recurrence(every=30))
    run = wait(LocalRunEngine(home), started(engine, made)[0])
    assert (run.schedule, run.pipeline, run.experiment) == (made.id, "doubling", "nights")
    assert dict(run.result) == {"Output": 400}
    assert run.name == "nightly-20261201-000030"
    assert made.id in draw_runs([run])["text/html"]
    (tick, *_) = engine.get(made.id).ticks
    assert (tick.run, tick.run_state) == (run.id, RunState.SUCCEEDED)
    assert "✓ Succeeded" in draw_schedule(engine.get(made.id))["text/plain"]


def test_a_schedule_and_a_list_of_them_are_followed(
    engine: LocalScheduleEngine, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KFNB_HOME", str(home))
    settings.reset(start=tmp_path)
    made = engine.create(nightly(tmp_path), Recurrence(every=36_000))
    schedule, listed = Schedule(engine, made), api.schedules(backend="local")
    rows = {row.handle: row for row in live.FOLLOWABLES}
    one = Snapshots(rows[Schedule], schedule)
    every = Snapshots(rows[ScheduleList], listed)
    assert one.refresh()
    assert every.refresh()
    assert (one.refresh(), every.refresh(), one.over, every.over) == (False, False, False, False)
    assert (one.pace, every.pace) == (schedule.pace, listed.pace)
    schedule.pause()
    assert one.refresh()
    assert every.refresh()
    for followed, row in ((one, rows[Schedule]), (every, rows[ScheduleList])):
        assert "‖ paused" in row.draw(followed.shown)["text/plain"]
    assert rows[Schedule].line(one.shown).startswith("schedule nightly: paused")
    found = rows[Schedule].find
    assert found is not None
    assert found(one.id).id == made.id
    settings.reset()


def test_no_more_runs_are_started_than_may_run_at_once(
    engine: LocalScheduleEngine, home: Path, tmp_path: Path, fast: Path
) -> None:
    slow = nightly(tmp_path, arguments={"seconds": 60.0})
    made = engine.create(slow, Recurrence(every=30, max_concurrency=1))
    (first,) = started(engine, made)
    ticks = wait_until(
        lambda: engine.get(made.id).ticks, lambda found: any(one.state == "SKIPPED" for one in found)
    )
    assert (ticks[1].state, ticks[1].note) == ("SKIPPED", f"{first} is still running")
    engine.run(made.id)
    engine.pause(made.id)
    for run in LocalRunEngine(home).list():
        LocalRunEngine(home).stop(run.id)
        wait(LocalRunEngine(home), run.id)


def test_what_was_missed_is_shown_and_started_once(
    engine: LocalScheduleEngine, tmp_path: Path, fast: Path
) -> None:
    made = engine.create(nightly(tmp_path), Recurrence(cron="0 0 6 * * *", zone="Europe/Berlin"))
    clock.set_clock(fast, rate=RATE, at=clock.now() + 10 * 86400)
    started(engine, made)
    now = engine.get(made.id)
    (missed,) = now.missed
    assert (missed.count, missed.caught_up) == (10, True)
    assert len(now.ticks) == 1
    text = draw_schedule(now)["text/plain"]
    assert "missed 10 runs between 2026-12-01 05:00:00 and 2026-12-10 05:00:00: the" in text
    assert "one run was started for all of them" in " ".join(text.split())
    assert "missed 10 runs" in draw_schedules([now])["text/html"]


def test_variables_are_kept_where_only_their_user_reads_them(
    engine: LocalScheduleEngine, home: Path, tmp_path: Path
) -> None:
    made = engine.create(nightly(tmp_path, env={"STAGE": "s3cret"}), Recurrence(every=5400))
    (folder,) = existing(home)
    assert stat.S_IMODE((folder.path / "submission.json").stat().st_mode) == 0o600
    assert json.loads((folder.path / "submission.json").read_text())["env"] == {"STAGE": "s3cret"}
    assert "s3cret" not in repr(made) + json.dumps(draw_schedule(made))


def test_what_cannot_run_here_is_refused_when_it_is_scheduled(
    engine: LocalScheduleEngine, home: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no run would ever start"):
        engine.create(nightly(tmp_path), Recurrence(cron="0 0 6 30 2 *"))
    bad = nightly(tmp_path)
    components = {name: {**one, "executorLabel": "gone"} for name, one in bad.spec["components"].items()}
    with pytest.raises(BackendError, match="cannot run here"):
        engine.create(nightly(tmp_path, spec={**bad.spec, "components": components}), Recurrence(every=60))
    with pytest.raises(UsageError, match="churn is on a cluster: --backend kubeflow schedules it"):
        engine.create(nightly(tmp_path), Recurrence(every=60), UploadedPipeline("1", "churn"))
    assert engine.list() == []


def test_one_with_damaged_files_is_listed_with_what_is_wrong(
    engine: LocalScheduleEngine, home: Path, tmp_path: Path
) -> None:
    engine.create(nightly(tmp_path), Recurrence(every=5400))
    (folder,) = existing(home)
    (folder.path / "submission.json").write_text("{}")
    (shown,) = engine.list()
    assert "is damaged" in shown.notes[0]
    engine.delete(shown.id)
