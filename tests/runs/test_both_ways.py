"""The same pipeline, run here and as a real cluster ran it: the same tasks, states, branch, outputs, metrics, error."""

import json

import pytest
from engines import ENGINES

from kfnb.entities import Artifact, RunSnapshot
from kfnb.errors import RunFailed
from kfnb.jobs.polling import Pace
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine


def run_both(tmp_path, monkeypatch, pipeline, **arguments) -> tuple[RunSnapshot, RunSnapshot]:
    """The run here, and the one there."""
    monkeypatch.setattr(KubeflowRunEngine, "polling", Pace(0.05, 0.2))
    found = []
    for name, make in ENGINES.items():
        with make(tmp_path / name) as engine:
            engine.folder.mkdir(exist_ok=True)
            run = engine.submit(pipeline, **arguments)
            try:
                run.wait(60)
            except RunFailed:
                assert pipeline == "bad"
            found.append(run.snapshot())
    here, there = found
    return here, there


def shape(run: RunSnapshot) -> dict:
    """What both must agree on, by task."""
    return {
        task.id: {
            "name": task.name,
            "state": str(task.state),
            "parent": task.parent,
            "group": task.group,
            "iteration": task.iteration,
            "needs": set(task.needs),
            "takes": {source: set(names) for source, names in task.takes.items()},
            "attempts": task.attempts if not task.group else None,
            "cached": task.cached,
            "inputs": {name: _value(value) for name, value in task.inputs.items()},
            "outputs": {name: _value(value) for name, value in task.outputs.items()},
            "metrics": dict(task.metrics),
            "error": (task.error.message, task.error.place) if task.error else None,
        }
        for task in run.tasks
    }


def exact(run: RunSnapshot) -> str:
    """The same as JSON."""
    return json.dumps(shape(run), sort_keys=True, default=sorted)


def _value(value):
    """A value, or what an artifact is."""
    return (value.name, value.type, dict(value.metadata)) if isinstance(value, Artifact) else value


@pytest.mark.parametrize(("pipeline", "arguments"), [("good", {"rows": 300}), ("good", {"rows": 100})])
def test_a_pipeline_is_the_same_here_and_there(tmp_path, monkeypatch, pipeline, arguments):
    here, there = run_both(tmp_path, monkeypatch, pipeline, **arguments)
    assert shape(here) == shape(there)
    assert exact(here) == exact(there)  # 1 is not 1.0
    assert (here.state, dict(here.arguments), dict(here.metrics), dict(here.result)) == (
        there.state,
        dict(there.arguments),
        dict(there.metrics),
        dict(there.result),
    )


def test_the_branch_is_the_one_that_the_rows_decide(tmp_path, monkeypatch):
    here, there = run_both(tmp_path, monkeypatch, "good", rows=100)
    for run in (here, there):
        states = {task.id: str(task.state) for task in run.tasks}
        assert states["condition-branches-1/condition-2/deploy"] == "SKIPPED"
        assert states["condition-branches-1/condition-3/slow"] == "SUCCEEDED"


def test_a_failure_is_told_in_the_same_words_here_and_there(tmp_path, monkeypatch):
    here, there = run_both(tmp_path, monkeypatch, "bad", x=7)
    there_shape = shape(there)
    assert here.error == there.error == "boom failed: ValueError: bad input x=7; after never ran"
    assert shape(here).keys() == there_shape.keys()
    for task, mine in shape(here).items():
        theirs = dict(there_shape[task])
        if task == "notify":  # the cluster says that it failed, and not why
            status, other = mine.pop("inputs")["status"], theirs.pop("inputs")["status"]
            assert (status["state"], status["pipelineTaskName"]) == (
                other["state"],
                other["pipelineTaskName"],
            )
            assert (status["error"], other["error"]) == ({"message": "ValueError: bad input x=7"}, {})
        assert mine == theirs
