"""Experiments and Trials as studies: those of a real cluster, and those that others wrote in their own way."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from asked_kubernetes import asking
from hypothesis import given
from hypothesis import strategies as st
from replay_kubernetes import replaying

from kfnb.entities import RunState, TaskError
from kfnb.errors import Hidden
from kfnb.resources.studies.katib import KatibStudyEngine, connect, resource_parser
from kfnb.resources.studies.model import Objective, StudySnapshot, TrialState


@pytest.fixture(scope="module")
def recorded() -> Iterator[Any]:
    """What a real API server said of Katib's resources, to each of its users."""
    with replaying(speed=200.0) as server:
        yield lambda user: connect(asking(server.url, user), "team-a")


def conditions(*held: str) -> dict[str, Any]:
    return {"conditions": [{"type": one, "status": "True", "message": f"it {one}"} for one in held]}


def trial(status: Any = None, assigned: Any = (), objective: Any = None, **metadata: Any) -> Any:
    spec = {"objective": objective or {"objectiveMetricName": "loss", "type": "minimize"}}
    spec["parameterAssignments"] = [{"name": name, "value": value} for name, value in assigned]
    return {"metadata": {"name": "t", **metadata}, "spec": spec, "status": status or {}}


def test_a_recorded_experiment_is_a_study(recorded: Any) -> None:
    study = recorded("viewer").get("mnist-random")
    assert (study.name, study.backend, study.state) == ("mnist-random", "kubeflow", RunState.SUCCEEDED)
    assert study.objective == Objective("loss", goal=0.001, further=("Train-accuracy",))
    assert (study.algorithm, study.early_stopping) == ("random", "median")
    assert (study.max_trials, study.max_failed, study.parallel) == (20, 3, 4)
    assert [(one.name, one.kind, one.low, one.high) for one in study.space] == [
        ("lr", "float", 0.01, 0.05),
        ("momentum", "float", 0.5, 0.9),
    ]
    assert (study.subject, study.reason, study.error) == ("Job", "all trials done", "")
    assert study.finished == 1795458470
    assert study.counts == {
        TrialState.SUCCEEDED: 18,
        TrialState.FAILED: 1,
        TrialState.EARLY_STOPPED: 1,
    }


def test_the_best_recorded_trial_is_katibs_own_by_the_strategies_of_its_metrics(recorded: Any) -> None:
    best = recorded("viewer").get("mnist-random").best
    assert best.name == "mnist-random-sv3jwsxn"
    assert best.value == 0.203042
    assert best.metrics == {"Train-accuracy": 0.932319}
    assert best.params == {"lr": 0.03061966, "momentum": 0.7470371}


def test_recorded_trials_are_numbered_as_they_began(recorded: Any) -> None:
    trials = recorded("viewer").get("mnist-random").trials
    assert [one.number for one in trials] == list(range(20))
    assert [one.started for one in trials] == sorted(one.started for one in trials)


def test_a_recorded_failure_and_one_that_was_stopped(recorded: Any) -> None:
    trials = {one.name: one for one in recorded("viewer").get("mnist-random").trials}
    failed = trials["mnist-random-cmkdvjcq"]
    assert failed.state is TrialState.FAILED
    assert failed.error.message == "Job has reached the specified backoff limit"
    stopped = trials["mnist-random-4769s92k"]
    assert (stopped.state, stopped.value) == (TrialState.EARLY_STOPPED, 0.88)


def test_a_recorded_study_that_goes_on(recorded: Any) -> None:
    study = recorded("editor").get("churn-tune")
    assert study.state is RunState.RUNNING
    assert study.finished is None
    assert study.counts == {TrialState.SUCCEEDED: 3, TrialState.RUNNING: 2}


def test_recorded_studies_are_listed_without_their_trials(recorded: Any) -> None:
    found = recorded("viewer").list()
    assert {study.name for study in found} == {"mnist-random", "churn-tune"}
    assert not any(study.trials for study in found)


def test_who_may_not_see_studies_is_told_so_and_not_that_there_are_none(recorded: Any) -> None:
    engine: KatibStudyEngine = recorded("nobody")
    with pytest.raises(Hidden, match=r"nobody may not list experiments .*in namespace team-a \(403\)"):
        engine.list()


# -- what Katib made of Experiments that kfnb wrote -------------------------------------------------------------

KATIB = json.loads((Path(__file__).parent / "data" / "katib.json").read_text())
"""Objects of four Experiments after Katib's own controller (of June 2026) had run them; long texts are cut off."""


def made(name: str) -> StudySnapshot:
    whole = KATIB[name]
    space = resource_parser.study(whole["experiment"]).space
    trials = [
        resource_parser.trial(one, n, space)
        for n, one in enumerate(resource_parser.in_order(whole["trials"]))
    ]
    return resource_parser.study(whole["experiment"], trials, whole["suggestion"])


def test_katib_runs_an_experiment_of_ours_to_its_end() -> None:
    study = made("bowl")
    assert (study.state, study.reason, study.subject) == (RunState.SUCCEEDED, "all trials done", "bowl")
    assert study.counts == {TrialState.SUCCEEDED: 6}
    best = KATIB["bowl"]["experiment"]["status"]["currentOptimalTrial"]
    assert study.best is not None
    assert study.best.name == best["bestTrialName"]
    assert all(type(one.params["depth"]) is int for one in study.trials)


def test_katib_ends_an_experiment_of_ours_that_is_stopped() -> None:
    study = made("stops")
    assert (study.state, study.reason) == (RunState.CANCELED, "")
    assert study.counts == {TrialState.SUCCEEDED: 4}


def test_katib_fails_an_experiment_of_ours_with_too_many_failures() -> None:
    study = made("bad")
    assert (study.state, study.error) == (
        RunState.FAILED,
        "Experiment has failed because max failed count has reached",
    )
    assert study.counts == {TrialState.FAILED: 2, TrialState.SUCCEEDED: 2}
    failed = next(one for one in study.trials if one.state is TrialState.FAILED)
    assert failed.error == TaskError("Job has reached the specified backoff limit")


def test_katib_says_why_an_algorithm_cannot_search() -> None:
    study = made("wrong")
    assert study.state is RunState.FAILED
    assert "CMA-ES only supports two or more dimensional continuous search space" in study.error


# -- what others write ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "state"),
    [
        ((), TrialState.PENDING),
        (("Created",), TrialState.PENDING),
        (("Created", "Running"), TrialState.RUNNING),
        (("Created", "Succeeded"), TrialState.SUCCEEDED),
        (("Created", "Failed"), TrialState.FAILED),
        (("Created", "Killed"), TrialState.KILLED),
        (("Created", "MetricsUnavailable"), TrialState.METRICS_UNAVAILABLE),
        (("Created", "Running", "EarlyStopped"), TrialState.EARLY_STOPPED),
        (("Created", "SomethingNew"), TrialState.PENDING),
    ],
)
def test_conditions_of_a_trial_are_its_state(held: tuple[str, ...], state: TrialState) -> None:
    assert resource_parser.trial(trial(conditions(*held)), 0, ()).state is state


def test_a_condition_that_is_false_holds_no_more() -> None:
    status = conditions("Created", "Running")
    status["conditions"][1]["status"] = "False"
    assert resource_parser.trial(trial(status), 0, ()).state is TrialState.PENDING


@pytest.mark.parametrize(
    ("strategy", "kind", "value"),
    [
        ("min", "minimize", 1.0),
        ("max", "minimize", 9.0),
        ("latest", "minimize", 4.0),
        (None, "minimize", 1.0),
        (None, "maximize", 9.0),
        (None, "", 4.0),
    ],
)
def test_a_metrics_strategy_says_which_value_counts(strategy: str | None, kind: str, value: float) -> None:
    objective = {"objectiveMetricName": "loss", "type": kind}
    if strategy:
        objective["metricStrategies"] = [{"name": "loss", "value": strategy}]
    status = {"observation": {"metrics": [{"name": "loss", "min": "1", "max": "9", "latest": "4"}]}}
    assert resource_parser.trial(trial(status, objective=objective), 0, ()).value == value


def test_a_metric_that_is_no_number_has_no_value() -> None:
    status = conditions("MetricsUnavailable")
    status["observation"] = {
        "metrics": [
            {"name": "loss", "min": "unavailable", "max": "unavailable", "latest": "unavailable"},
            {"name": "other", "latest": "nan"},
        ]
    }
    found = resource_parser.trial(trial(status), 0, ())
    assert (found.value, found.metrics) == (None, {})
    assert found.error is not None
    assert found.error.message == "it ended without loss"


@pytest.mark.parametrize(
    ("held", "reason", "state", "said"),
    [
        ((), "", RunState.PENDING, ("", "")),
        (("Created",), "", RunState.PENDING, ("", "")),
        (("Created", "Running"), "", RunState.RUNNING, ("", "")),
        (("Created", "Restarting"), "", RunState.RUNNING, ("", "")),
        (("Created", "Succeeded"), "ExperimentGoalReached", RunState.SUCCEEDED, ("goal reached", "")),
        (("Created", "Succeeded"), "SomethingNew", RunState.SUCCEEDED, ("", "")),
        (("Created", "Failed"), "ExperimentFailed", RunState.FAILED, ("", "it Failed")),
    ],
)
def test_conditions_of_an_experiment_are_its_state(
    held: tuple[str, ...], reason: str, state: RunState, said: tuple[str, str]
) -> None:
    status = conditions(*held)
    for one in status["conditions"]:
        one["reason"] = reason
    study = resource_parser.study({"metadata": {"name": "s"}, "spec": {}, "status": status})
    assert (study.state, (study.reason, study.error)) == (state, said)


def test_an_experiment_whose_suggestions_fail_says_why() -> None:
    suggestion = {"status": conditions("Failed")}
    study = resource_parser.study({"metadata": {}, "status": conditions("Failed")}, (), suggestion)
    assert study.error == "it Failed"
    suggestion["status"]["conditions"][0]["message"] = "unknown setting gama for algorithm tpe"
    study = resource_parser.study({"metadata": {}, "status": conditions("Failed")}, (), suggestion)
    assert study.error == "unknown setting gama for algorithm tpe"


def test_an_experiment_that_waits_for_its_service_says_so() -> None:
    study = resource_parser.study({"metadata": {"name": "s"}}, (), {"status": {}})
    assert study.notes == ("waits for the service that suggests parameters",)


def test_a_torch_jobs_experiment_with_choices_of_numbers_and_no_status_is_read() -> None:
    study = resource_parser.study(
        {
            "metadata": {"name": "torch", "creationTimestamp": "2026-11-23T18:29:10Z"},
            "spec": {
                "objective": {"type": "maximize", "goal": 0.99, "objectiveMetricName": "accuracy"},
                "algorithm": {"algorithmName": "pbt", "algorithmSettings": [{"name": "x", "value": "1"}]},
                "parameters": [
                    {"name": "b", "parameterType": "discrete", "feasibleSpace": {"list": ["32", "64"]}},
                    {
                        "name": "opt",
                        "parameterType": "categorical",
                        "feasibleSpace": {"list": ["sgd", "adam"]},
                    },
                ],
                "trialTemplate": {"trialSpec": {"kind": "TrainJob", "spec": {"trainer": {"numNodes": 2}}}},
                "someday": {"new": True},
            },
        }
    )
    assert (study.state, study.subject, study.algorithm) == (RunState.PENDING, "TrainJob", "pbt")
    assert [one.choices for one in study.space] == [(32, 64), ("sgd", "adam")]
    assert study.objective == Objective("accuracy", maximize=True, goal=0.99)
    assert study.created == 1795458550


def test_a_template_in_a_config_map_is_called_by_its_name() -> None:
    study = resource_parser.study(
        {"spec": {"trialTemplate": {"configMap": {"configMapName": "trial-templates"}}}}
    )
    assert study.subject == "trial-templates"


def test_a_search_for_networks_is_shown_as_katib_has_it() -> None:
    study = resource_parser.study({"spec": {"nasConfig": {"graphConfig": {"numLayers": 8}}}})
    assert "searches for a network" in study.notes[0]
    found = resource_parser.trial(trial(assigned=[("architecture", "[[0],[1,1]]")]), 0, study.space)
    assert found.params == {"architecture": "[[0],[1,1]]"}


_json = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_parts_that_are_not_there_yet_do_not_matter(data: Any) -> None:
    """Whatever of the known parts an object lacks, or has as null, it is read."""
    whole = {
        "metadata": {"name": "s", "annotations": {}, "creationTimestamp": "2026-11-23T18:29:10Z"},
        "spec": {
            "objective": {"type": "minimize", "objectiveMetricName": "loss", "metricStrategies": []},
            "algorithm": {"algorithmName": "random"},
            "earlyStopping": {"algorithmName": "medianstop"},
            "parameters": [{"name": "x", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "2"}}],
            "parameterAssignments": [{"name": "x", "value": "1"}],
            "trialTemplate": {"trialSpec": {"kind": "Job"}},
        },
        "status": {
            "startTime": "2026-11-23T18:29:10Z",
            "conditions": [{"type": "Running", "status": "True"}],
            "observation": {"metrics": [{"name": "loss", "latest": "1"}]},
        },
    }
    for _ in range(data.draw(st.integers(0, 4))):
        _without(whole, data)
    study = resource_parser.study(whole)
    resource_parser.trial(whole, 0, study.space)
    assert resource_parser.in_order([whole]) == [whole]


def _without(part: dict[str, Any], data: Any) -> None:
    """Take something away, or make it null, somewhere."""
    names = sorted(part)
    if not names:
        return
    name = data.draw(st.sampled_from(names))
    inner = part[name]
    if isinstance(inner, dict) and inner and data.draw(st.booleans()):
        _without(inner, data)
    elif data.draw(st.booleans()):
        part[name] = None
    else:
        del part[name]


def test_reading_changes_nothing_of_what_is_read() -> None:
    item = trial(conditions("Succeeded"), assigned=[("lr", "0.1")])
    kept = deepcopy(item)
    resource_parser.trial(item, 0, ())
    assert item == kept
