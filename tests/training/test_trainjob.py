"""What a TrainJob is made of, and the states, failures and refusals that its pods and conditions show."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.artifacts.digests import Digests
from kfnb.entities import Rank, RunState
from kfnb.errors import BackendError
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.kubeflow.log_lines import Sieve
from kfnb.resources.runs.kubeflow.trainings import ON_ONE_NODE
from kfnb.resources.runs.rank_fold import merged, news
from kfnb.resources.training.trainer.logs import PodLine, split_line
from kfnb.resources.training.trainer.pod_store import Checkpoints, digest_of
from kfnb.resources.training.trainer.record import TrainingResult, as_result, result_of, shortened
from kfnb.resources.training.trainer.runtimes import TrainingRuntime, choose
from kfnb.resources.training.trainer.state import first_failure, ranks_of, state_of, waiting_for
from kfnb.resources.training.trainer.step import TrainingStep, read_step
from kfnb.resources.training.trainer.storage import PodAccess
from kfnb.resources.training.trainer.trainjob import (
    ClusterTraining,
    TrainerSchema,
    new_name,
    source_of,
    trainjob,
)
from kfnb.text.ranks import DeclaredTraining

CONTAINER = {
    "image": "python:3.11-slim",
    "command": ["sh", "-c", "install", "sh", "-ec", "run", "def fit(): pass"],
    "args": ["--executor_input", "{{$}}", "--function_to_execute", "fit"],
    "env": [{"name": "PRICE", "value": "$(HOME) $$ 5"}],
    "resources": {
        "resourceCpuLimit": "2",
        "resourceMemoryLimit": "4G",
        "accelerator": {"type": "nvidia.com/gpu", "count": "1"},
    },
}
STEP = TrainingStep("fit", "fit-training", CONTAINER, {"lr": 0.5}, {}, (), {"kf_names": "system.Artifact"})
RUNTIME = TrainingRuntime("torch-distributed", "ClusterTrainingRuntime", "torch", "torch")
KEYS = ({"name": "KFNB_STORE_ACCESS_KEY_ID", "valueFrom": {"secretKeyRef": {"name": "store", "key": "id"}}},)
TRAINING = ClusterTraining(
    "train-fit-1",
    STEP,
    RUNTIME,
    2,
    {},
    "s3://bucket/root",
    PodAccess("s3", {"region": "x"}, KEYS),
    {"task": "fit"},
)
NEW, OLD = TrainerSchema("runtimePatches"), TrainerSchema("podTemplateOverrides")


def job_of(item: dict[str, Any]) -> dict[str, Any]:
    """What the pods of a TrainJob are given."""
    found: dict[str, Any] = json.loads(
        zlib.decompress(base64.b64decode("".join(item["spec"]["trainer"]["args"])))
    )
    return found


def test_pods_find_each_other_by_the_names_that_jobset_gives_them() -> None:
    job = job_of(trainjob(TRAINING, NEW))
    assert job["hosts"] == ["train-fit-1-node-0-0.train-fit-1", "train-fit-1-node-0-1.train-fit-1"]
    other = replace(TRAINING, runtime=replace(RUNTIME, job="worker", subdomain="net"))
    assert job_of(trainjob(other, NEW))["hosts"][1] == "train-fit-1-worker-0-1.net"


def test_resources_and_variables_are_those_of_a_node() -> None:
    trainer = trainjob(TRAINING, NEW)["spec"]["trainer"]
    assert trainer["resourcesPerNode"] == {"limits": {"cpu": "2", "memory": "4G", "nvidia.com/gpu": "1"}}
    assert trainer["numNodes"] == 2
    assert trainer["env"][0] == {"name": "PRICE", "value": "$$(HOME) $$$$ 5"}, "Kubernetes would expand it"
    assert trainer["env"][1] == KEYS[0]


@pytest.mark.parametrize("schema", [NEW, OLD])
def test_pods_have_no_proxy_beside_them_and_what_the_component_requests(schema: TrainerSchema) -> None:
    settings = {
        "nodeSelector": {"labels": {"gpu": "a100"}},
        "pvcMount": [{"constant": "data", "mountPath": "/data"}],
        "activeDeadlineSeconds": "60",
    }
    item = trainjob(replace(TRAINING, step=replace(STEP, settings=settings), queue="gpus"), schema)
    [patch] = item["spec"][schema.patches]
    if schema is NEW:
        [job] = patch["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"]
        assert (job["name"], patch["manager"]) == ("node", "kfnb.dev/kfnb")
        patch = job["template"]["spec"]["template"]
    else:
        assert patch["targetJobs"] == [{"name": "node"}]
    assert patch["metadata"]["labels"] == {"sidecar.istio.io/inject": "false"}
    assert patch["spec"]["nodeSelector"] == {"gpu": "a100"}
    assert patch["spec"]["containers"] == [
        {"name": "node", "volumeMounts": [{"name": "volume-0", "mountPath": "/data"}]}
    ]
    assert "activeDeadlineSeconds" not in patch["spec"], (
        "the pod's program ends it: Trainer 2.1 has no such field"
    )
    assert job_of(item)["timeout"] == 60
    assert item["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"


@given(st.text())
def test_any_program_reaches_the_pods_unchanged(source: str) -> None:
    container = {**CONTAINER, "command": [*CONTAINER["command"][:-1], source]}
    item = trainjob(replace(TRAINING, step=replace(STEP, container=container)), NEW)
    assert source_of(item) == source
    assert not {"$", "`", '"', "\n"} & set("".join(item["spec"]["trainer"]["args"]))


def test_a_long_program_is_cut_into_items_that_trainer_takes_and_one_that_is_too_long_is_refused() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLM"
    noise = "".join(Random(0).choices(letters, k=1_200_000))
    item = trainjob(replace(TRAINING, step=replace(STEP, parameters={"x": noise[:200_000]})), NEW)
    assert len(item["spec"]["trainer"]["args"]) > 1
    assert max(map(len, item["spec"]["trainer"]["args"])) <= 60_000
    with pytest.raises(
        BackendError, match=r"the code and the parameters of fit are \d+ KB, and a TrainJob holds"
    ):
        trainjob(replace(TRAINING, step=replace(STEP, parameters={"x": noise})), NEW)


def test_the_command_of_a_pod_is_python_alone() -> None:
    item = trainjob(replace(TRAINING, access=PodAccess("nowhere", {}, ())), NEW)
    words = [*item["spec"]["trainer"]["command"], *item["spec"]["trainer"]["args"]]
    words[0] = sys.executable
    done = subprocess.run(
        words, capture_output=True, text=True, env={"PATH": "/nowhere"}, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "\x1ekfnb-failed" in done.stdout, "it reports that it cannot reach its store"


def test_names_fit_pods() -> None:
    name = new_name("Fit_" + "x" * 80)
    assert name.startswith("train-fit-x")
    assert len(name) <= 40


def test_a_step_of_a_pipeline_on_several_nodes_is_told_to_be_in_one_pod_where_no_trainer_is_known() -> None:
    def spec(nodes: int) -> dict[str, Any]:
        lines = "\n".join(DeclaredTraining(nodes, 2).comments())
        container = {"command": ["sh", f"def fit():\n{lines}\n"]}
        return {
            "components": {"comp-fit": {"executorLabel": "exec-fit"}},
            "deploymentSpec": {"executors": {"exec-fit": {"container": container}}},
        }

    [note] = ON_ONE_NODE.cautions(spec(2), None)
    assert note.startswith("fit is trained on one node: its 2 x 2 processes are in one pod")
    assert ON_ONE_NODE.distributed(spec(2), None) == (spec(2), None)
    assert not list(ON_ONE_NODE.cautions(spec(1), None))


# -- runtimes


MPI = TrainingRuntime("deepspeed-distributed", "ClusterTrainingRuntime", "deepspeed", "mpi")
JAX = TrainingRuntime("jax-distributed", "ClusterTrainingRuntime", "jax", "jax")
PLAIN = TrainingRuntime("plain", "TrainingRuntime")


def test_a_framework_has_its_own_runtime_else_a_plain_one_else_any_that_kfnb_can_use() -> None:
    assert choose([MPI, RUNTIME, JAX, PLAIN], "jax") is JAX
    assert choose([MPI, RUNTIME, JAX, PLAIN], "lightgbm") is PLAIN
    assert choose([MPI, JAX, RUNTIME], "tensorflow") is RUNTIME
    assert choose([MPI, RUNTIME, JAX], "torch", "jax-distributed") is JAX


@pytest.mark.parametrize(
    ("known", "name", "message"),
    [
        ([], "", "this cluster has no training runtime for torch: it has no runtime"),
        ([MPI], "", "this cluster has no training runtime for torch: runtimes are deepspeed-distributed"),
        ([RUNTIME], "torch-distribute", "unknown training runtime torch-distribute: .*torch-distributed"),
        ([MPI], MPI.name, "starts its processes by mpi, which kfnb does not"),
    ],
)
def test_a_runtime_that_is_not_there_is_refused(
    known: list[TrainingRuntime], name: str, message: str
) -> None:
    with pytest.raises(BackendError) as refused:
        choose(known, "torch", name)
    assert re.search(message, f"{refused.value} {refused.value.hint}")


def test_a_trainer_that_is_too_old_is_refused() -> None:
    with pytest.raises(BackendError, match=r"needs Kubeflow Trainer 2\.1 or newer"):
        TrainerSchema.of({"podSpecOverrides": {}})


def test_only_one_step_is_a_trainjob() -> None:
    spec = {"root": {"dag": {"tasks": {}}}, "components": {}}
    with pytest.raises(BackendError, match="a TrainJob is one step, and p has 0"):
        read_step(Submission(spec, {}, "p"))


# -- states


def pod(index: int, phase: str, number: int = 0, **more: Any) -> dict[str, Any]:
    state: dict[str, Any] = {"running": {"startedAt": "2026-11-30T10:00:00Z"}}
    if phase in ("Failed", "Succeeded"):
        end = {"exitCode": 0 if phase == "Succeeded" else 1, "finishedAt": f"2026-11-30T10:00:{10 + number}Z"}
        state = {"terminated": {**end, **more}}
    labels = {"batch.kubernetes.io/job-completion-index": str(index)}
    metadata = {"name": f"p-{index}-{number}", "labels": labels}
    status = {"phase": phase, "containerStatuses": [{"name": "node", "state": state}]}
    return {"metadata": metadata, "spec": {"containers": [{"name": "node"}]}, "status": status}


def item(condition: str = "", *, suspend: bool = False, **annotations: str) -> dict[str, Any]:
    conditions = [{"type": condition, "status": "True"}] if condition else []
    return {
        "metadata": {"annotations": annotations, "labels": {}},
        "spec": {"suspend": suspend},
        "status": {"conditions": conditions},
    }


STOPPED = {"kfnb/stopped": "true"}


@pytest.mark.parametrize(
    ("trained", "pods", "state"),
    [
        (item(), [], RunState.PENDING),
        (item(), [pod(0, "Pending")], RunState.PENDING),
        (item(), [pod(0, "Running")], RunState.RUNNING),
        (item("Suspended", suspend=True), [], RunState.PAUSED),
        (item("Suspended", suspend=True), [pod(0, "Running")], RunState.RUNNING),
        (item(), [pod(0, "Succeeded"), pod(1, "Running")], RunState.RUNNING),
        (item("Complete"), [], RunState.SUCCEEDED),
        (item("Failed"), [], RunState.FAILED),
        (item(), [pod(0, "Running"), pod(1, "Failed")], RunState.FAILED),
        (item(suspend=True, **STOPPED), [pod(0, "Running")], RunState.CANCELING),
        (item(suspend=True, **STOPPED), [], RunState.CANCELED),
    ],
)
def test_the_state_is_that_of_pods_and_conditions(
    trained: dict[str, Any], pods: list[dict[str, Any]], state: RunState
) -> None:
    assert state_of(trained, pods, restarts=0) is state


def test_a_node_may_fail_as_often_as_it_may_be_restarted() -> None:
    once = [pod(0, "Failed"), pod(0, "Running", 1)]
    assert state_of(item(), once, restarts=1) is RunState.RUNNING
    assert state_of(item(), [pod(0, "Failed"), pod(0, "Failed", 1)], restarts=1) is RunState.FAILED
    assert ranks_of(once, {}, nodes=1, procs=1)[0].restarts == 1


def test_a_pod_that_is_deleted_has_not_failed() -> None:
    deleted = pod(0, "Failed")
    deleted["metadata"]["deletionTimestamp"] = "2026-11-30T10:00:00Z"
    assert state_of(item("Suspended", suspend=True), [deleted], restarts=0) is RunState.PAUSED


def test_the_first_failure_is_known_by_what_the_pods_told_of_the_time() -> None:
    early = json.dumps({"node": 1, "why": "rank 1 ValueError: x", "at": 1_795_000_000.5})
    found = first_failure([pod(0, "Failed"), pod(1, "Failed", 1, message=early)])
    assert found is not None
    assert (found.node, found.why) == (1, "rank 1 ValueError: x")


def test_what_a_training_waits_for_is_told() -> None:
    queued = item("Suspended", suspend=True)
    queued["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] = "gpus"
    assert state_of(queued, [], restarts=0) is RunState.PENDING
    assert waiting_for(queued, [], {}) == "waits in queue gpus of Kueue until there is room"
    quota = "Error creating: pods is forbidden: exceeded quota: team, requested: cpu=8, used: cpu=0, limited: cpu=4"
    event = {"reason": "FailedCreate", "message": quota}
    assert "quota team of the namespace is used up" in waiting_for(item(), [], {"x": [event]})
    unfit = pod(1, "Pending")
    unfit["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available."}
    ]
    assert waiting_for(item(), [unfit], {}) == "node 1: cannot be scheduled: 0/3 nodes are available"


def test_a_result_outlives_its_pods_and_anything_else_is_no_result() -> None:
    curve = tuple((float(n), n / 7) for n in range(1000))
    rank = Rank(1, RunState.FAILED, "n", 137, 2, 1.0, 2.0, 0.5, 3, {"loss": 0.5}, {"loss": curve})
    text = as_result(TrainingResult(RunState.FAILED, 5.0, None, (rank,)))
    found = result_of({"metadata": {"annotations": {"kfnb/result": text}}})
    assert found is not None
    assert (found.state, found.ranks[0].exit_code) == (RunState.FAILED, 137)
    assert len(found.ranks[0].curves["loss"]) < 60
    assert found.ranks[0].curves["loss"][-1] == curve[-1]
    for damaged in ("", "[]", "{}", '{"state": "X"}', '{"state": "FAILED", "ranks": [{"x": 1}]}'):
        assert result_of({"metadata": {"annotations": {"kfnb/result": damaged}}}) is None
    large = TrainingResult(RunState.SUCCEEDED, 5.0, None, tuple(replace(rank, number=n) for n in range(4000)))
    assert len(as_result(large)) < 100_000


@given(
    st.dictionaries(
        st.text("abc/", min_size=1).filter(lambda name: "//" not in name and name.strip("/") == name),
        st.binary(),
    )
)
def test_a_pod_and_the_kernel_know_an_artifact_by_the_same_digest(files: dict[str, bytes]) -> None:
    with TemporaryDirectory() as temporary:
        for name, content in files.items():
            file = Path(temporary, *(f"{part}-{depth}" for depth, part in enumerate(name.split("/"))), "file")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            assert digest_of(file) == Digests().content(file)
        assert digest_of(Path(temporary)) == Digests().content(Path(temporary))


class KeptCheckpoints:
    """A store with two checkpoints, whose second one was cut off."""

    def __init__(self) -> None:
        self.fetched: list[str] = []

    def folders(self, _: str) -> list[str]:
        return ["0000000001", "0000000002"]

    def has(self, key: str) -> bool:
        return key == "checkpoints/0000000001/complete"

    def fetch(self, key: str, target: Path) -> None:
        self.fetched.append(key)
        target.mkdir()


def test_a_checkpoint_that_was_not_stored_completely_is_not_fetched(tmp_path: Path) -> None:
    store = KeptCheckpoints()
    Checkpoints(store, tmp_path).restore()  # type: ignore[arg-type]  # what of it a pod asks here
    assert store.fetched == ["checkpoints/0000000001/content"]
    assert [one.name for one in tmp_path.iterdir()] == ["0000000001"]


def test_large_arguments_are_not_in_the_record() -> None:
    assert shortened({"lr": 0.5, "xs": [0] * 1000}) == {"lr": 0.5, "xs": "(list)"}


def test_lines_and_reports_of_a_pod_are_split_line_whatever_it_prints() -> None:
    def read(text: str) -> list[PodLine]:
        return list(split_line(PodLine("p", 0, 1.0, text), Sieve()))

    assert read('\x1ekfnb-ranks {"0": {"step": 1}}')[0].facts == {"0": {"step": 1}}
    assert [one.text for one in read('half a li\x1ekfnb-ranks {"0": {}}') if not one.kind] == ["half a li"]
    assert read("\x1ekfnb-ranks [1") == []
    assert read("\x1ekfnb-ranks 5") == []
    assert read("")[0].text == ""


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.floats(0, 1)), max_size=30))
def test_news_lead_from_any_ranks_to_any_later_ones(reports: list[tuple[int, int, float]]) -> None:
    """``merged`` of the news is what the reports have added up to."""
    ranks: tuple[Rank, ...] = ()
    seen: tuple[Rank, ...] = ()
    last: dict[int, int] = {}
    for number, step, value in reports:
        if step <= last.get(number, -1):
            continue
        last[number] = step
        ranks = merged(
            ranks,
            {
                str(number): {
                    "state": "RUNNING",
                    "step": step,
                    "metrics": {"loss": value},
                    "points": [[step, {"loss": value}]],
                }
            },
        )
        seen = merged(seen, news(seen, ranks))
    assert seen == ranks
