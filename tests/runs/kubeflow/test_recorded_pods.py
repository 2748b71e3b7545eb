"""What a run on a cluster ran on: its pods as they were recorded, and its node where that may be read."""

import pytest
from cluster import asking
from replay import GOOD
from test_run_details import run_of

from kfnb.remote.kubernetes.pod_layers import PodLayers
from kfnb.resources.provenance.assembly import of_run
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.kubeflow.origins import Origins
from kfnb.resources.runs.kubeflow.pods import Pods
from kfnb.resources.runs.kubeflow.run_details import RunDetails

FORBIDDEN = {
    "kind": "Status",
    "reason": "Forbidden",
    "code": 403,
    "message": 'nodes "node1" is forbidden: User "editor" cannot get resource "nodes" in API group ""'
    " at the cluster scope",
    "details": {"name": "node1", "kind": "nodes"},
}
IMAGE = "sha256:285b18a1a18e001575fd8e306e622f1d310d7cedd11c523c862d645f6837bd0d"
NODE = {
    "metadata": {
        "labels": {
            "node.kubernetes.io/instance-type": "n2-standard-8",
            "topology.kubernetes.io/zone": "eu-1b",
            "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB",
        }
    },
    "status": {"nodeInfo": {"kernelVersion": "6.8.0-60-generic", "osImage": "Ubuntu 24.04.2 LTS"}},
}


@pytest.fixture
def details(kubernetes):
    kubernetes.load("success")
    return RunDetails(None, None, Pods(kubernetes.api(), "kubeflow"))


def manifest(details):
    run, _ = run_of(GOOD)
    return of_run(run, details.recorded(run))


def test_the_image_is_known_by_its_digest(details, kubernetes):
    kubernetes.refuses = lambda path: (403, FORBIDDEN) if "/nodes/" in path else None
    runtime = manifest(details)["runtime"].facts
    assert runtime["image_digest"] == IMAGE
    assert (runtime["node"], runtime["namespace"]) == ("node1", "kubeflow")


def test_a_node_that_may_not_be_read_is_hidden_and_not_guessed(details, kubernetes):
    asked = []

    def refuses(path):
        if "/nodes/" in path:
            asked.append(path)
            return 403, FORBIDDEN
        return None

    kubernetes.refuses = refuses
    found = manifest(details)
    assert found["hardware"].hidden["instance_type"] == "you may not read it on this cluster"
    assert found["os"].hidden["kernel"] == "you may not read it on this cluster"
    assert "instance_type" not in found["hardware"].facts
    assert asked == ["/api/v1/nodes/node1"]  # once for all pods
    assert len(found.environments) == 1
    assert len(found.environments[0].tasks) == 7


def test_a_node_that_may_be_read_tells_of_itself(details, kubernetes):
    kubernetes.refuses = lambda path: (200, NODE) if "/nodes/" in path else None
    found = manifest(details)
    assert found["hardware"].facts["instance_type"] == "n2-standard-8"
    assert found["accelerator"].facts["product"] == "NVIDIA-A100-SXM4-40GB"
    assert found["os"].facts == {"distribution": "Ubuntu 24.04.2 LTS", "kernel": "6.8.0-60-generic"}
    assert not found["hardware"].hidden


def test_pods_that_are_gone_are_noted(kubernetes):
    gone = manifest(RunDetails(None, None, Pods(kubernetes.api(), "kubeflow")))
    (note,) = [one for one in gone.notes if "no pod" in one]
    assert note.startswith("Kubernetes has no pod of load")
    assert gone["model"].facts["pipeline"]


def test_a_claim_has_its_class_and_a_container_that_has_not_started_no_digest(kubernetes):
    claim = {"spec": {"storageClassName": "fast"}, "status": {"capacity": {"storage": "5Gi"}}}
    kubernetes.refuses = lambda path: (200, claim) if "/persistentvolumeclaims/" in path else None
    pod = {
        "metadata": {"namespace": "team"},
        "spec": {
            "containers": [
                {"name": "main", "image": "x:1", "resources": {"limits": {"nvidia.com/gpu": "2"}}}
            ],
            "volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "scratch"}}, {"name": "b"}],
        },
    }
    layers = {
        str(layer.name): layer for layer in PodLayers(asking(kubernetes.address), "team").of(pod, "main")
    }
    assert layers["storage"].facts["volumes"] == {"scratch": {"class": "fast", "size": "5Gi"}}
    assert layers["accelerator"].facts["count"] == 2
    assert layers["runtime"].hidden == {"image_digest": "the container has not started"}


def test_a_run_that_was_started_from_here_has_its_notebook(replay, server, details, kubernetes, tmp_path):
    kubernetes.refuses = lambda path: (403, FORBIDDEN) if "/nodes/" in path else None
    origins = Origins(tmp_path / "origins")
    layers = {"ux": {"facts": {"notebook": "churn.ipynb"}}}
    origins.keep(GOOD, {"stage": "prod", "layers": layers})
    assert (tmp_path / "origins" / f"{GOOD}.json").stat().st_mode & 0o077 == 0
    here = KubeflowRunEngine(server, insight=details, origins=origins).recorded(GOOD)
    assert here.stage == "prod"
    assert here.origin[0].facts == {"notebook": "churn.ipynb"}
    elsewhere = KubeflowRunEngine(server, insight=details).recorded(GOOD)
    assert elsewhere.notes[0] == "what the notebook was is not known: the run was started elsewhere"


def test_damaged_origins_are_as_none(tmp_path):
    (tmp_path / "a.json").write_text("[1]")
    (tmp_path / "b.json").write_text("{")
    assert [Origins(tmp_path).of(name) for name in "abc"] == [{}, {}, {}]
