"""Studies with Katib on a real API server: Experiments are taken, listed and watched as the engine expects."""

from typing import Any

import pytest

from kfnb.entities import RunState
from kfnb.errors import BackendError, Hidden, StudyNotFound
from kfnb.resources.studies.katib import connect
from kfnb.resources.studies.katib.resources import Resources
from kfnb.resources.studies.model import Objective, TrialState
from kfnb.resources.studies.search import Search, TrialSubject
from kfnb.resources.studies.space import read_space

TRIALS = "/apis/kubeflow.org/v1beta1/namespaces/{}/trials"


@pytest.fixture(scope="module")
def subject() -> TrialSubject:
    """A component with one parameter that is a number, compiled."""
    from google.protobuf import json_format
    from kfp import dsl

    @dsl.component(base_image="python:3.11-slim")
    def bowl(lr: float) -> float:
        return lr

    @dsl.pipeline(name="bowl")
    def pipeline(lr: float = 0.1) -> None:
        bowl(lr=lr)

    return TrialSubject("bowl", json_format.MessageToDict(pipeline.pipeline_spec), step="bowl")


def search(subject: TrialSubject, name: str) -> Search:
    space = read_space("lr=log(1e-4,1e-1)")
    return Search(name, subject, Objective("Output"), space, max_trials=9, parallel=2)


def trial(experiment: str, name: str) -> dict[str, Any]:
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Trial",
        "metadata": {"name": name, "labels": {"katib.kubeflow.org/experiment": experiment}},
        "spec": {
            "objective": {"type": "minimize", "objectiveMetricName": "Output"},
            "parameterAssignments": [{"name": "lr", "value": "0.01"}],
            "runSpec": {"kind": "Job", "apiVersion": "batch/v1"},
        },
    }


def test_an_experiment_is_taken_dry_and_for_real(as_user, namespace, subject):
    engine = connect(as_user("editor"), namespace)
    draft = engine.draft(search(subject, "dry"))
    assert (draft.answer, draft.accepted) == (f"namespace {namespace} would take it", True)
    with pytest.raises(StudyNotFound):
        engine.get("dry")
    engine.start(search(subject, "dry"))
    study = connect(as_user("viewer"), namespace).get("dry")
    assert (study.state, study.max_trials, study.subject) == (RunState.PENDING, 9, "bowl")
    assert study.space == read_space("lr=log(1e-4,1e-1)")
    with pytest.raises(BackendError, match="study dry already exists"):
        engine.start(search(subject, "dry"))
    engine.stop("dry")
    assert engine.get("dry").state is RunState.CANCELING
    engine.resume("dry")
    assert (engine.get("dry").state, engine.get("dry").max_trials) == (RunState.PENDING, 9)
    engine.stop("dry")
    engine.delete("dry")
    assert "dry" not in [one.name for one in engine.list()]


def test_trials_are_seen_as_they_come_and_end(as_user, namespace, subject):
    editor = as_user("editor")
    engine, path = connect(editor, namespace), TRIALS.format(namespace)
    engine.start(search(subject, "seen"))
    observed = engine.observe("seen")
    assert observed.refresh() == {-1}
    editor.create(path, trial("seen", "seen-a"))
    editor.create(path, trial("other", "other-a"))
    assert observed.refresh() == {0}
    assert observed.study.trials[0].params == {"lr": 0.01}
    ended = {
        "conditions": [{"type": "Succeeded", "status": "True"}],
        "observation": {"metrics": [{"name": "Output", "min": "1", "max": "9", "latest": "2"}]},
    }
    as_user("admin").patch(f"{path}/seen-a/status", {"status": ended})
    assert observed.refresh() == {0}
    assert (observed.study.trials[0].state, observed.study.trials[0].value) == (TrialState.SUCCEEDED, 1.0)
    assert observed.refresh() == set()
    editor.delete(f"{path}/seen-a")
    assert observed.refresh() == {-1}
    assert observed.study.trials == ()


def test_a_version_that_has_expired_begins_the_list_anew(as_user, namespace, subject):
    editor = as_user("editor")
    engine, path = connect(editor, namespace), TRIALS.format(namespace)
    engine.start(search(subject, "expired"))
    observed = engine.observe("expired")
    observed.refresh()
    observed._trials._version = "1"
    editor.create(path, trial("expired", "expired-a"))
    observed.refresh()
    assert [one.name for one in observed.study.trials] == ["expired-a"]


def test_who_has_no_rights_is_told_which(as_user, namespace, subject):
    with pytest.raises(Hidden, match="may not create experiments"):
        connect(as_user("viewer"), namespace).start(search(subject, "mine"))
    with pytest.raises(Hidden, match="may not list experiments"):
        connect(as_user("nobody"), namespace).list()
    draft = connect(as_user("viewer"), namespace).draft(search(subject, "mine"))
    assert "may not create experiments" in draft.answer


def test_many_trials_are_listed_page_by_page(as_user, namespace, subject):
    admin, path = as_user("admin"), TRIALS.format(namespace)
    for number in range(30):
        admin.create(path, trial("many", f"many-{number:02}"))
    found, version = Resources(admin, namespace).trials("many")
    assert len(found) == 30
    assert int(version) > 0
