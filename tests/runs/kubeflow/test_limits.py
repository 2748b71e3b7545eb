"""What a cluster cannot hold is refused before it is sent, by the numbers that recorded Workflows show."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from replay import serving

from kfnb.errors import BackendError
from kfnb.remote.kfp.server import KfpServer
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.kubeflow.limits import _go, cautions, check, workflow_size
from kfnb.resources.runs.kubeflow.plan import plan_of
from kfnb.resources.runs.kubeflow.run_builder import fold
from kfnb.resources.runs.kubeflow.submission import order

STOCK = Path(__file__).parent / "recordings" / "stock"


def recorded(name: str) -> list[dict[str, Any]]:
    held = json.loads(gzip.decompress((STOCK / f"{name}.workflow.json.gz").read_bytes()))
    workflows: list[dict[str, Any]] = held.get("items", [held])
    return workflows


def pipeline(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = next(yaml.safe_load_all((STOCK / f"pipeline-{name}.yaml").read_text()))
    return spec


def small(command: str = "echo", tasks: int = 1, **task: Any) -> dict[str, Any]:
    """A pipeline of ``tasks`` tasks that run one command."""
    return {
        "pipelineInfo": {"name": "p"},
        "root": {
            "dag": {"tasks": {f"t-{n}": {"componentRef": {"name": "comp-t"}, **task} for n in range(tasks)}}
        },
        "components": {"comp-t": {"executorLabel": "exec-t"}},
        "deploymentSpec": {"executors": {"exec-t": {"container": {"image": "i", "command": [command]}}}},
    }


@pytest.mark.parametrize("name", ["big", "loops", "cached", "stopped"])
def test_the_size_of_a_workflow_is_nearly_that_which_kfp_made(name: str) -> None:
    (workflow,) = recorded(name)[-1:]
    real = len(json.dumps(workflow["spec"], separators=(",", ":")))
    assert 0.75 * real < workflow_size(pipeline(name), None, {}) <= real


def test_a_component_is_as_long_as_kfp_hands_it_to_its_driver() -> None:
    given = {one["name"]: one["value"] for one in recorded("big")[0]["spec"]["arguments"]["parameters"]}
    executors = pipeline("big")["deploymentSpec"]["executors"].values()
    ours = sorted(len(_go(executor["container"])) for executor in executors)
    assert ours == sorted(len(value) for name, value in given.items() if name.startswith("implementations-"))


def test_what_ran_on_a_cluster_is_not_refused() -> None:
    for file in STOCK.glob("pipeline-*.yaml"):
        spec, *rest = yaml.safe_load_all(file.read_text())
        check(spec, rest[0] if rest else None, {})


def test_a_program_that_is_no_argument_of_a_command_is_refused() -> None:
    check(small("x" * 130_000), None, {})
    with pytest.raises(
        BackendError, match=r"^the program of t is 128 KiB as JSON.*limited to 128 KiB on Linux: move "
    ):
        check(small("x" * 131_072), None, {})


def test_signs_that_go_escapes_count_as_it_writes_them() -> None:
    check(small("<" * 21_000), None, {})
    with pytest.raises(BackendError, match="the program of t is 129 KiB"):
        check(small("<" * 22_000), None, {})


def test_a_task_with_too_large_a_constant_is_refused() -> None:
    loop = {"parameterIterator": {"items": {"raw": json.dumps(["x" * 100] * 1300)}, "itemInput": "i"}}
    with pytest.raises(BackendError, match=r"^t-0 with its constants is .* build the list"):
        check(small(**loop), None, {})


def test_arguments_that_are_too_large_are_refused_for_a_run() -> None:
    submission = Submission(spec=small(), arguments={"text": "x" * 132_000}, name="r")
    with pytest.raises(BackendError, match="the pipeline's input is 129 KiB as JSON"):
        order(submission, "")


def test_a_pipeline_that_kubernetes_cannot_hold_is_refused() -> None:
    check(small(tasks=1500), None, {})
    with pytest.raises(
        BackendError, match=r"is about 1,[5-9]\d\d KiB as an Argo Workflow.* at most 1,536 KiB: split it"
    ):
        check(small(tasks=2000), None, {})


def test_components_that_are_alike_count_once() -> None:
    spec = small("x" * 100_000)
    for number in range(30):
        spec["components"][f"comp-{number}"] = {"executorLabel": "exec-t"}
    check(spec, None, {})


def test_a_pipeline_that_argo_holds_only_with_a_database_is_told() -> None:
    assert [*cautions(small(tasks=300))] == []
    (caution,) = cautions(small(tasks=500))
    assert "over 1,024 KiB the run fails unless Argo" in caution


def test_retries_that_a_cluster_does_not_do_are_told() -> None:
    (caution,) = cautions(small(retryPolicy={"maxRetryCount": 2}, tasks=2))
    assert caution.startswith("t-0, t-1: KFP 2.17 by default retries a lost pod, but not a failed program")
    assert [*cautions(small("def t():\n    kfnb_attempts(2, [])", retryPolicy={"maxRetryCount": 2}))] == []
    assert [*cautions(small())] == []


def ignoring(*names: str, **more: Any) -> dict[str, Any]:
    """A pipeline whose task t-0 these tasks follow, however it ends."""
    spec = small()
    anyway = {
        "componentRef": {"name": "comp-t"},
        "dependentTasks": ["t-0"],
        "triggerPolicy": {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"},
    }
    spec["root"]["dag"]["tasks"] |= dict.fromkeys(names, anyway) | more
    return spec


def test_of_the_tasks_that_ignore_one_failure_a_cluster_runs_one() -> None:
    assert [*cautions(ignoring("tell"))] == []
    assert [*cautions(ignoring("tell", "add", "late"))] == [
        f"{name} never runs on Kubeflow Pipelines: of the tasks that ignore the failure of the same task it only"
        " runs tell"
        for name in ("add", "late")
    ]


def test_a_task_after_one_that_ignores_a_failure_is_refused() -> None:
    after = {"componentRef": {"name": "comp-t"}, "dependentTasks": ["tell"]}
    check(ignoring("tell"), None, {})
    with pytest.raises(
        BackendError, match=r"last depends on tell, which ignores .*: put both into a nested pipeline"
    ):
        check(ignoring("tell", last=after), None, {})


def test_tasks_that_a_cluster_never_runs_are_skipped_and_worth_no_note() -> None:
    spec = ignoring("tell", "add")
    rows = [
        {"display_name": name, "state": "SUCCEEDED", "start_time": at, "end_time": at}
        for name, at in (("t-0", "2026-11-29T20:12:06Z"), ("tell", "2026-11-29T20:12:37Z"))
    ]
    run = fold({"state": "SUCCEEDED", "run_details": {"task_details": rows}}, plan_of(spec))
    assert {task.name: str(task.state) for task in run.tasks} == {
        "t-0": "SUCCEEDED",
        "tell": "SUCCEEDED",
        "add": "SKIPPED",
    }
    assert run.notes == ()


def test_a_run_on_a_cluster_tells_its_cautions() -> None:
    with serving(("stock/failures",)) as replay:
        backend = KubeflowRunEngine(KfpServer(replay.url))
        ids = [workflow["metadata"]["labels"]["pipeline/runid"] for workflow in recorded("failures")]
        notes = {run.name: run.notes for run in map(backend.get, ids)}
    assert [note.split(":")[0] for note in notes.pop("retries 2")] == ["divide"]
    assert [note.split(":")[0] for note in notes.pop("pods lost")] == ["patient-2"]
    assert set(notes.values()) == {()}
