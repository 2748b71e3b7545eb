"""A study's life: it outlives who started it, stops, is killed and goes on; no trial is lost or counted twice."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from local_studies import Start, folder_of, processes_of

import kfnb
from kfnb.entities import RunState
from kfnb.errors import BackendError, StudyFailed, StudyNotFound, UsageError
from kfnb.jobs.eventlog import reading
from kfnb.resources.studies.handle import Study
from kfnb.resources.studies.model import TrialState

SLOW = "import time\ntime.sleep(60 if x > 0.4 else 0.05)\nloss = x"
STEADY = "import time\ntime.sleep(0.2)\nloss = x"


def until(look: Callable[[], Any], seconds: float = 30) -> Any:
    """What ``look`` sees as soon as it is something."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, f"nothing after {seconds} s"
        time.sleep(0.05)
    return seen


def done(study: Study) -> list[int]:
    return [trial.number for trial in study.trials if trial.state is TrialState.SUCCEEDED]


def test_stop_ends_all_processes_within_five_seconds(start: Start) -> None:
    study = start(SLOW, trials=50, parallel=2)
    until(lambda: len(study.trials) > 1)
    study.stop()
    until(lambda: not processes_of(study), 5)
    assert study.state is RunState.CANCELED
    assert {trial.state for trial in study.trials} <= {TrialState.SUCCEEDED, TrialState.KILLED}
    with pytest.raises(StudyFailed, match="CANCELED"):
        study.wait(1)


def test_a_study_that_was_stopped_goes_on_up_to_its_trials(start: Start) -> None:
    study = start(STEADY, trials=8, parallel=2)
    until(lambda: len(done(study)) > 1)
    study.stop()
    until(lambda: study.state.finished)
    before = {trial.number: trial for trial in study.trials if trial.state is TrialState.SUCCEEDED}
    study.resume().wait(60)
    after = {trial.number: trial for trial in study.trials}
    assert len(done(study)) == 8
    assert all(after[number] == trial for number, trial in before.items())
    assert list(after) == list(range(len(after)))


def test_resume_asks_for_more_where_a_study_has_had_its_trials(start: Start) -> None:
    study = start("loss = x", trials=3).wait(60)
    with pytest.raises(BackendError, match=r"already ran 3 trials; pass trials=N to run more"):
        study.resume()
    for odd in (0, -1, 1.5, "2"):
        with pytest.raises(UsageError, match="not a whole number from 1"):
            study.resume(trials=odd)
    study.resume(trials=2).wait(60)
    assert done(study) == [0, 1, 2, 3, 4]
    assert study.snapshot().max_trials == 5


@pytest.mark.parametrize("parallel", [1, 2])
def test_a_killed_driver_loses_no_trial(start: Start, parallel: int) -> None:
    study = start(STEADY, trials=6, parallel=parallel)
    until(lambda: len(done(study)) > 1)
    os.kill(folder_of(study).pid, signal.SIGKILL)
    until(lambda: study.state is RunState.FAILED)
    assert "exited unexpectedly" in study.snapshot().error
    until(lambda: not processes_of(study), 5)
    assert all(trial.state.finished for trial in study.trials)
    before = done(study)
    study.resume().wait(60)
    assert done(study)[: len(before)] == before
    assert len(done(study)) == 6
    numbers = [trial.number for trial in study.trials]
    assert numbers == list(range(len(numbers)))
    assert {trial.state for trial in study.trials} <= {TrialState.SUCCEEDED, TrialState.KILLED}


def test_a_grid_that_was_killed_still_has_every_point(start: Start) -> None:
    study = start(STEADY, "x=float(0,1,step=0.25)", algorithm="grid", trials=None)
    until(lambda: len(done(study)) > 1)
    os.kill(folder_of(study).pid, signal.SIGKILL)
    until(lambda: study.state.finished)
    study.resume().wait(60)
    points = [trial.params["x"] for trial in study.trials if trial.state is TrialState.SUCCEEDED]
    assert sorted(points) == [0, 0.25, 0.5, 0.75, 1]


def test_a_point_that_was_put_down_when_its_driver_died_is_tried_once(start: Start) -> None:
    import optuna
    from optuna.storages.journal import JournalFileBackend

    study = start("loss = x", "x=float(0,1,step=0.5)", algorithm="grid", trials=1).wait(60)
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(folder_of(study).optuna)))
    optuna.load_study(study_name="s", storage=storage).enqueue_trial({"x": 0.5})  # killed right after that
    study.resume(trials=2).wait(60)
    tried = [(trial.params["x"], trial.state) for trial in study.trials]
    done = TrialState.SUCCEEDED
    assert tried == [(0.0, done), (0.5, TrialState.KILLED), (0.5, done), (1.0, done)]


def test_a_grid_without_points_left_says_so(start: Start) -> None:
    study = start("loss = x", "x=float(0,1,step=0.5)", algorithm="grid", trials=None).wait(60)
    assert (len(study.trials), study.snapshot().reason) == (3, "")
    study.resume(trials=2).wait(60)
    assert (len(study.trials), study.snapshot().reason) == (3, "the grid has no more points")


def test_optuna_and_the_events_say_the_same_after_all_that(start: Start) -> None:
    import optuna
    from optuna.storages.journal import JournalFileBackend

    study = start(STEADY, trials=6, parallel=2)
    until(lambda: len(done(study)) > 1)
    os.kill(folder_of(study).pid, signal.SIGKILL)
    until(lambda: study.state.finished)
    study.resume().wait(60)
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(folder_of(study).optuna)))
    kept = optuna.load_study(study_name="s", storage=storage)
    assert {trial.number: trial.value for trial in kept.trials if trial.value is not None} == {
        trial.number: trial.value for trial in study.trials if trial.value is not None
    }
    assert len(kept.trials) == len(study.trials)


def test_a_study_outlives_the_process_that_started_it(shell, start: Start) -> None:
    study = start("loss = x").wait(60)  # only to have a search to copy
    search, _ = folder_of(study).read()
    program = (
        "import sys\nfrom dataclasses import replace\nfrom pathlib import Path\n"
        "from kfnb.resources.studies.local.engine import LocalStudyEngine\n"
        "from kfnb.resources.studies.local.folder import StudyFolder\n"
        "search, order = StudyFolder(Path(sys.argv[1])).read()\n"
        "subject = replace(search.subject)\n"
        "LocalStudyEngine(Path(order.home)).start(replace(search, name='other', max_trials=20, subject=subject))\n"
    )
    subprocess.run([sys.executable, "-c", program, str(folder_of(study).path)], check=True)
    assert search.name == "s"
    other = kfnb.study("other").wait(60)
    assert len(other.trials) == 20


def test_a_study_that_runs_is_neither_deleted_nor_replaced(start: Start) -> None:
    study = start(SLOW, trials=50)
    with pytest.raises(BackendError, match="stop it first"):
        study.delete()
    with pytest.raises(BackendError, match="study s is still running"):
        start("loss = x")


def test_a_study_that_was_deleted_is_gone(start: Start) -> None:
    study = start("loss = x").wait(60)
    study.delete()
    assert not folder_of(study).path.exists()
    with pytest.raises(StudyNotFound, match="unknown study s"):
        kfnb.study("s")
    assert list(kfnb.studies()) == []


@pytest.mark.parametrize("file", ["events.db", "search.json"])
def test_a_study_whose_files_are_damaged_can_be_deleted_or_gives_its_name_away(
    start: Start, file: str
) -> None:
    for _ in range(2):
        study = start("loss = x").wait(60)
        (folder_of(study).path / file).write_bytes(b"no such thing" * 100)
    assert len(start("loss = x").wait(60).trials) == 4
    kfnb.study("s-1").delete()
    assert [one.name for one in kfnb.studies()] == ["s", "s-2"]


def rewrite(study: Study, old: str, new: str) -> None:
    """Have the study's events as another version might have written them."""
    with contextlib.closing(sqlite3.connect(folder_of(study).path / "events.db")) as events, events:
        events.execute("update events set data = replace(data, ?, ?)", (old, new))


@pytest.mark.parametrize(
    ("old", "new", "skipped"),
    [
        ('"condition": ""', '"condition": "", "unit": "m"', "1 event of a newer kfnb was skipped"),
        ('"params": {', '"parameters": {', "2 events of a newer kfnb were skipped"),
    ],
)
def test_what_a_newer_version_has_written_of_a_study_is_left_out_and_counted(
    start: Start, old: str, new: str, skipped: str
) -> None:
    study = start("loss = x", trials=2).wait(60)
    rewrite(study, old, new)
    seen = kfnb.study("s").snapshot()
    assert (seen.state, len(seen.trials)) == (RunState.SUCCEEDED, 2)
    assert seen.notes[-1].startswith(skipped)


def test_a_study_that_ended_in_a_state_of_a_newer_version_says_so_and_spoils_no_other(start: Start) -> None:
    study = start("loss = x", trials=1).wait(60)
    start("loss = x", name="other", trials=1).wait(60)
    rewrite(study, '"SUCCEEDED"', '"RETIRED"')
    seen = study.snapshot()
    assert (seen.state, seen.error) == (
        RunState.FAILED,
        "a newer kfnb left this study RETIRED: update kfnb to see how it ended",
    )
    listed = {one.name: one.state for one in kfnb.studies()}
    assert listed == {"other": RunState.SUCCEEDED, "s": RunState.FAILED}
    with reading(folder_of(study).path) as log:
        assert log.state() == "RETIRED"  # nothing was written
    study.delete()


def test_a_look_tells_of_what_is_new_alone(start: Start) -> None:
    study = start(STEADY, trials=4)
    observed, seen = study.observe(), set()
    while not observed.study.state.finished:
        seen |= observed.refresh()
        time.sleep(0.02)
    assert seen == {-1, 0, 1, 2, 3}
    assert observed.refresh() == set()
    assert observed.study == study.snapshot()


def test_waiting_for_too_long_leaves_the_study_going(start: Start) -> None:
    study = start(STEADY, trials=10)
    with pytest.raises(TimeoutError, match="it keeps running"):
        study.wait(0.3)
    assert not study.state.finished


def test_an_interrupted_wait_says_how_to_come_back(start: Start, monkeypatch) -> None:
    study = start(STEADY, trials=10)
    monkeypatch.setattr(
        "kfnb.resources.studies.handle.poll", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(
        KeyboardInterrupt, match=r"study s is still running; reattach with kfnb\.study\('s'\)"
    ):
        study.wait()
    assert not study.state.finished


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "1st", "a" * 80, "ü"])
def test_an_odd_name_is_no_study(start: Start, name: str) -> None:
    with pytest.raises(StudyNotFound):
        kfnb.study(name)
    study = start("loss = x").wait(60)
    search, order = folder_of(study).read()
    from dataclasses import replace
    from pathlib import Path

    from kfnb.resources.studies.local.engine import LocalStudyEngine

    with pytest.raises(BackendError, match="is not a valid name for a study"):
        LocalStudyEngine(Path(order.home)).start(replace(search, name=name))


def test_a_look_at_a_study_whose_name_another_has_taken_says_so(start: Start) -> None:
    study = start("loss = x").wait(60)
    observed = study.observe()
    observed.refresh()
    assert len(study.trials) == 4
    start("loss = x", trials=2).wait(60)
    with pytest.raises(StudyNotFound, match="is gone, or has another name now"):
        observed.refresh()
    assert len(study.trials) == 2


def test_a_study_that_another_has_taken_the_name_of_goes_on_from_its_own_trials(start: Start) -> None:
    before = start("loss = x", trials=3).wait(60).trials
    start("loss = x + 100", trials=1).wait(60)
    after = kfnb.study("s-1").resume(trials=2).wait(60).trials
    assert after[:3] == before
    assert [trial.number for trial in after] == [0, 1, 2, 3, 4]
    assert all(trial.value < 100 for trial in after)
