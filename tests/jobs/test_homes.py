"""A home that any release has written opens in this one: nothing of a user's past is lost by an update."""

import json
import sys
from pathlib import Path

import pytest
from old_homes import HOMES, OldHome, unpacked

import kfnb
from kfnb import cli, settings
from kfnb.entities import RunState
from kfnb.errors import RunFailed
from kfnb.resources.studies.model import TrialState


@pytest.fixture(params=HOMES, ids=lambda file: file.name.removesuffix(".tar.xz"))
def home(request, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = unpacked(request.param, tmp_path)
    monkeypatch.setenv("KFNB_HOME", str(found.path))
    settings.reset()
    yield found
    settings.reset()


def test_there_is_one_for_each_format():
    assert [file.name for file in HOMES] == ["format-1.tar.xz"]


def test_all_runs_and_studies_are_listed(home: OldHome, capsys):
    listed = {run.id: run for run in kfnb.runs()}
    assert listed[home.runs["sweep"]].state is RunState.SUCCEEDED
    assert listed[home.runs["broken"]].state is RunState.FAILED
    assert listed[home.runs["killed"]].state is RunState.FAILED
    assert {one.name: one.state for one in kfnb.studies()} == dict.fromkeys(
        ("bowl", "valley"), RunState.SUCCEEDED
    )
    assert cli.main(["runs"]) == 0
    assert home.runs["sweep"] in capsys.readouterr().out


def test_a_run_that_succeeded_is_all_there(home: OldHome, capsys):
    run = kfnb.run(home.runs["sweep"])
    assert (run.state, run.name, run.pipeline) == (RunState.SUCCEEDED, "sweep of rates", "sweep")
    assert (run.arguments, run.result) == ({"rows": 5}, {"Output": 3.0})
    assert run.outputs["train"]["Output"] == [0.6, 3.0]
    assert run.metrics["train"]["score"] == [0.6, 3.0]
    assert [run.tasks[name].attempts for name in ("load", "train", "best")] == [1, 1, 1]
    assert run.snapshot().notes == ()
    assert cli.main(["runs", "show", run.id]) == 0
    assert "best" in capsys.readouterr().out


def test_its_artifacts_and_logs_are_read(home: OldHome):
    run = kfnb.run(home.runs["sweep"])
    table = run.artifacts["load"]["table"]
    assert table.preview.splitlines()[:3] == ["x,y", "0,0", "1,1"]
    assert (table.type, table.metadata) == ("system.Dataset", {"rows": 5})
    assert run.logs("load") == "loaded 5 rows"
    assert sorted(run.logs().splitlines()) == [
        "for-loop-2/0/train  trained at 0.1",
        "for-loop-2/1/train  trained at 0.5",
        "load  loaded 5 rows",
    ]


def test_a_run_that_failed_says_why_and_can_be_retried(home: OldHome):
    run = kfnb.run(home.runs["broken"])
    assert run.tasks["bowl"].error.message == "ValueError: too far out"
    assert run.tasks["nap"].state is RunState.SKIPPED
    assert "too far out" in run.logs("bowl")
    with pytest.raises(RunFailed, match="too far out"):
        run.retry().wait(60)
    assert run.tasks["bowl"].attempts == 2


def test_a_home_that_was_moved_is_used_where_it_is(home: OldHome, tmp_path: Path, monkeypatch):
    moved = home.path.rename(tmp_path / "moved")
    monkeypatch.setenv("KFNB_HOME", str(moved))
    settings.reset()
    with pytest.raises(RunFailed, match="too far out"):
        kfnb.run(home.runs["broken"]).retry().wait(60)
    kfnb.study("valley").resume(trials=1).wait(60)
    kfnb.study("bowl").resume(trials=1).wait(60)
    assert not home.path.exists()


def test_a_run_whose_supervisor_was_killed_is_recovered_by_who_looks(home: OldHome):
    run = kfnb.run(home.runs["killed"])
    assert "the supervisor of this run exited unexpectedly" in run.snapshot().error
    assert run.tasks["nap"].state is RunState.FAILED


def test_a_study_of_runs_has_its_trials_and_their_runs(home: OldHome):
    study = kfnb.study("bowl")
    assert (study.best.value, study.best.params) == (0.0, {"x": 0.25})
    assert [trial.state for trial in study.trials].count(TrialState.FAILED) == 1
    ran = kfnb.run(study.best.run)
    assert (ran.name, ran.outputs["bowl"]["Output"]) == (f"bowl {study.best.number}", 0.0)


def test_a_study_of_a_cell_has_its_trials_and_resumes(home: OldHome):
    study = kfnb.study("valley")
    assert round(study.best.value, 3) == 0.099
    assert [len(trial.curve) for trial in study.trials] == [3, 3, 3, 3]
    assert [trial.error.message for trial in study.trials if trial.error] == ["ValueError: too far out"]
    assert "at 0.598" in study.logs(study.best.number)
    before = study.trials
    study.resume(trials=1).wait(60)
    assert study.trials[:4] == before
    assert len(study.trials) == 5


def test_the_cache_still_hits(home: OldHome):
    if sys.version_info[:2] != home.python:
        pytest.skip("an entry is for the Python that made it")
    spec = home.path / "runs" / home.runs["sweep"] / "spec.json"
    (home.path / "spec.yaml").write_text(json.dumps(json.loads(spec.read_text())))
    run = kfnb.submit(str(home.path / "spec.yaml"), {"rows": 5}).wait(60)
    assert {task.name: task.cached for task in run.snapshot().tasks if not task.group} == {
        "load": True,
        "train": True,
        "best": True,
    }
    assert run.artifacts["load"]["table"].preview.startswith("x,y")
