"""Kubeflow Trainer as far as kfnb sees it: TrainJobs become pods, which are processes that really run.

What is simulated are the controllers of Trainer, JobSet and Job (a failed pod is replaced, six times at most), the
kubelet (phases, exit codes, termination messages, logs with times) and the pods' DNS: all hosts are this machine.
"""

from __future__ import annotations

import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.kubernetes.api_server import certify
from tests.services.object_server import Answered, Json, ObjectServer, serving
from tests.training.pod_processes import PodProcess, PodProcesses, account_at, now

KINDS = {
    "trainjobs",
    "trainingruntimes",
    "clustertrainingruntimes",
    "pods",
    "events",
    "secrets",
    "configmaps",
}
KINDS |= {"services"}
_RETRIES = 6


def runtime(name: str, policy: str = "torch", *, job: str = "node") -> Json:
    """A runtime as Trainer ships it."""
    step = {"metadata": {"labels": {"trainer.kubeflow.org/trainjob-ancestor-step": "trainer"}}}
    jobs = [{"name": job, "template": step}]
    labels = {"trainer.kubeflow.org/framework": policy} if policy else {}
    mine = {"mlPolicy": {"numNodes": 1, **({policy: {}} if policy else {})}}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {**mine, "template": {"spec": {"replicatedJobs": jobs}}},
    }


class TrainerObjects(ObjectServer):
    """The API server; logs have the times at which lines came."""

    patches = "runtimePatches"

    def __init__(self) -> None:
        super().__init__(set(KINDS))
        self.timed: dict[str, list[tuple[str, str]]] = {}

    def answer(self, method: str, target: str, body: Json | None) -> tuple[int, Any]:
        path = target.partition("?")[0]
        if path == "/openapi/v3/apis/trainer.kubeflow.org/v1alpha1":
            spec = {"properties": {self.patches: {}, "trainer": {}}}
            return 200, {
                "components": {
                    "schemas": {"org.kubeflow.trainer.v1alpha1.TrainJob": {"properties": {"spec": spec}}}
                }
            }
        if path.endswith("/clustertrainingruntimes"):
            target = target.replace("/clustertrainingruntimes", "/namespaces/x/clustertrainingruntimes")
        return super().answer(method, target, body)

    def _log(self, pod: str, query: Json) -> list[str]:
        since = query.get("sinceTime", "")
        return [f"{at} {line}" for at, line in self.timed.get(pod, []) if at[:19] >= since[:19]]


class ClusterUnderTest(Protocol):
    """A cluster with Trainer, simulated or real."""

    store: str

    def put(self, body: Json) -> None:
        """Make an object of the namespace."""

    def configuration(self) -> Any:
        """How the client reaches it."""

    def trainjobs(self) -> list[Json]:
        """The TrainJobs of the namespace."""

    def path(self, trainjob: str) -> str:
        """The path of a TrainJob."""

    def containers(self) -> list[PodProcess]:
        """What ran in the pods of the TrainJobs of the namespace."""

    def node(self, number: int) -> str:
        """The name of the host on which the pod of a node is."""

    def account(self, folder: Path) -> dict[str, str]:
        """The variables of a pod, whose service account is in a folder; both have its name.

        The account ``runner`` may do nothing until it is allowed to.
        """

    def allow(self) -> None:
        """Let the service account of pods train."""


@contextmanager
def simulated(folder: Path) -> Iterator[Trainer]:
    """A simulated cluster with runtimes as Trainer ships them."""
    objects = TrainerObjects()
    for name, policy in (
        ("torch-distributed", "torch"),
        ("jax-distributed", "jax"),
        ("deepspeed-distributed", "mpi"),
    ):
        objects.put("clustertrainingruntimes", runtime(name, policy))
    certificates = folder / "certificates"
    certificates.mkdir(parents=True)
    certify(certificates)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates / "serving.crt", certificates / "serving.key")
    with serving(objects) as url, serving(objects, tls) as trusted:
        trainer = Trainer(objects, folder, url, trusted)
        try:
            yield trainer
        finally:
            trainer.close()


class Trainer:
    """The controllers over ``objects``; ``queued``: Kueue admits nothing."""

    def __init__(self, objects: TrainerObjects, folder: Path, url: str = "", trusted: str = "") -> None:
        self.objects, self._url, self._trusted = objects, url, trusted
        self._folder = folder
        self.queued = False
        self.quota = self.store = ""
        self.processes: dict[str, PodProcess] = {}
        self._numbers = 0
        self.pods_here = PodProcesses(folder)
        objects.webhook = self.admit
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while not self._closed.wait(0.05):
            with self.objects.lock:
                self.act()

    def put(self, body: Json) -> None:
        """See ``ClusterUnderTest``, as for the following."""
        self.objects.put(f"{body['kind'].lower()}s", body)

    def configuration(self) -> Any:
        found = pytest.importorskip("kubernetes.client").Configuration()
        found.host = self._url
        return found

    def trainjobs(self) -> list[Json]:
        return self.objects.of("trainjobs")

    def path(self, trainjob: str) -> str:
        return f"/apis/trainer.kubeflow.org/v1alpha1/namespaces/x/trainjobs/{trainjob}"

    def containers(self) -> list[PodProcess]:
        return [*self.processes.values()]

    def node(self, number: int) -> str:
        return f"worker-{number}"

    def account(self, folder: Path) -> dict[str, str]:
        self.objects.refused.add("create trainjobs")
        ca = (self._folder / "certificates" / "serving.crt").read_text()
        found = account_at(folder, self._trusted, ca, "token-of-the-pod", "x")
        return {**found, "KFP_POD_NAME": folder.name, "KFP_POD_UID": "6a9c2c4e-0d3b-4a58-9d3e-1f2c3b4a5d6e"}

    def allow(self) -> None:
        self.objects.refused.clear()

    def admit(self, kind: str, body: Json) -> None:
        """Trainer's webhook, and Kueue's."""
        if kind != "trainjobs":
            return
        assert all(len(one) <= 65_536 for one in body["spec"]["trainer"]["args"])
        if self.objects.patches not in body["spec"]:
            raise Answered(400, "BadRequest", f"unknown field, expected spec.{self.objects.patches}")
        if "kueue.x-k8s.io/queue-name" in body["metadata"].get("labels", {}) and self.queued:
            body["spec"]["suspend"] = True

    def close(self) -> None:
        self._closed.set()
        self._thread.join()
        for process in self.processes.values():
            process.kill()

    def act(self) -> None:
        """One round over all objects."""
        jobs = {one["metadata"]["name"]: one for one in self.objects.of("trainjobs")}
        there = {one["metadata"]["name"] for one in self.objects.of("pods")}
        for name in self.processes.keys() - there:  # they went with their TrainJob
            if self.processes[name].code is None:
                self.processes[name].kill()
        for pod in self.objects.of("pods"):
            self._look(pod)
        for job in jobs.values():
            self._reconcile(job)

    def pods(self, job: str) -> list[Json]:
        label = "jobset.sigs.k8s.io/jobset-name"
        found = [one for one in self.objects.of("pods") if one["metadata"]["labels"][label] == job]
        return sorted(found, key=lambda one: one["number"])

    def _reconcile(self, job: Json) -> None:
        name, conditions = job["metadata"]["name"], job.get("status", {}).get("conditions", [])
        if any(one["type"] in ("Complete", "Failed") for one in conditions):
            return
        pods = self.pods(name)
        if job["spec"].get("suspend"):
            for pod in pods:
                if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]:
                    self.processes[pod["metadata"]["name"]].terminate()
                    pod["metadata"]["deletionTimestamp"] = now()
            self._tell(job, "Suspended", "True", "Suspended")
            return
        if any(one["type"] == "Suspended" and one["status"] == "True" for one in conditions):
            self._tell(job, "Suspended", "False", "Resumed")
        if sum(one["status"]["phase"] == "Failed" for one in pods) > _RETRIES:
            self._tell(job, "Failed", "True", "FailedJobs", "jobset failed due to one or more job failures")
            return
        nodes = job["spec"]["trainer"]["numNodes"]
        for index in range(nodes):
            mine = [one for one in pods if one["index"] == index]
            if not mine or mine[-1]["status"]["phase"] == "Failed":
                self._start(job, index)
        done = {one["index"] for one in pods if one["status"]["phase"] == "Succeeded"}
        if len(done) == nodes:
            self._tell(job, "Complete", "True", "AllJobsCompleted")

    def _tell(self, job: Json, kind: str, status: str, reason: str, message: str = "") -> None:
        stored = self.objects.objects["trainjobs", job["metadata"]["name"]]
        conditions = [one for one in stored.get("status", {}).get("conditions", []) if one["type"] != kind]
        made = {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "lastTransitionTime": now(),
        }
        before = stored.get("status", {}).get("conditions", [])
        if not any({**one, "lastTransitionTime": ""} == {**made, "lastTransitionTime": ""} for one in before):
            self.objects.put("trainjobs", {**stored, "status": {"conditions": [*conditions, made]}})

    # -- pods

    def _start(self, job: Json, index: int) -> None:
        if self.quota:
            event = {"metadata": {"name": "quota"}, "reason": "FailedCreate", "message": self.quota}
            self.objects.put(
                "events", {**event, "involvedObject": {"name": f"{job['metadata']['name']}-node-0"}}
            )
            return
        self._numbers += 1
        training, trainer = job["metadata"]["name"], job["spec"]["trainer"]
        name = f"{training}-node-0-{index}-{self._numbers}"
        labels = {
            "jobset.sigs.k8s.io/jobset-name": training,
            "jobset.sigs.k8s.io/replicatedjob-name": "node",
            "batch.kubernetes.io/job-completion-index": str(index),
        }
        environment = {one["name"]: self._value(one) for one in trainer.get("env", ())}
        words = [*trainer["command"], *trainer["args"]]
        process = self.pods_here.start(name, words, {"JOB_COMPLETION_INDEX": str(index), **environment})
        self.processes[name], self.objects.timed[name] = process, process.lines
        started = {"name": "node", "state": {"running": {"startedAt": now()}}}
        owner = [{"uid": job["metadata"]["uid"]}]
        metadata = {"name": name, "labels": labels, "ownerReferences": owner}
        pod = {"metadata": metadata, "index": index, "number": self._numbers}
        spec = {"nodeName": f"worker-{index}", "containers": [{"name": "node"}]}
        self.objects.put(
            "pods", {**pod, "spec": spec, "status": {"phase": "Running", "containerStatuses": [started]}}
        )

    def _value(self, variable: Json) -> str:
        if "value" in variable:
            return str(variable["value"]).replace("$$", "$")
        reference = variable["valueFrom"]["secretKeyRef"]
        secret = self.objects.objects["secrets", reference["name"]]
        return base64.b64decode(secret["data"][reference["key"]]).decode()

    def _look(self, pod: Json) -> None:
        """What a kubelet sees of a pod's process."""
        name = pod["metadata"]["name"]
        process = self.processes.get(name)
        if process is None or pod["status"]["phase"] != "Running" or process.code is None:
            return
        if "deletionTimestamp" in pod["metadata"]:
            self.objects.remove("pods", name)
            return
        code = process.code
        began = pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
        ended = {**process.ended(), "startedAt": began}
        status = {"phase": "Failed" if code else "Succeeded"}
        statuses = [{"name": "node", "state": {"terminated": ended}}]
        self.objects.put("pods", {**pod, "status": {**status, "containerStatuses": statuses}})
