"""Runs of a cluster, as ML Metadata has recorded them, in the graph of this home's runs."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "runs" / "kubeflow"))

from cluster import Metadata, running
from homes import Step, write_run
from replay import CACHED, GOOD, serving

import kfnb
from kfnb.entities import Artifact
from kfnb.remote.kfp.server import KfpServer
from kfnb.remote.retry import RetryPolicy
from kfnb.resources.runs import api
from kfnb.resources.runs.kubeflow import mlmd
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.kubeflow.run_details import RunDetails

RUN = "261130-080000-aaaa"


@pytest.fixture
def cluster(home, monkeypatch):
    """The recorded server, whose clock is at the end of the recordings."""
    retry = RetryPolicy(tries=3, pause=0.01, longest=0.05, connect=10.0, read=30.0)
    with serving(speed=1e6) as server, running(Metadata()) as metadata:
        details = RunDetails(mlmd.Metadata(metadata.address), None, None)
        backend = KubeflowRunEngine(KfpServer(server.url, retry=retry), insight=details)
        monkeypatch.setattr(api._connection, "engine", lambda: backend)
        yield backend


def names(found, ids):
    return sorted({found.node(id).name for id in ids})


def test_a_task_of_a_cluster_has_what_ml_metadata_recorded(cluster):
    found = kfnb.lineage(f"kubeflow:{GOOD}/train")
    assert found.subjects == (f"{GOOD}/train",)
    task = found.node(f"{GOOD}/train")
    assert (task.backend, task.state) == ("kubeflow", "SUCCEEDED")
    assert task.parameters["lr"] == 0.1
    assert {"load", "out"} <= set(names(found, found.above))
    assert any(node.uri.startswith(("s3://", "minio://")) for node in found.nodes)
    assert kfnb.lineage(kfnb.run(f"kubeflow:{GOOD}")).runs == (GOOD,)


def test_a_run_here_meets_a_run_of_the_cluster_by_the_address_of_an_artifact(cluster, home):
    made = kfnb.lineage(f"kubeflow:{GOOD}/train", up=False, depth=0)
    uri = next(
        node.uri for node in kfnb.lineage(f"kubeflow:{GOOD}/train").nodes if node.name == "model" and node.uri
    )
    write_run(home, RUN, Step("deploy", takes={"model": Artifact("model", "system.Model", uri)}))
    assert made.edges == ()
    found = kfnb.lineage(f"kubeflow:{GOOD}/train")
    assert f"{RUN}/deploy" in found.below


def test_a_task_that_a_run_of_the_cluster_does_not_have_is_refused(cluster):
    assert kfnb.lineage(f"kubeflow:{CACHED}").runs == (CACHED,)
    with pytest.raises(kfnb.KfnbError, match="has no task trian"):
        kfnb.lineage(f"kubeflow:{GOOD}/trian")


def test_the_index_keeps_nothing_of_the_cluster(cluster, home):
    kfnb.lineage(f"kubeflow:{GOOD}")
    with pytest.raises(kfnb.KfnbError, match="unknown reference"):
        kfnb.lineage(GOOD)
