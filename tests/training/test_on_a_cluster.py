"""A training on a cluster: TrainJobs whose pods are processes that really run, and a store of S3's protocol."""

from __future__ import annotations

import base64
import json
import time
import urllib.request
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import kfnb
from kfnb import target
from kfnb.entities import RunState
from kfnb.errors import BackendError, RunFailed
from kfnb.jobs.polling import Pace
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.retry import RetryPolicy
from tests.conftest import Shell
from tests.services.object_server import serving
from tests.training.simulated_trainer import Trainer, TrainerObjects, runtime

_numbers = count()
NAMESPACE = "team-a"


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of an S3 server that has a bucket called ``bucket``."""
    server_module = pytest.importorskip("moto.server")
    server = server_module.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/bucket", method="PUT")):
        pass
    yield f"{host}:{port}"
    server.stop()


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3: str) -> Iterator[Trainer]:
    """A cluster with Trainer, its runtimes, and the object store of the namespace's runs."""
    kubernetes_client = pytest.importorskip("kubernetes.client")
    objects = TrainerObjects()
    providers = {
        "s3": {
            "default": {
                "endpoint": s3,
                "region": "us-east-1",
                "disableSSL": True,
                "forcePathStyle": True,
                "credentials": {
                    "fromEnv": False,
                    "secretRef": {"secretName": "store", "accessKeyKey": "id", "secretKeyKey": "key"},
                },
            }
        }
    }
    root = f"s3://bucket/root-{next(_numbers)}"
    data = {"defaultPipelineRoot": root, "providers": json.dumps(providers)}
    objects.put("configmaps", {"metadata": {"name": "kfp-launcher"}, "data": data})
    keys = {"id": "key-of-the-store", "key": "secret-of-the-store"}
    held = {name: base64.b64encode(value.encode()).decode() for name, value in keys.items()}
    objects.put("secrets", {"metadata": {"name": "store"}, "data": held})
    for name, policy in (("torch-distributed", "torch"), ("jax-distributed", "jax"), ("deepspeed-distributed", "mpi")):
        objects.put("clustertrainingruntimes", runtime(name, policy))
    trainer = Trainer(objects, tmp_path / "cluster", {})
    with serving(objects) as url:
        configuration = kubernetes_client.Configuration()
        configuration.host = url
        made = Kubernetes(lambda: configuration, retry=RetryPolicy(tries=1))
        monkeypatch.setattr(target, "kubernetes", lambda *_: made)
        monkeypatch.setenv("KFNB_NAMESPACE", NAMESPACE)
        monkeypatch.setattr("kfnb.resources.training.trainer.engine.TrainerEngine.polling", Pace(0.1, 0.3))
        yield trainer
        trainer.close()


TRAIN = """%%kf_train fit --nodes 2 --param lr:float=0.5 --backend kubeflow -o training
mine = kf.shard(xs)
total = sum(mine) * lr
for step in range(3):
    kf.log_metrics(step=step, loss=total / (step + 1))
kf.progress(1)
print("rank", kf.rank, "of", kf.world_size)
if kf.rank == 0:
    only_here = "rank 0"
"""


def test_the_names_of_rank_0_come_back_from_a_trainjob(
    shell: Shell, cluster: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run("%%kf_component load\nxs = list(range(10))")
    shell.run(TRAIN)
    assert (shell["mine"], shell["total"], shell["only_here"]) == ([0, 2, 4, 6, 8], 10.0, "rank 0")
    printed = capsys.readouterr().out
    assert {"[rank 0] rank 0 of 2", "[rank 1] rank 1 of 2"} <= {*printed.splitlines()}
    run = shell["training"]
    assert (run.state, run.backend) == (RunState.SUCCEEDED, "kubeflow")
    first, second = run.tasks["fit"].ranks
    assert (first.state, first.exit_code, first.progress, first.step) == (RunState.SUCCEEDED, 0, 1.0, 2)
    assert (second.host, second.curves["loss"]) == ("worker-1", ((0, 12.5), (1, 6.25), (2, pytest.approx(12.5 / 3))))
    assert run.metrics["fit"] == {"loss": pytest.approx(10 / 3)}
    assert "rank 0" not in run.logs("fit", rank=1)
    assert kfnb.run(run.id).state is RunState.SUCCEEDED

