"""The step of a pipeline on a cluster that is trained on several nodes: its pod makes a TrainJob and follows it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import kfnb
from kfnb.remote.objects import AccessKeys, ObjectStore, StoreAccess
from kfnb.resources.components import api
from kfnb.resources.runs import api as runs
from kfnb.resources.runs.kubeflow.failure import why_failed
from kfnb.resources.runs.kubeflow.trainings import Trainings
from kfnb.resources.training.trainer.pod_step import local
from tests.conftest import Shell
from tests.kubernetes.api_server import certify
from tests.training.clusters import until
from tests.training.pod_processes import PodProcess, PodProcesses
from tests.training.simulated_trainer import ClusterUnderTest, Trainer

FIT = """%%kf_train fit --nodes 2 --cpu 500m --memory 1G OPTIONS --output total
import os, time
total = float(sum(kf.shard(x)))
kf.log_metrics(step=1, loss=total)
with kf.checkpoint(1) as folder:
    (folder / "weights").write_text("w")
if os.environ.get("JOB_COMPLETION_INDEX"):
    CODE
"""


@dataclass
class Step:
    """The pod of the step ``fit`` of the pipeline ``p``: what it is sent as, its folder and its container."""

    container: dict[str, Any]
    settings: dict[str, Any]
    given: dict[str, Any]
    folder: Path
    pods: PodProcesses
    environment: dict[str, str]
    process: PodProcess | None = None

    def start(self) -> PodProcess:
        """Start its container, as KFP's launcher does."""
        words = [*self.container["command"], *self.container["args"]]
        command = [json.dumps(self.given) if word == "{{$}}" else word for word in words]
        self.process = self.pods.start("step", command, self.environment)
        return self.process

    def ended(self, seconds: float = 60) -> tuple[int, list[str]]:
        """Its exit code and its log."""
        process = self.process or self.start()
        until(lambda: process.code is not None, seconds)
        assert process.code is not None
        return process.code, [line for _, line in process.lines]

    def told(self) -> dict[str, Any]:
        """What it has told KFP of its outputs."""
        found: dict[str, Any] = json.loads((self.folder / "told" / "output_metadata.json").read_text())
        return found


@pytest.fixture
def pods(tmp_path: Path) -> PodProcesses:
    """A node of KFP's pods."""
    return PodProcesses(tmp_path / "kfp")


def placed() -> tuple[dict[str, Any], dict[str, Any]]:
    """The container and the settings of the step as they are sent."""
    compiled = api.spec_of("p")
    spec, platform = Trainings(runs.trainer_engine).distributed(compiled.spec, compiled.platform)
    settings = (platform or {})["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-fit"]
    return spec["deploymentSpec"]["executors"]["exec-fit"]["container"], settings


def step(
    shell: Shell,
    cluster: ClusterUnderTest,
    pods: PodProcesses,
    folder: Path,
    code: str = "pass",
    options: str = "",
) -> Step:
    """The pod of a step whose ``code`` is executed on the cluster alone; its account may train."""
    shell.run("%%kf_component load\nx = [float(one) for one in range(10)]")
    shell.run(FIT.replace("CODE", code).replace("OPTIONS", options))
    shell.run("%kf_pipeline p load fit")
    place = folder / "outputs"
    metrics = {"name": "kf_metrics", "uri": str(place / "kf_metrics"), "metadata": {}}
    given = {
        "inputs": {"parameterValues": {"x": shell["x"]}},
        "outputs": {
            "parameters": {"total": {"outputFile": str(place / "total")}},
            "artifacts": {"kf_metrics": {"artifacts": [metrics]}},
            "outputFile": str(folder / "told" / "output_metadata.json"),
        },
    }
    container, settings = placed()
    keys = {
        "KFNB_STORE_ACCESS_KEY_ID": "key-of-the-store",
        "KFNB_STORE_SECRET_ACCESS_KEY": "secret-of-the-store",
    }
    account = cluster.account(folder / "runner")
    cluster.allow()
    return Step(container, settings, given, folder, pods, {**account, **keys})


def test_a_step_of_two_nodes_is_a_trainjob_and_puts_out_what_rank_0_has(
    shell: Shell, cluster: ClusterUnderTest, pods: PodProcesses, tmp_path: Path
) -> None:
    pod = step(shell, cluster, pods, tmp_path, "print('rank', kf.rank, 'of', kf.world_size)")
    pod.start()
    made = until(cluster.trainjobs)[0]
    assert made["spec"]["trainer"]["numNodes"] == 2
    assert made["spec"]["trainer"]["resourcesPerNode"]["limits"] == {"cpu": "500m", "memory": "1G"}
    assert made["metadata"]["ownerReferences"][0]["name"] == "runner", "it does not outlive the step's pod"
    code, log = pod.ended()
    assert code == 0, log
    assert {"[rank 0] rank 0 of 2", "[rank 1] rank 1 of 2", "[rank 0] step 1: loss=20.0"} <= {*log}
    assert not any("\x1e" in line for line in log), "reports are not lines of the log"
    told = pod.told()
    assert told["parameterValues"] == {"total": 20.0}
    [metrics] = told["artifacts"]["kf_metrics"]["artifacts"]
    assert (metrics["metadata"]["loss"], metrics["uri"]) == (20.0, str(tmp_path / "outputs" / "kf_metrics"))
    until(lambda: not cluster.trainjobs())


def test_artifacts_are_its_inputs_wherever_they_are_kept(
    shell: Shell, simulation: Trainer, pods: PodProcesses, tmp_path: Path
) -> None:
    pod = step(shell, simulation, pods, tmp_path)
    shell.run("%%kf_component load\nimport numpy as np\nx = np.arange(10.0)")
    shell.run(FIT.replace("CODE", "pass").replace("OPTIONS", ""))
    loaded = kfnb.submit("p").wait(60).outputs["load"]["x"]
    pod.container, _ = placed()
    artifact = {"name": "x", "type": {"schemaTitle": loaded.type}, "metadata": dict(loaded.metadata)}
    store = ObjectStore(
        StoreAccess("s3", f"http://{simulation.store}", "us-east-1", keys=AccessKeys("key", "s"))
    )
    store.write("bucket/elsewhere/x", Path(loaded.uri).read_bytes())
    for number, uri in enumerate((loaded.uri, "s3://bucket/elsewhere/x")):
        pod.given["inputs"] = {"artifacts": {"x": {"artifacts": [{**artifact, "uri": uri}]}}}
        pod.process, pod.pods = None, PodProcesses(tmp_path / f"kfp-{number}")
        pod.environment["KFP_POD_UID"] += "1"
        code, log = pod.ended()
        assert code == 0, log
        assert pod.told()["parameterValues"] == {"total": 20.0}


def test_an_artifact_is_where_kfps_launcher_has_put_it() -> None:
    assert local("minio://mlpipeline/v2/artifacts/x") == Path("/minio/mlpipeline/v2/artifacts/x")
    assert local("gs://bucket/x") == Path("/gcs/bucket/x")


def test_its_pod_requests_nothing_and_reads_the_stores_keys_from_their_secret(
    shell: Shell, simulation: Trainer, pods: PodProcesses, tmp_path: Path
) -> None:
    pod = step(
        shell,
        simulation,
        pods,
        tmp_path,
        options="--image-pull-secret mine --node-selector disk=ssd --timeout 1h",
    )
    assert "resources" not in pod.container
    assert pod.settings["secretAsEnv"][0]["secretName"] == "store"
    assert "nodeSelector" not in pod.settings
    assert "activeDeadlineSeconds" not in pod.settings, "the time in a queue does not count"
    assert (
        pod.container["command"][-1]
        == api.spec_of("p").spec["deploymentSpec"]["executors"]["exec-fit"]["container"]["command"][-1]
    ), "the program is where it is looked for"
    assert (pod.container, pod.settings) == placed(), "KFP's cache knows it again"
    assert "secret-of-the-store" not in json.dumps([pod.container, pod.settings])


def test_it_fails_as_the_first_rank_that_fails(
    shell: Shell, cluster: ClusterUnderTest, pods: PodProcesses, tmp_path: Path
) -> None:
    pod = step(
        shell, cluster, pods, tmp_path, "time.sleep(0.3 if kf.rank else 60); raise ValueError('bad shard')"
    )
    code, log = pod.ended()
    assert code == 1
    assert log[-1] == "rank 1 failed: ValueError: bad shard"
    error = why_failed(log, pod.container["command"][-1])
    assert error.message == "rank 1: ValueError: bad shard"
    assert error.place.endswith("line 8")
    until(lambda: not cluster.trainjobs())
    until(lambda: all(one.code is not None for one in cluster.containers()))


def test_a_retried_step_goes_on_from_its_checkpoint(
    shell: Shell, cluster: ClusterUnderTest, pods: PodProcesses, tmp_path: Path
) -> None:
    # The pods that Job starts in place of failed ones are at work when the step's pod looks next.
    code = (
        "print('resumed', kf.resume() and kf.resume().name)\n"
        "    if kf.resume() is None: raise OSError('disk')\n"
        "    time.sleep(3)"
    )
    pod = step(shell, cluster, pods, tmp_path, code, "--retries 1")
    ended, log = pod.ended()
    assert ended == 0, log
    assert "[rank 0] resumed None" in log
    assert "[rank 0] resumed 0000000001" in log
    assert any("OSError: disk" in line and "started again" in line for line in log)


def test_stopping_the_step_ends_its_trainjob(
    shell: Shell, cluster: ClusterUnderTest, pods: PodProcesses, tmp_path: Path
) -> None:
    pod = step(shell, cluster, pods, tmp_path, "print('at work', flush=True); time.sleep(60)")
    process = pod.start()
    until(lambda: any("at work" in line for _, line in process.lines))
    process.terminate()
    assert pod.ended()[0] == 143
    until(lambda: not cluster.trainjobs())
    until(lambda: all(one.code is not None for one in cluster.containers()))


def test_an_account_that_may_not_train_is_told_how_it_is_allowed_to(
    shell: Shell, cluster: ClusterUnderTest, pods: PodProcesses, tmp_path: Path
) -> None:
    pod = step(shell, cluster, pods, tmp_path)
    pod.environment |= cluster.account(tmp_path / "another")
    code, log = pod.ended()
    assert code == 1
    error = why_failed(log, pod.container["command"][-1])
    assert "may not train with several nodes: trainjobs" in error.message
    assert "create role kfnb-trainings --verb=get,list,create,delete" in error.message
    assert cluster.trainjobs() == []


def test_an_api_server_that_another_authority_vouches_for_is_told_nothing(
    shell: Shell, simulation: Trainer, pods: PodProcesses, tmp_path: Path
) -> None:
    pod = step(shell, simulation, pods, tmp_path)
    certify(tmp_path)
    (tmp_path / "runner" / "ca.crt").write_bytes((tmp_path / "serving.crt").read_bytes())
    before = len(simulation.objects.requests)
    code, log = pod.ended()
    assert code == 1
    assert "the training failed: the API server is not trusted" in log[-1]
    assert len(simulation.objects.requests) == before


def test_the_note_before_a_run_says_what_will_happen(
    shell: Shell, simulation: Trainer, pods: PodProcesses, tmp_path: Path
) -> None:
    step(shell, simulation, pods, tmp_path)
    compiled = api.spec_of("p")
    trainings = Trainings(runs.trainer_engine)
    [note] = trainings.cautions(compiled.spec, compiled.platform)
    assert note.startswith(
        "fit is trained on 2 nodes: its step makes a TrainJob with the runtime torch-distributed"
    )
    simulation.objects.kinds -= {"trainjobs", "trainingruntimes", "clustertrainingruntimes"}
    [note] = trainings.cautions(compiled.spec, compiled.platform)
    assert "Kubeflow Trainer is not installed in this cluster" in note
    assert trainings.distributed(compiled.spec, compiled.platform) == (compiled.spec, compiled.platform)
