"""A training on a cluster: TrainJobs whose pods are processes that really run, and a store of S3's protocol."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

import kfnb
from kfnb import target
from kfnb.commands.session import Session
from kfnb.entities import NAMES, RunState
from kfnb.errors import BackendError, RunFailed
from kfnb.remote.current import Current
from kfnb.remote.objects import AccessKeys, ObjectStore, StoreAccess
from kfnb.resources.runs.handle import Run
from kfnb.resources.training import commands
from kfnb.resources.training.trainer import connection
from tests.conftest import Shell
from tests.training.clusters import trainjob, until
from tests.training.simulated_trainer import ClusterUnderTest, Trainer
from tests.training.training_conformance import FIT


def started(shell: Shell, cell: str, **options: Any) -> Any:
    """A training of a cell that has trained here before, started without waiting."""
    shell.run("%%kf_train fit\n" + cell)
    return kfnb.train("fit", backend="kubeflow", **options)


TRAIN = FIT.replace("BACKEND", "kubeflow")


class Executes:
    """What a pickle can do."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


def test_names_that_were_changed_in_the_store_are_not_unpickled(
    shell: Shell, cluster: ClusterUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow, file = commands._follow, tmp_path / "executed"

    def follow_and_change(session: Session, run: Run, name: str) -> None:
        follow(session, run, name)
        files, path = run.outputs["fit"][NAMES].filesystem()
        files.pipe_file(f"{path}/0", pickle.dumps(Executes(file)))
        index = {"mine": {"file": "0", "format": "cloudpickle"}}
        files.pipe_file(f"{path}/names.json", json.dumps(index).encode())

    monkeypatch.setattr(commands, "_follow", follow_and_change)
    shell.run("%%kf_component load\nxs = list(range(10))")
    assert "were changed in the object store" in shell.fails(TRAIN)
    assert not file.exists(), "the kernel has executed what was in the store"
    assert "mine" not in shell.ip.user_ns


def test_names_that_cannot_be_read_from_the_store_are_told_in_one_line(
    shell: Shell, cluster: ClusterUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise BackendError("the store does not answer")

    monkeypatch.setattr("kfnb.resources.training.trainer.storage.TrainingObjects.results", fails)
    shell.run("%%kf_component load\nxs = list(range(10))")
    assert "no name has come back from it: its outputs cannot be read: the store does not" in shell.fails(
        TRAIN
    )


def test_outputs_that_were_changed_in_the_store_are_told_and_not_used(
    shell: Shell, cluster: ClusterUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.run("%%kf_component load\nxs = list(range(10))")
    shell.run(TRAIN)
    run = shell["training"]
    files, path = run.outputs["fit"][NAMES].filesystem()
    place = f"{path.removesuffix(f'outputs/{NAMES}')}outputs.json"
    files.pipe_file(place, files.cat_file(place) + b" ")
    monkeypatch.setattr(connection, "_current", Current())
    again = kfnb.run(run.id)
    assert again.outputs["fit"] == {}
    assert any("outputs.json was changed" in note for note in again.snapshot().notes)


FIRST = """
import os, time
if os.environ.get("JOB_COMPLETION_INDEX"):
    {}
"""


def test_the_first_failure_is_told_with_its_rank_cell_and_line_and_ends_all(
    shell: Shell, cluster: ClusterUnderTest
) -> None:
    run = started(
        shell, FIRST.format("time.sleep(0.3 if kf.rank else 60); raise ValueError('bad shard')"), nodes=2
    )
    with pytest.raises(RunFailed, match="fit: rank 1: ValueError: bad shard"):
        run.wait(30)
    task = run.tasks["fit"]
    assert task.error.place.endswith("line 5")
    assert [one.state for one in task.ranks] == [RunState.CANCELED, RunState.FAILED]
    assert task.ranks[1].exit_code == 1
    assert trainjob(cluster)["spec"]["suspend"] is True, "Kubernetes would start it again"
    until(lambda: all(one.code is not None for one in cluster.containers()))
    assert "ValueError: bad shard" in run.logs("fit", rank=1)


def test_a_pod_that_needs_too_much_memory_is_told_by_its_status(
    shell: Shell, cluster: ClusterUnderTest
) -> None:
    run = started(
        shell, FIRST.format("os.kill(int(open('/proc/self/stat').read().split()[3]), 9) or time.sleep(9)")
    )
    until(cluster.containers)
    cluster.containers()[0].kill()
    with pytest.raises(
        RunFailed, match="node 0: its container was killed: it used more memory than its limit"
    ):
        run.wait(30)


def test_all_pods_connect_by_the_rendezvous_of_their_names(shell: Shell, cluster: ClusterUnderTest) -> None:
    code = FIRST.format(
        """
    import socket
    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    if kf.rank == 0:
        with socket.create_server((host, port)) as server:
            peers = []
            for _ in range(kf.world_size - 1):
                peer, _ = server.accept()
                peers.append(int(peer.recv(9)))
        seen = sorted(peers)
    else:
        for _ in range(200):
            try:
                with socket.create_connection((host, port)) as peer:
                    peer.sendall(b"%d" % kf.rank)
                break
            except OSError:
                time.sleep(0.05)
"""
    )
    run = started(shell, code + "total = kf.rank", nodes=2, procs=2).wait(60)
    assert [one.number for one in run.tasks["fit"].ranks] == [0, 1, 2, 3]
    assert [one.host for one in run.tasks["fit"].ranks] == [cluster.node(0)] * 2 + [cluster.node(1)] * 2
    assert len(cluster.containers()) == 2


def test_max_restarts_lets_kubernetes_start_a_node_again(
    shell: Shell, cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    mark = tmp_path / "failed-once"
    code = FIRST.format(
        f"mark = {str(mark)!r}\n    if not os.path.exists(mark): open(mark, 'w'); raise OSError('lost')"
    )
    shell.run("%%kf_train fit --max-restarts 1\n" + code)
    run = kfnb.train("fit", backend="kubeflow", nodes=2).wait(40)
    assert 1 in [one.restarts for one in run.tasks["fit"].ranks]
    assert "OSError: lost" in run.logs("fit"), "the log of the pod that was replaced"


def test_a_stopped_training_has_time_to_save_and_can_be_started_again(
    shell: Shell, cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    mark = tmp_path / "saved"
    code = FIRST.format(f"""try:
        if not os.path.exists({str(mark)!r}): time.sleep(60)
    finally:
        open({str(mark)!r}, "w").close()""")
    run = started(shell, code, nodes=2)
    until(lambda: run.state is RunState.RUNNING and len(run.tasks["fit"].ranks) == 2)
    until(lambda: all(one.state is RunState.RUNNING for one in run.tasks["fit"].ranks))
    run.stop()
    until(lambda: run.state is RunState.CANCELED)
    assert mark.exists()
    run.retry()
    assert run.wait(30).state is RunState.SUCCEEDED


def test_a_suspended_training_goes_on_from_its_checkpoint(shell: Shell, cluster: ClusterUnderTest) -> None:
    code = FIRST.format("""found = kf.resume()
    if found is None:
        with kf.checkpoint(3) as folder:
            (folder / "weights").write_text("w3")
        time.sleep(60)
    print("from", (found / "weights").read_text(), "of", found.name)""")
    run = started(shell, code, nodes=2)
    record = json.loads(trainjob(cluster)["metadata"]["annotations"]["kfnb/record"])
    until(lambda: _stored(cluster, record["root"], "checkpoints/0000000003/complete"))
    target.require_kubernetes().patch(
        cluster.path(run.id), {"spec": {"suspend": True}}
    )  # as Kueue, or kubectl
    until(lambda: run.state is RunState.PAUSED)
    run.retry()
    run.wait(40)
    assert "from w3 of 0000000003" in run.logs("fit")


def test_large_inputs_and_models_go_through_the_store_and_secrets_stay_in_it(
    shell: Shell, cluster: ClusterUnderTest
) -> None:
    shell.run("%%kf_component load\nimport numpy as np\nx = np.random.default_rng(0).normal(size=200_000)")
    shell.run("""%%kf_train fit --nodes 2 --backend kubeflow -o training
text = "$(HOME) $$ `id` ${HOME} 'x'"
mean = float(kf.shard(x).mean())
if kf.rank == 0:
    from sklearn.linear_model import LinearRegression
    kf.save(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]), name="line", score=0.5)
""")
    assert shell["mean"] == pytest.approx(shell["x"][::2].mean())
    assert shell["text"] == "$(HOME) $$ `id` ${HOME} 'x'", "neither a shell nor Kubernetes has changed it"
    written = json.dumps(trainjob(cluster))
    assert "secret-of-the-store" not in written
    assert base64.b64encode(b"secret-of-the-store").decode() not in written
    assert all(len(one) <= 60_000 for one in trainjob(cluster)["spec"]["trainer"]["args"])
    assert [one.name for one in kfnb.models()] == ["line"]
    assert kfnb.model("line@1").metrics == {"score": 0.5}


@pytest.fixture
def trained(shell: Shell) -> Shell:
    """A notebook with a training that has trained here."""
    shell.run("%%kf_train fit\ntotal = kf.rank")
    return shell


@pytest.mark.parametrize(
    ("verb", "message"),
    [
        ("create trainjobs", "cannot create a TrainJob: eve may not create trainjobs"),
        ("get configmaps", "the artifact store of runs is unknown"),
        ("get secrets", "may not read secret store in namespace"),
    ],
)
def test_what_the_user_may_not_do_is_told_before_anything_has_started(
    trained: Shell, simulation: Trainer, verb: str, message: str
) -> None:
    simulation.objects.refused.add(verb)
    with pytest.raises(BackendError, match=message):
        kfnb.train("fit", backend="kubeflow")
    assert simulation.trainjobs() == []


def test_a_store_that_is_not_there_is_told_with_how_to_set_one(trained: Shell, simulation: Trainer) -> None:
    simulation.objects.remove("secrets", "store")
    with pytest.raises(
        BackendError, match=r"cannot use the cluster's object store: .*secret store"
    ) as refused:
        kfnb.train("fit", backend="kubeflow")
    assert "pipeline_root=s3://BUCKET/FOLDER" in (refused.value.hint or "")
    assert simulation.trainjobs() == []


def test_a_cluster_without_trainer_is_told(trained: Shell, simulation: Trainer) -> None:
    simulation.objects.kinds -= {"trainjobs", "trainingruntimes", "clustertrainingruntimes"}
    with pytest.raises(BackendError, match="Kubeflow Trainer is not installed in this cluster"):
        kfnb.train("fit", backend="kubeflow")


def test_a_runtime_that_is_deleted_breaks_nothing(trained: Shell, simulation: Trainer) -> None:
    run = kfnb.train("fit", backend="kubeflow")
    simulation.objects.remove("clustertrainingruntimes", "torch-distributed")
    assert run.wait(30).state is RunState.SUCCEEDED


def test_a_queue_and_a_quota_are_told_while_the_training_waits(trained: Shell, simulation: Trainer) -> None:
    simulation.queued = True
    trained.run("%%kf_train queued --queue gpus\ntotal = kf.rank")
    run = kfnb.train("queued", backend="kubeflow")
    until(lambda: run.tasks["queued"].doing == "waits in queue gpus of Kueue until there is room")
    assert run.state is RunState.PENDING
    run.stop()
    simulation.quota = (
        "pods is forbidden: exceeded quota: team, requested: cpu=8, used: cpu=0, limited: cpu=4"
    )
    run = kfnb.train("fit", backend="kubeflow")
    until(lambda: run.tasks["fit"].doing.startswith("quota team of the namespace is used up"))
    simulation.quota = ""
    assert run.wait(30).state is RunState.SUCCEEDED


def test_the_end_of_a_training_is_known_without_its_pods(trained: Shell, simulation: Trainer) -> None:
    run = kfnb.train("fit", backend="kubeflow").wait(30)
    for pod in simulation.objects.of("pods"):
        simulation.objects.remove("pods", pod["metadata"]["name"])
    connection._current = Current()  # another session
    again = kfnb.run(run.id)
    assert again.state is RunState.SUCCEEDED
    assert again.tasks["fit"].ranks[0].exit_code == 0
    with pytest.raises(BackendError, match=r"the log of train-fit.* is gone"):
        again.logs()


def _stored(cluster: ClusterUnderTest, root: str, key: str) -> bool:
    """Whether the store has an object of a training."""
    bucket, _, folder = root.partition("://")[2].partition("/")
    access = StoreAccess("s3", f"http://{cluster.store}", "us-east-1", keys=AccessKeys("key", "secret"))
    return f"{bucket}/{folder}/{key}" in [
        one.path for one in ObjectStore(access).list_all(f"{bucket}/{folder}")
    ]
