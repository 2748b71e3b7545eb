"""Runs here are filtered, put away and removed one by one; experiments are what they name."""

from dataclasses import replace

import pytest
from kfp import dsl
from local_runs import submission, wait
from steps import nap, number

from kfnb.entities import RunState
from kfnb.errors import BackendError, RunNotFound
from kfnb.resources.runs.selection import Selection


@dsl.pipeline
def short():
    number(value=1)


@dsl.pipeline
def long():
    nap(seconds=60.0)


def start(backend, folder, **more):
    return backend.submit(replace(submission(short, folder), **more))


def test_runs_are_filtered_as_on_a_cluster(backend, tmp_path):
    first = start(backend, tmp_path, name="nightly 1", experiment="churn")
    second = start(backend, tmp_path, name="daily")
    created = wait(backend, second).created
    wait(backend, first)

    def found(limit=20, **wanted):
        return [run.id for run in backend.list(Selection(**wanted), limit=limit)]

    assert found() == [second, first]
    assert found(experiment="churn") == found(name="NIGHT") == [first]
    assert found(experiment="Default") == found(since=created) == [second]
    assert found(until=created) == [first]
    assert found(state=RunState.SUCCEEDED, limit=1) == [second]
    assert found(state=RunState.FAILED, experiment="churn") == []
    with pytest.raises(BackendError, match="unknown experiment moon"):
        found(experiment="moon")


def test_experiments_are_those_that_runs_name(backend, tmp_path):
    assert backend.experiments() == []
    runs = [wait(backend, start(backend, tmp_path, experiment=name)) for name in ("churn", "churn", "")]

    latest, churn = backend.experiments()

    assert (latest.name, latest.last_run) == ("Default", runs[2].created)
    assert (churn.name, churn.created, churn.last_run) == ("churn", runs[0].created, runs[1].created)


def test_a_run_that_is_archived_is_shown_when_asked_for_alone(backend, tmp_path):
    run_id = start(backend, tmp_path)
    wait(backend, run_id)

    backend.archive(run_id)
    backend.archive(run_id)
    assert backend.list() == []
    assert [run.id for run in backend.list(Selection(archived=True))] == [run_id]
    assert backend.get(run_id).id == run_id
    backend.unarchive(run_id)
    backend.unarchive(run_id)
    assert [run.id for run in backend.list()] == [run_id]


def test_a_run_that_is_deleted_is_gone_with_its_files(backend, tmp_path):
    doomed, kept = (start(backend, tmp_path) for _ in range(2))
    wait(backend, doomed)
    wait(backend, kept)

    backend.delete(doomed)

    assert [item.name for item in (backend._home / "runs").iterdir()] == [kept]
    for act in (backend.delete, backend.archive, backend.get):
        with pytest.raises(RunNotFound, match=doomed):
            act(doomed)


def test_a_run_that_goes_on_is_not_deleted(backend, tmp_path):
    running = backend.submit(submission(long, tmp_path))

    with pytest.raises(BackendError, match="stop it first"):
        backend.delete(running)

    backend.stop(running)
    wait(backend, running)
    backend.delete(running)
    assert backend.list() == []


def test_a_damaged_run_can_be_deleted(backend, tmp_path):
    run_id = start(backend, tmp_path)
    wait(backend, run_id)
    (backend._home / "runs" / run_id / "events.db").write_bytes(b"damaged")

    backend.delete(run_id)

    assert backend.list() == []
