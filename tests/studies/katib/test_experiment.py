"""A search as an Experiment: what is written, and what is refused before Katib would."""

import json
from dataclasses import replace
from typing import Any

import pytest
import yaml
from katib_searches import branching, churn, ready_made, search, unlike

from kfnb.errors import BackendError
from kfnb.resources.studies.katib.experiment import experiment, known_as, name_of, text
from kfnb.resources.studies.model import Objective
from kfnb.resources.studies.search import Search, TrialSubject
from kfnb.text.ranks import DeclaredTraining


def spec(made: Search) -> dict[str, Any]:
    found: dict[str, Any] = experiment(made)["spec"]
    return found


def container(made: Search) -> dict[str, Any]:
    job = spec(made)["trialTemplate"]["trialSpec"]
    found: dict[str, Any] = job["spec"]["template"]["spec"]["containers"][0]
    return found


def refusal(made: Search) -> str:
    with pytest.raises(BackendError) as refused:
        experiment(made)
    return str(refused.value)


def test_an_experiment_says_all_that_the_search_says() -> None:
    made = search(
        objective=Objective("loss", goal=0.01, further=("accuracy",)),
        algorithm="tpe",
        settings={"gamma": "0.3", "n_ei_candidates": "10"},
        seed=7,
        early_stopping="median",
        early_settings={"start_step": "2"},
        max_failed=3,
    )
    written = experiment(made, "team-a")
    assert written["apiVersion"] == "kubeflow.org/v1beta1"
    assert written["kind"] == "Experiment"
    assert written["metadata"] == {
        "name": "my-bowl",
        "namespace": "team-a",
        "annotations": {"kfnb/subject": "bowl"},
    }
    found = written["spec"]
    assert found["objective"] == {
        "type": "minimize",
        "goal": 0.01,
        "objectiveMetricName": "loss",
        "additionalMetricNames": ["accuracy"],
        "metricStrategies": [{"name": "loss", "value": "latest"}, {"name": "accuracy", "value": "latest"}],
    }
    assert found["algorithm"] == {
        "algorithmName": "tpe",
        "algorithmSettings": [
            {"name": "gamma", "value": "0.3"},
            {"name": "n_EI_candidates", "value": "10"},
            {"name": "random_state", "value": "7"},
        ],
    }
    assert found["earlyStopping"] == {
        "algorithmName": "medianstop",
        "algorithmSettings": [{"name": "start_step", "value": "2"}],
    }
    assert (found["parallelTrialCount"], found["maxTrialCount"], found["maxFailedTrialCount"]) == (3, 12, 3)
    assert [one["name"] for one in found["parameters"]] == ["lr", "depth", "act"]


def test_nothing_is_left_to_the_defaults_of_webhooks_that_may_be_off() -> None:
    found = spec(search())
    assert found["metricsCollectorSpec"] == {"collector": {"kind": "StdOut"}}
    assert found["resumePolicy"] == "LongRunning"
    template = found["trialTemplate"]
    assert template["successCondition"]
    assert template["failureCondition"]
    ranges = [one["feasibleSpace"] for one in found["parameters"] if "list" not in one["feasibleSpace"]]
    assert [one["distribution"] for one in ranges] == ["logUniform", "uniform"]


def test_the_trial_is_a_job_that_no_mesh_keeps_alive_and_that_is_not_tried_again() -> None:
    template = spec(search())["trialTemplate"]
    job = template["trialSpec"]
    assert (job["apiVersion"], job["kind"], job.get("metadata")) == ("batch/v1", "Job", None)
    assert job["spec"]["backoffLimit"] == 0
    pod = job["spec"]["template"]
    assert pod["metadata"]["labels"] == {"sidecar.istio.io/inject": "false"}
    assert pod["spec"]["restartPolicy"] == "Never"
    assert [one["name"] for one in pod["spec"]["containers"]] == [template["primaryContainerName"]]


def test_the_trials_log_stays_for_a_while_after_it_has_ended() -> None:
    template = spec(search())["trialTemplate"]
    assert template["retain"] is True
    assert template["trialSpec"]["spec"]["ttlSecondsAfterFinished"] == 86_400


def test_the_container_has_the_steps_image_resources_and_code() -> None:
    found = container(search())
    assert found["image"] == "python:3.11-slim"
    assert found["resources"] == {"limits": {"cpu": "1", "memory": "1G"}}
    variables = {one["name"]: one["value"] for one in found["env"]}
    assert "def bowl(" in variables["KFNB_SOURCE_0"]
    assert variables["KFNB_OBJECTIVE"] == "loss"
    (step,) = json.loads(variables["KFNB_STEPS"].replace("$$", "$"))
    assert "--function_to_execute" in step["command"]
    assert any("pip install" in str(word) for word in step["command"])
    assert step["inputs"]["depth"]["value"] == 3


def test_each_parameter_is_referenced_and_each_reference_is_a_parameter() -> None:
    found = spec(search())
    template = found["trialTemplate"]
    names = [one["name"] for one in found["parameters"]]
    assert [one["reference"] for one in template["trialParameters"]] == names
    written = json.dumps(template["trialSpec"])
    assert all(f"${{trialParameters.{one['name']}}}" in written for one in template["trialParameters"])
    assert written.count("${trial") == len(names)


def test_what_kubernetes_would_expand_in_the_code_is_escaped() -> None:
    variables = {one["name"]: one["value"] for one in container(search())["env"]}
    assert "$$(command -v pip)" in variables["KFNB_STEPS"]


def test_the_yaml_reads_back_as_the_same_experiment_and_shows_code_line_by_line() -> None:
    written = experiment(search(), "team-a")
    shown = text(written)
    assert yaml.safe_load(shown) == written
    assert "\n                  def bowl(\n" in shown
    assert "&id" not in shown


def test_a_grid_has_as_many_trials_as_points() -> None:
    space = "depth=int(2,8,step=3) act=choice(relu,tanh) lr=float(0,0.5,step=0.1)"
    assert spec(search(space, algorithm="grid", max_trials=None))["maxTrialCount"] == 3 * 2 * 6
    assert spec(search(space, algorithm="grid", max_trials=100))["maxTrialCount"] == 36
    assert spec(search(space, algorithm="grid", max_trials=5))["maxTrialCount"] == 5


def test_more_in_parallel_than_there_are_trials_is_as_many_as_there_are() -> None:
    assert spec(search(max_trials=2, parallel=8))["parallelTrialCount"] == 2


def test_a_metric_of_the_step_may_be_called_by_the_step() -> None:
    assert spec(search(objective=Objective("bowl.loss")))["objective"]["objectiveMetricName"] == "loss"
    assert "a trial of my_bowl runs bowl, which has no other" in refusal(
        search(objective=Objective("other.loss"))
    )


def test_a_pipeline_of_one_step_is_that_step() -> None:
    made = search()
    alone = replace(made, subject=replace(made.subject, step=""))
    assert spec(alone) == spec(made)


def of_churn(**changes: Any) -> Search:
    subject = TrialSubject("churn", churn(), arguments={"rows": 5})
    told = {"subject": subject, "objective": Objective("train.loss"), **changes}
    return search("lr=log(1e-4,1e-1)", **told)


def test_a_pipelines_steps_are_run_one_after_the_other_in_one_container() -> None:
    variables = {one["name"]: one["value"] for one in container(of_churn())["env"]}
    names = [step["name"] for step in json.loads(variables["KFNB_STEPS"].replace("$$", "$"))]
    assert names == ["count", "save", "train", "other"]
    assert "def train(" in variables[f"KFNB_SOURCE_{names.index('train')}"]
    assert experiment(of_churn())["metadata"]["annotations"]["kfnb/steps"] == "count, save, train, other"


def test_a_step_with_what_stands_before_it_is_a_trial() -> None:
    made = of_churn(subject=TrialSubject("train", churn(), step="train"))
    variables = {one["name"]: one["value"] for one in container(made)["env"]}
    steps = json.loads(variables["KFNB_STEPS"].replace("$$", "$"))
    assert [(step["name"], step["metrics"]) for step in steps] == [
        ("count", {}),
        ("save", {}),
        ("train", {"loss": "loss"}),
    ]


def test_a_pipelines_own_output_is_a_metric_by_its_name() -> None:
    made = of_churn(objective=Objective("Output"))
    assert spec(made)["objective"]["objectiveMetricName"] == "Output"
    variables = {one["name"]: one["value"] for one in container(made)["env"]}
    steps = json.loads(variables["KFNB_STEPS"].replace("$$", "$"))
    assert [step["metrics"] for step in steps] == [{}, {}, {"Output": "loss"}, {}]


def test_a_metric_of_two_steps_is_one_for_katib() -> None:
    made = of_churn(objective=Objective("train.loss", further=("count.loss",)))
    assert "Katib knows metrics without their tasks, and loss is asked for twice" in refusal(made)


def test_the_container_is_enough_for_each_of_its_steps() -> None:
    told = json.loads(json.dumps(churn()))
    executors = told["deploymentSpec"]["executors"]
    executors["exec-train"]["container"]["resources"] = {
        "resourceCpuLimit": "500m",
        "resourceMemoryLimit": "4G",
        "accelerator": {"resourceType": "nvidia.com/gpu", "resourceCount": "1"},
    }
    executors["exec-save"]["container"]["resources"] = {
        "resourceCpuLimit": "2",
        "resourceMemoryLimit": "512Mi",
    }
    found = container(of_churn(subject=TrialSubject("churn", told)))
    assert found["resources"] == {"limits": {"cpu": "2", "memory": "4G", "nvidia.com/gpu": "1"}}


def trained() -> dict[str, Any]:
    """The pipeline, whose step ``train`` is a training of two nodes."""
    told: dict[str, Any] = json.loads(json.dumps(churn()))
    command = told["deploymentSpec"]["executors"]["exec-train"]["container"]["command"]
    command[-1] += "\n".join(["", *DeclaredTraining(2, 2).comments()])
    return told


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        (TrialSubject("branching", branching()), "condition-1 is a loop, a condition or a nested pipeline"),
        (TrialSubject("branching", branching()), "for-loop-3 is a loop, a condition or a nested pipeline"),
        (TrialSubject("branching", branching()), "--backend local"),
        (TrialSubject("ready", ready_made()), "program runs a program of its image"),
        (TrialSubject("unlike", unlike()), "different images (python:3.11-slim, python:3.12-slim)"),
        (
            TrialSubject("churn", trained()),
            "train is trained on 2 nodes (%%kf_train --nodes 1 --procs 4 is the same",
        ),
        (TrialSubject("unlike", unlike()), "the variable PLACE differs between its steps"),
        (TrialSubject("churn", churn(), step="evaluate"), "there is count, other, save, train"),
    ],
)
def test_a_trial_that_no_container_can_run_is_refused_with_the_way_out(
    subject: TrialSubject, words: str
) -> None:
    assert words in refusal(search("rows=int(1,9)", subject=subject))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"timeout": 60.0}, "no time limit"),
        ({"max_trials": None}, "run for ever"),
        ({"max_trials": 0}, "no trials"),
        ({"parallel": 0}, "at least one trial"),
        ({"max_failed": 13}, "13 trials may fail, of 12"),
        ({"max_failed": -1}, "0 or more"),
        ({"conditions": "def space(trial): ..."}, "only under a condition"),
        ({"space": ()}, "space is empty"),
        ({"early_stopping": "asha"}, "early stopping asha: there is median"),
        ({"early_stopping": "median", "early_settings": {"start_step": "0"}}, "start_step is a whole number"),
        (
            {"early_stopping": "median", "early_settings": {"steps": "4"}},
            "it has min_trials_required, start_step",
        ),
        ({"objective": Objective("a.loss")}, "which has no a"),
        ({"objective": Objective("lößs")}, "names of metrics"),
        ({"name": "9lives"}, "not a valid name for a study"),
        ({"name": "b" * 41}, "at most 40"),
        ({"subject": replace(search().subject, arguments={})}, ""),
    ],
)
def test_what_katib_would_not_do_is_refused_before_it_is_asked(changes: dict[str, Any], words: str) -> None:
    if changes.get("subject") is not None:
        made = search("lr=log(1e-4,1e-1)", **changes)
        assert "bowl needs a value for depth" in refusal(made)
    else:
        assert words in refusal(search(**changes))


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ("width=int(1,9)", "it takes no parameter width; it takes act, depth, flag, lr, result, say"),
        ("depth=float(0.5,2)", "depth is int in bowl"),
        ("lr=choice(small,large)", "lr is float in bowl"),
        ("""act=choice("it's","a\\"b")""", "cannot hand on the choice"),
        ("act=choice('$HOME')", "cannot hand on the choice"),
        ("act=choice('true','false')", "truth values in Katib: choice(True,False)"),
    ],
)
def test_a_space_that_does_not_fit_the_step_is_refused(space: str, words: str) -> None:
    assert words in refusal(search(space))


def test_all_that_is_wrong_is_said_at_once() -> None:
    said = refusal(search("width=int(1,9)", timeout=1.0, algorithm="annealing"))
    assert all(word in said for word in ("width", "time limit", "annealing"))


def test_code_with_what_katib_replaces_in_it_is_refused() -> None:
    made = search()
    told = json.dumps(made.subject.spec).replace("for three epochs", "${trialParameters.lr}")
    assert "which Katib would replace" in refusal(
        replace(made, subject=replace(made.subject, spec=json.loads(told)))
    )


def test_code_that_no_container_takes_is_refused() -> None:
    made = search()
    told = json.dumps(made.subject.spec).replace("for three epochs", "x" * 130_000)
    assert "longer than 120 KB" in refusal(
        replace(made, subject=replace(made.subject, spec=json.loads(told)))
    )


@pytest.mark.parametrize(("name", "expected"), [("my_study", "my-study"), ("Bowl 2", "bowl-2"), ("a", "a")])
def test_a_studys_name_is_written_as_kubernetes_has_names(name: str, expected: str) -> None:
    assert name_of(name) == known_as(name) == expected


@pytest.mark.parametrize("name", ["a.b-c", "9lives", "b" * 60])
def test_a_study_of_another_name_is_found_by_it(name: str) -> None:
    assert known_as(name) == name


def with_settings(**settings: Any) -> Search:
    made = search()
    told = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": {"exec-bowl": settings}}}}}
    return replace(made, subject=replace(made.subject, platform=told))


def test_what_the_step_asks_of_kubernetes_its_trials_have_too() -> None:
    given = {"secretName": "keys", "secretNameParameter": {"runtimeValue": {"constant": "keys"}}}
    made = with_settings(
        secretAsEnv=[{**given, "keyToEnv": [{"secretKey": "token", "envVar": "TOKEN"}]}],
        configMapAsVolume=[{"configMapName": "rules", "mountPath": "/rules", "optional": True}],
        pvcMount=[
            {"pvcNameParameter": {"runtimeValue": {"constant": "data"}}, "mountPath": "/data", "subPath": "a"}
        ],
        imagePullSecret=[{"secretName": "registry"}],
        imagePullPolicy="Always",
        nodeSelector={"labels": {"disk": "ssd"}},
        tolerations=[{"key": "gpu", "operator": "Exists"}],
        podMetadata={"labels": {"team": "a"}},
        activeDeadlineSeconds="60",
    )
    job = spec(made)["trialTemplate"]["trialSpec"]["spec"]["template"]
    assert job["metadata"]["labels"] == {"team": "a", "sidecar.istio.io/inject": "false"}
    pod = job["spec"]
    assert pod["nodeSelector"] == {"disk": "ssd"}
    assert pod["tolerations"] == [{"key": "gpu", "operator": "Exists"}]
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
    assert pod["activeDeadlineSeconds"] == 60
    assert pod["volumes"] == [
        {"name": "volume-0", "configMap": {"name": "rules", "optional": True}},
        {"name": "volume-1", "persistentVolumeClaim": {"claimName": "data"}},
    ]
    found = container(made)
    assert found["imagePullPolicy"] == "Always"
    assert found["volumeMounts"] == [
        {"name": "volume-0", "mountPath": "/rules"},
        {"name": "volume-1", "mountPath": "/data", "subPath": "a"},
    ]
    assert {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "token"}}} in found["env"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"fieldPathAsEnv": [{"name": "NODE"}]}, "the Kubernetes setting fieldPathAsEnv is not one"),
        (
            {"secretAsEnv": [{"secretNameParameter": {"componentInputParameter": "name"}}]},
            "secretAsEnv has a name that the run decides",
        ),
    ],
)
def test_what_no_trials_pod_can_have_is_refused(settings: dict[str, Any], words: str) -> None:
    assert f"bowl: {words}" in refusal(with_settings(**settings))
