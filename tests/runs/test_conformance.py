"""What every backend must do: the protocol, on pipelines that a real cluster has run."""

import contextlib
import json
import pickle
import time

import pytest
from cluster import ACCESS, SECRET
from engines import ENGINES, RecordedEngine

from kfnb.entities import Artifact, RunSnapshot, RunState
from kfnb.errors import BackendError, RunFailed, RunNotFound
from kfnb.jobs.polling import Pace
from kfnb.resources.runs.engine import CACHED
from kfnb.resources.runs.events import RunFold, encode
from kfnb.resources.runs.handle import Run
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.selection import Selection
from kfnb.resources.runs.view.run import draw_run

NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(params=ENGINES)
def recorded(request, tmp_path, monkeypatch):
    monkeypatch.setattr(KubeflowRunEngine, "polling", Pace(0.05, 0.2))
    with ENGINES[request.param](tmp_path) as found:
        yield found


@pytest.fixture(scope="module", params=ENGINES)
def done(request, tmp_path_factory):
    """A good run that is over."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(KubeflowRunEngine, "polling", Pace(0.05, 0.2))
        with ENGINES[request.param](tmp_path_factory.mktemp("engine")) as recorded:
            yield recorded, recorded.submit("good", rows=300).wait(60)


def test_a_run_is_there_as_soon_as_it_is_submitted(recorded: RecordedEngine):
    run = recorded.submit("good", rows=300).snapshot()
    assert (run.name, run.pipeline, run.backend) == ("good run 1", "train-and-deploy", recorded.engine.name)
    assert (run.experiment, run.created is None) == ("summaries", False)
    assert dict(run.arguments) == {"rows": 300, "lr": 0.1, "threshold": 0.7}
    assert run.environment["train: image"] == "local.test/python-kfp:3.11"


def test_events_add_up_to_the_run(done):
    recorded, run = done
    fold = RunFold(run.id)
    for event in recorded.engine.events(run.id):
        fold.add(event)
    assert fold.skipped == 0
    assert _as_data(fold.run) == _as_data(run.snapshot())


def test_events_are_numbered_and_given_from_where_one_was(done):
    recorded, run = done
    events = list(recorded.engine.events(run.id))
    numbers = [event.seq for event in events]
    assert numbers == sorted(set(numbers))
    middle = numbers[len(numbers) // 2]
    rest = recorded.engine.events(run.id, after=middle, follow=False)
    assert [event.seq for event in rest] == [number for number in numbers if number > middle]
    assert list(recorded.engine.events(run.id, after=numbers[-1])) == []


def test_events_say_nothing_of_tasks_that_have_not_been_told_of(done):
    recorded, run = done
    told = {""}
    for event in recorded.engine.events(run.id):
        told.update({event.task} if event.kind == "task" else ())
        assert event.task in told


def test_a_run_is_told_as_it_goes(recorded: RecordedEngine):
    run = recorded.submit("bad", x=7)
    states = [str(seen.state) for seen in run.watch()]
    assert states[-1] == "FAILED"
    assert "RUNNING" in states


def test_an_observer_sees_the_end(done):
    _, run = done
    view = run.observe()
    assert {"", "train"} <= view.refresh()
    assert view.refresh() == set()
    assert view.run.state is RunState.SUCCEEDED


def test_what_a_run_put_out_is_json_or_an_artifact(done):
    _, run = done
    assert run.outputs["train"]["Output"] == 0.8
    assert run.outputs["score"]["Output"] == [0.8, 1.6, 0.8 * 3]
    assert run.metrics["train"] == {"accuracy": 0.8, "rows": 300}
    model = run.artifacts["train"]["model"]
    assert isinstance(model, Artifact)
    assert (model.type, model.preview) == ("system.Model", "model n=300 lr=0.1")
    json.dumps(encode(dict(run.outputs)))


def test_artifacts_are_downloaded(done, tmp_path):
    _, run = done
    file = run.artifacts["load"]["out"].download(tmp_path / "out")
    assert file.read_text().splitlines()[-1] == "299"


def test_logs_are_those_of_a_task_or_of_all(done):
    recorded, run = done
    assert run.logs("train").splitlines() == [
        "epoch=0 loss=1.000",
        "epoch=1 loss=0.500",
        "epoch=2 loss=0.333",
    ]
    assert "load  loading 300 rows" in run.logs().splitlines()
    with pytest.raises(BackendError, match="has no task moon"):
        list(recorded.engine.logs(run.id, "moon"))


def test_the_log_of_a_task_that_was_cached_says_that_it_did_not_run(recorded: RecordedEngine):
    recorded.submit("good", cache=True, rows=300).wait(60)
    run = recorded.submit("good", cache=True, rows=300).wait(60)
    assert run.tasks["train"].cached
    assert run.logs("train").splitlines() == [CACHED]
    assert [line.text for line in run.follow_log("train") if line] == [CACHED]
    assert CACHED not in run.logs()


def test_logs_that_are_followed_end_with_the_run(done):
    _, run = done
    lines = [line.text for line in run.follow_log("train") if line]
    assert lines[-1] == "epoch=2 loss=0.333"


def test_a_failed_run_says_what_failed_and_what_never_ran(recorded: RecordedEngine):
    run = recorded.submit("bad", x=7)
    with pytest.raises(RunFailed, match=r"boom failed: ValueError: bad input x=7; after never ran"):
        run.wait(60)
    error = run.tasks["boom"].error
    assert error is not None
    assert error.message == "ValueError: bad input x=7"
    assert run.tasks["notify"].state is RunState.SUCCEEDED


def test_a_run_that_is_stopped_is_canceled_with_its_tasks(recorded: RecordedEngine):
    run = recorded.submit("slow", s=90)
    recorded.engine.stop(run.id)
    with pytest.raises(RunFailed, match="CANCELED"):
        run.wait(60)
    assert run.tasks["slow"].state is RunState.CANCELED
    recorded.engine.stop(run.id)
    assert run.state is RunState.CANCELED


def test_a_run_that_is_stopped_is_the_same_in_each_view(recorded: RecordedEngine):
    run = recorded.submit("slow", s=90)
    view = run.observe()
    view.refresh()
    run.stop()
    with contextlib.suppress(RunFailed):
        run.wait(60)
    while not view.over:
        view.refresh()
        time.sleep(0.02)
    (listed,) = recorded.engine.list(Selection(state=RunState.CANCELED))
    assert listed.id == run.id
    seen = [view.run, run.snapshot(), recorded.engine.get(run.id), recorded.anew().get(run.id)]
    assert {one.state for one in (listed, *seen)} == {RunState.CANCELED}
    assert len({(one.error, one.finished is None) for one in seen}) == 1
    assert all(task.state.finished for one in seen for task in one.tasks)
    with pytest.raises(RunFailed, match="CANCELED"):
        run.wait(10)


def test_to_stop_a_run_that_is_done_changes_nothing(done):
    recorded, run = done
    before = run.snapshot()
    recorded.engine.stop(run.id)
    assert _as_data(run.snapshot()) == _as_data(before)


def test_a_run_outlives_what_started_it_and_is_followed_to_its_end_by_another(recorded: RecordedEngine):
    id = recorded.submit("bad", x=7).id
    other = Run(recorded.anew(), id)
    with pytest.raises(RunFailed, match="boom failed"):
        other.wait(60)
    assert other.logs("boom") == Run(recorded.engine, id).logs("boom")
    assert _as_data(other.snapshot()) == _as_data(recorded.engine.get(id))


def test_the_log_of_a_task_that_failed_has_its_error(recorded: RecordedEngine):
    run = recorded.submit("bad", x=7)
    with pytest.raises(RunFailed):
        run.wait(60)
    # in a pod, what was printed is written at the end of the process
    assert {"about to fail", "ValueError: bad input x=7"} <= set(run.logs("boom").splitlines())
    followed = [line.text for line in run.follow_log("boom") if line]
    assert followed == run.logs("boom").splitlines()
    assert run.logs("after") == ""


def test_only_a_run_that_is_over_is_retried(recorded: RecordedEngine):
    run = recorded.submit("slow", s=90)
    with pytest.raises(BackendError, match="stop it first, or wait for it"):
        recorded.engine.retry(run.id)
    recorded.engine.stop(run.id)
    with contextlib.suppress(RunFailed):
        run.wait(60)


def test_a_retry_runs_again_what_failed(recorded: RecordedEngine):
    run = recorded.submit("bad", x=7)
    with pytest.raises(RunFailed):
        run.wait(60)
    with pytest.raises(RunFailed, match="boom failed"):
        run.retry().wait(60)
    assert (run.tasks["boom"].attempts, run.tasks["notify"].state) == (2, RunState.SUCCEEDED)


def test_a_retry_of_what_succeeded_does_nothing(done):
    recorded, run = done
    recorded.engine.retry(run.id)
    assert run.state is RunState.SUCCEEDED


def test_the_lists_have_the_runs_that_a_selection_means(recorded: RecordedEngine):
    good, bad = recorded.submit("good", rows=300), recorded.submit("bad", x=7)
    good.wait(60)
    with pytest.raises(RunFailed):
        bad.wait(60)

    def listed(limit=20, **wanted):
        return {run.id for run in recorded.engine.list(Selection(**wanted), limit=limit)}

    both = {good.id, bad.id}
    assert listed() == listed(experiment="summaries") == both
    assert len(listed(limit=1)) == 1
    assert listed(limit=0) == set()
    assert listed(state=RunState.FAILED) == {bad.id}
    assert listed(state=RunState.CANCELED) == set()
    assert listed(name=good.snapshot().name.upper()) >= {good.id}
    assert listed(name="moon") == set()
    begun = {run.id: run.snapshot().created or 0.0 for run in (good, bad)}
    for run in both:
        assert run in listed(since=begun[run], until=begun[run] + 0.001)
        assert run not in listed(until=begun[run])
        assert run not in listed(since=begun[run] + 0.001)
    assert [run.tasks for run in recorded.engine.list()] == [(), ()]
    with pytest.raises(BackendError, match="unknown experiment moon"):
        listed(experiment="moon")


def test_a_run_that_is_put_away_is_listed_only_when_asked_for(recorded: RecordedEngine):
    run = recorded.submit("good", rows=300).wait(60)
    for _ in range(2):
        run.archive()
        assert recorded.engine.list() == []
        assert [(one.id, one.archived) for one in recorded.engine.list(Selection(archived=True))] == [
            (run.id, True)
        ]
        assert run.snapshot().id == run.id
    for _ in range(2):
        run.unarchive()
        assert [(one.id, one.archived) for one in recorded.engine.list()] == [(run.id, False)]


def test_a_run_that_is_deleted_is_gone(recorded: RecordedEngine):
    run = recorded.submit("slow", s=90)
    with pytest.raises(BackendError, match="stop it first, or wait for it"):
        run.delete()
    run.stop()
    with contextlib.suppress(RunFailed):
        run.wait(60)
    run.archive()
    run.delete()
    assert recorded.engine.list(Selection(archived=True)) == []
    for act in (recorded.engine.get, recorded.engine.delete, recorded.engine.archive):
        with pytest.raises(RunNotFound, match=run.id):
            act(run.id)


def test_the_experiments_are_those_of_the_runs(recorded: RecordedEngine):
    recorded.submit("good", rows=300).wait(60)
    assert "summaries" in [one.name for one in recorded.engine.experiments()]


@pytest.mark.parametrize("verb", ["get", "stop", "retry", "events", "logs", "archive", "unarchive", "delete"])
def test_a_run_that_is_not_there_is_said(recorded: RecordedEngine, verb):
    with pytest.raises(RunNotFound, match=NOBODY):
        list(getattr(recorded.engine, verb)(NOBODY))


def test_an_engine_says_how_often_it_may_be_looked_at(recorded: RecordedEngine):
    assert 0 < recorded.engine.pace.shortest <= recorded.engine.pace.longest


def _as_data(run: RunSnapshot) -> object:
    return {task.id: encode(vars(task)) for task in run.tasks}, run.state, run.metrics, run.error, run.result


def test_no_secret_of_the_object_store_is_in_anything_that_a_run_shows(done, tmp_path):
    recorded, run = done
    run.artifacts["load"]["out"].download(tmp_path / "out")  # by the store's keys, where there is one
    seen = run.snapshot()
    shown = [draw_run(seen), repr((run, seen, recorded.engine)), run.logs(), run.to_frame().to_dict()]
    shown += [encode(dict(event.data)) for event in recorded.engine.events(run.id)]
    for secret in (SECRET, ACCESS):
        assert secret not in str(shown)
        assert secret.encode() not in pickle.dumps(seen)
