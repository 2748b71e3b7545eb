"""A part of one's own cluster is applied to a real API server by a real kubectl, and waited for."""

import secrets
import shutil
import threading
import time
from contextlib import suppress

import pytest

from kfnb.errors import Absent, BackendError, BackendUnavailable
from kfnb.resources.localcluster import apply as applying
from kfnb.resources.localcluster import readiness
from kfnb.resources.localcluster.plan import APPLY, Apply, Await
from kfnb.resources.localcluster.readiness import Workload
from kfnb.resources.localcluster.shell_command import Log, Runner, ShellCommand

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl")

DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: {plural}.kfnb.test}}
spec:
  group: kfnb.test
  scope: Namespaced
  names: {{kind: {kind}, plural: {plural}, singular: {singular}}}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
"""
OBJECT = """\
apiVersion: kfnb.test/v1
kind: {kind}
metadata: {{name: one, namespace: {namespace}}}
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {namespace}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: main, image: "main:1"}}]}}
"""
SETTING = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: setting, namespace: {namespace}}}
"""


class Ground:
    """A kustomization that is applied to the cluster."""

    def __init__(self, folder, context):
        self.folder, self.context = folder, context
        self.log = Log(folder / "log")
        self.runner, self.said = Runner(self.log), []

    def apply(self, *texts, within=60.0, tell=None):
        names = [f"{number}.yaml" for number, _ in enumerate(texts)]
        for name, text in zip(names, texts, strict=True):
            (self.folder / name).write_text(text)
        (self.folder / "kustomization.yaml").write_text(f"resources: {names}\n".replace("'", '"'))
        kubectl = ShellCommand(("kubectl", "--context", self.context, *APPLY))
        step = Apply("Part", "part", ShellCommand(("kubectl", "kustomize", str(self.folder))), kubectl)
        built = applying.build(step, self.runner)
        applying.apply(step, built, self.runner, time.monotonic() + within, tell or self.said.append)
        return readiness.workloads(built)

    def wait(self, wanted, within=60.0, tell=None):
        step = Await("Part", ("part",), self.context, 1)
        readiness.wait(step, wanted, self.runner, time.monotonic() + within, tell or self.said.append)


@pytest.fixture
def ground(tmp_path, cluster, monkeypatch):
    from kubernetes import config

    file = cluster.config_of("admin")
    monkeypatch.setenv("KUBECONFIG", str(file))
    monkeypatch.setattr(applying, "_PAUSES", (0.3,))
    monkeypatch.setattr(applying, "_LONGEST", 0.3)
    monkeypatch.setattr(readiness, "_EVERY", 0.3)
    _, current = config.list_kube_config_contexts(str(file))
    return Ground(tmp_path, current["name"])


@pytest.fixture
def admin(as_user):
    return as_user("admin")


@pytest.fixture
def deployment(namespace, admin):
    """The name of a deployment, which is deleted afterwards, with its pods."""
    name = f"d{secrets.token_hex(3)}"
    yield name
    for path in (f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}", pod_path(namespace, name)):
        with suppress(Absent):
            admin.delete(path)


def pod_path(namespace, name):
    return f"/api/v1/namespaces/{namespace}/pods/{name}-1"


def make_ready(admin, namespace, name):
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
    generation = admin.get(path)["metadata"]["generation"]
    status = {"observedGeneration": generation, "replicas": 1, "updatedReplicas": 1}
    admin.patch(f"{path}/status", {"status": {**status, "readyReplicas": 1, "availableReplicas": 1}})


def make_pod(admin, namespace, name, status):
    spec = {"containers": [{"name": "main", "image": "main:1"}]}
    about = {"name": f"{name}-1", "labels": {"app": name}}
    admin.create(
        f"/api/v1/namespaces/{namespace}/pods",
        {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": spec},
    )
    admin.patch(f"{pod_path(namespace, name)}/status", {"status": status})


def test_a_kind_and_an_object_of_it_are_applied_as_soon_as_the_kind_is_established(ground, admin, namespace):
    kind = f"Thing{secrets.token_hex(3)}"
    plural = f"{kind.lower()}s"
    try:
        ground.apply(
            DEFINITION.format(kind=kind, plural=plural, singular=kind.lower()),
            OBJECT.format(kind=kind, namespace=namespace),
        )
        assert admin.get(f"/apis/kfnb.test/v1/namespaces/{namespace}/{plural}/one")["kind"] == kind
        assert f"retrying: the kind {kind} is not established yet" in ground.said
    finally:
        admin.delete(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.kfnb.test")


def test_what_goes_into_a_namespace_that_another_part_makes_waits_for_it(ground, admin):
    late = f"kfnb-late-{secrets.token_hex(3)}"

    def tell(told):
        ground.said.append(told)
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": late}}
        with suppress(BackendError):
            admin.create("/api/v1/namespaces", body)

    try:
        ground.apply(SETTING.format(namespace=late), tell=tell)
        assert ground.said[0] == f"retrying: the namespace {late} does not exist yet"
    finally:
        admin.delete(f"/api/v1/namespaces/{late}")


def test_what_the_server_can_never_take_is_refused_in_its_own_sentence(ground, namespace, deployment):
    ground.apply(DEPLOYMENT.format(name=deployment, namespace=namespace))
    other = DEPLOYMENT.format(name=deployment, namespace=namespace).replace(
        f"app: {deployment}", "app: other"
    )

    with pytest.raises(BackendError, match="field is immutable") as caught:
        ground.apply(other)

    assert str(ground.log.path) in str(caught.value)
    assert len(ground.said) == 2


def test_applying_again_changes_nothing_and_takes_back_what_others_changed(
    ground, admin, namespace, deployment
):
    text = DEPLOYMENT.format(name=deployment, namespace=namespace)
    ground.apply(text)
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}"
    before = admin.get(path)["metadata"]["generation"]
    ground.apply(text)
    assert admin.get(path)["metadata"]["generation"] == before

    admin.patch(path, {"spec": {"replicas": 3}})
    ground.apply(text)
    assert admin.get(path)["spec"]["replicas"] == 1


def test_a_deployment_is_waited_for_until_it_is_ready(ground, admin, namespace, deployment):
    wanted = ground.apply(DEPLOYMENT.format(name=deployment, namespace=namespace))
    assert wanted == {Workload("Deployment", namespace, deployment)}

    def tell(told):
        ground.said.append(told)
        make_ready(admin, namespace, deployment)

    ground.wait(wanted, tell=tell)
    assert ground.said == [f"0 of 1 ready; {deployment}: its pods do not exist yet"]


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (
            {
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}
                ]
            },
            "cannot be scheduled: 0/1 nodes are available",
        ),
        (
            {
                "containerStatuses": [
                    {"state": {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}}
                ]
            },
            "ErrImagePull: no such image",
        ),
        (
            {
                "containerStatuses": [
                    {
                        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}},
                        "lastState": {"terminated": {"exitCode": 7}},
                    }
                ]
            },
            "CrashLoopBackOff: main ended with exit code 7",
        ),
        (
            {"containerStatuses": [{"state": {"running": {"startedAt": "2026-11-25T00:00:00Z"}}}]},
            "runs, and is not ready yet",
        ),
    ],
)
def test_a_pod_says_why_it_waits(ground, admin, namespace, deployment, status, told):
    wanted = ground.apply(DEPLOYMENT.format(name=deployment, namespace=namespace))
    containers = [
        {"name": "main", "image": "main:1", "imageID": "", "ready": False, "restartCount": 0, **one}
        for one in status.get("containerStatuses", ())
    ]
    make_pod(admin, namespace, deployment, {**status, "containerStatuses": containers})

    with pytest.raises(BackendError, match="0 of 1 are ready") as caught:
        ground.wait(wanted, within=0)

    assert f"{deployment}: {told}" in str(caught.value)
    assert f"-n {namespace} describe pod {deployment}-1" in str(caught.value)


def test_a_pod_that_is_being_made_says_what_happened_to_it_last(ground, admin, namespace, deployment):
    wanted = ground.apply(DEPLOYMENT.format(name=deployment, namespace=namespace))
    make_pod(admin, namespace, deployment, {"phase": "Pending"})
    about = {"kind": "Pod", "namespace": namespace, "name": f"{deployment}-1"}
    for number, message in enumerate(["Successfully assigned", 'Pulling image "main:1"']):
        event = {"metadata": {"name": f"{deployment}-{number}"}, "involvedObject": about, "message": message}
        event["lastTimestamp"] = f"2026-11-25T00:00:0{number}Z"
        admin.create(f"/api/v1/namespaces/{namespace}/events", {"apiVersion": "v1", "kind": "Event", **event})

    with pytest.raises(BackendError, match='Pulling image "main:1"'):
        ground.wait(wanted, within=0)


def test_a_server_that_is_away_for_a_while_is_waited_for(ground, api_server, admin, namespace, deployment):
    wanted = ground.apply(DEPLOYMENT.format(name=deployment, namespace=namespace))
    api_server.stop()
    back = threading.Timer(1.0, api_server.start)
    back.start()

    def tell(told):
        ground.said.append(told)
        with suppress(BackendUnavailable):
            make_ready(admin, namespace, deployment)

    ground.wait(wanted, within=120.0, tell=tell)
    back.join()

    assert ground.said[0] == "the cluster does not answer at the moment"
