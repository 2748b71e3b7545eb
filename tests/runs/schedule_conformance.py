"""What each engine of schedules does. An engine's tests inherit ``ScheduleConformance`` and give it as ``engine``."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kfp import dsl
from local_runs import spec_of

from kfnb.errors import BackendError, NotFound
from kfnb.resources.runs.engine import Submission
from kfnb.resources.schedules.engine import ScheduleEngine
from kfnb.resources.schedules.model import Recurrence


@dsl.component(base_image="python:3.11-slim")
def double(rows: int, seconds: float) -> int:
    import time

    time.sleep(seconds)
    return rows * 2


@dsl.pipeline(name="doubling")
def doubling(rows: int = 1, seconds: float = 0.0) -> int:
    return double(rows=rows, seconds=seconds).output


SPEC = spec_of(doubling)


def nightly(folder: Path, name: str = "nightly", **more: Any) -> Submission:
    fields = {"arguments": {"rows": 200}, "cache": False, "folder": str(folder)}
    return Submission(**{"spec": SPEC, "name": name, **fields, **more})


class ScheduleConformance:
    """The suite of every engine of schedules."""

    def test_a_schedule_is_as_it_was_asked_for(self, engine: ScheduleEngine, tmp_path: Path) -> None:
        end = float(int(time.time()) + 10**7)
        rhythm = Recurrence(cron="0 0 6 * * 1-5", end=end, catch_up=False, max_concurrency=3, digest="d1")
        made = engine.create(nightly(tmp_path), rhythm)
        got = engine.get(made.id)
        assert replace(got, notes=()) == made  # recordings do not know its runs, which a note says
        assert (made.name, made.pipeline, dict(made.arguments)) == ("nightly", "doubling", {"rows": 200})
        assert (made.cron, made.every, made.end) == ("0 0 6 * * 1-5", None, end)
        assert (made.catch_up, made.max_concurrency, made.enabled, made.state) == (False, 3, True, "enabled")
        assert (made.backend, made.digest, made.stale) == (engine.name, "d1", False)

    def test_intervals_are_in_seconds(self, engine: ScheduleEngine, tmp_path: Path) -> None:
        made = engine.create(nightly(tmp_path), Recurrence(every=5400))
        assert (made.every, made.cron, made.rhythm) == (5400.0, "", "every 90 min")

    def test_schedules_are_listed_and_found_by_id_its_beginning_or_name(
        self, engine: ScheduleEngine, tmp_path: Path
    ) -> None:
        assert engine.list() == []
        one = engine.create(nightly(tmp_path), Recurrence(every=5400))
        other = engine.create(nightly(tmp_path, "weekly"), Recurrence(every=604800))
        assert [found.id for found in engine.list()] == [one.id, other.id]
        assert engine.get(one.id).name == engine.get(one.id[:-1]).name == "nightly"
        assert engine.get("weekly").id == other.id

    def test_a_name_of_two_schedules_says_so(self, engine: ScheduleEngine, tmp_path: Path) -> None:
        for _ in range(2):
            engine.create(nightly(tmp_path), Recurrence(every=5400))
        with pytest.raises(BackendError, match="2 schedules have the name nightly"):
            engine.get("nightly")

    def test_one_that_starts_paused_waits_until_it_is_resumed(
        self, engine: ScheduleEngine, tmp_path: Path
    ) -> None:
        made = engine.create(nightly(tmp_path), Recurrence(every=5400, enabled=False))
        assert (made.enabled, made.state) == (False, "paused")
        engine.resume(made.id)
        engine.resume(made.id)
        assert engine.get(made.id).enabled
        engine.pause(made.id)
        engine.pause(made.id)
        assert not engine.get(made.id).enabled

    def test_a_run_can_be_started_now(self, engine: ScheduleEngine, tmp_path: Path) -> None:
        made = engine.create(nightly(tmp_path), Recurrence(every=5400, enabled=False))
        assert len({engine.run(made.id), engine.run(made.id)}) == 2

    def test_a_deleted_schedule_is_gone(self, engine: ScheduleEngine, tmp_path: Path) -> None:
        made = engine.create(nightly(tmp_path), Recurrence(every=5400))
        engine.delete(made.id)
        assert engine.list() == []
        for act in (engine.get, engine.pause, engine.resume, engine.run, engine.delete):
            with pytest.raises(NotFound, match=f"unknown schedule {made.id}: %kf_schedules lists them"):
                act(made.id)
