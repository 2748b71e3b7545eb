"""KServe's controller as far as kfnb sees it: what it makes of InferenceServices and InferenceGraphs, in each mode.

Knative's revisions and traffic are written after KServe's own source; Standard mode as KServe 0.20 was recorded
(``recorded_kserve``): defaults of its webhook, deployments that replace pods once new ones are ready, graphs with pods
of their own, the annotation that stops, and a status that calls a service ready while its newest version does not load,
and a graph ready while none of its pods is. A pod behaves as the folder that it serves says (``behaviour.json``).
"""

from __future__ import annotations

import json
import shlex
import time
from pathlib import Path
from typing import Any

from object_server import Answered, Json, ObjectServer

OF_GRAPH = "serving.kserve.io/inferencegraph"
KINDS = {
    "inferenceservices",
    "inferencegraphs",
    "configmaps",
    "secrets",
    "serviceaccounts",
    "pods",
    "events",
    "services",
    "revisions",
    "httproutes",
}
MODE = "serving.kserve.io/deploymentMode"
LABEL = 63
"""Letters of a label of a host's name at most."""
STARTS = 0.03
"""Seconds until a pod answers."""


class KServe:
    """A controller over ``objects``. ``mode`` is Serverless or RawDeployment; ``weighs`` whether routes get weights.

    ``store`` has the folders that pods serve, by their URIs. ``quota`` refuses pods, in these words; ``lost_split``
    lets Knative's status have no canary, and without ``routers_start`` no pod of a graph becomes ready.
    """

    def __init__(
        self, objects: ObjectServer, store: dict[str, Path], mode: str, *, weighs: bool = False
    ) -> None:
        self.objects, self.store, self.mode, self.weighs = objects, store, mode, weighs
        self.lost_split, self.routers_start = False, True
        self.quota = ""
        objects.before = self.act
        objects.webhook = self.admit
        self._numbers = 0

    def admit(self, kind: str, body: Json) -> None:
        """KServe's webhooks."""
        spec = body.get("spec") or {}
        if kind == "inferenceservices" and self.mode != "Serverless":
            body["metadata"].setdefault("annotations", {}).setdefault(MODE, "Standard")
        if kind == "inferenceservices":
            for container in spec["predictor"].get("containers", ()):
                resources = container.setdefault("resources", {})
                for bound in ("limits", "requests"):
                    resources[bound] = {"cpu": "1", "memory": "2Gi", **resources.get(bound, {})}
        if kind == "inferenceservices" and spec.get("canary"):
            if body["metadata"]["annotations"].get(MODE) != "Standard":
                raise denied("canary is only supported in Standard deployment mode")
            names = [one["predictor"]["name"] for one in spec["canary"]]
            if spec["predictor"].get("name", "") in names:
                raise denied(f'canary predictor.name "{names[0]}" conflicts with stable predictor name')
        if kind == "inferencegraphs":
            weights = [one["weight"] for one in spec["nodes"]["root"]["steps"]]
            if sum(weights) != 100:
                raise denied("the sum of traffic weights for all routing targets should be 100")

    def act(self) -> None:
        """One round over all objects."""
        names = {one["metadata"]["name"] for one in self.objects.of("inferenceservices")}
        graphs = {one["metadata"]["name"] for one in self.objects.of("inferencegraphs")}
        for pod in self.objects.of("pods"):
            labels = pod["metadata"]["labels"]
            if (
                labels.get("serving.kserve.io/inferenceservice") not in names
                and labels.get(OF_GRAPH) not in graphs
            ):
                self.objects.remove("pods", pod["metadata"]["name"])
        for revision in self.objects.of("revisions"):
            if revision["metadata"]["labels"]["serving.kserve.io/inferenceservice"] not in names:
                self.objects.remove("revisions", revision["metadata"]["name"])
        for one in self.objects.of("inferenceservices"):
            if _stopped(one):
                self._stop(one)
            elif len(_host(one)) > LABEL:
                self._tell("inferenceservices", one, _no_host(one, self.mode))
            elif self.mode == "Serverless":
                self._knative(one)
            else:
                self._standard(one)
        for graph in self.objects.of("inferencegraphs"):
            self._split(graph)

    def _split(self, graph: Json) -> None:
        """A graph, and the pod that splits by the weights that it was started with."""
        name = graph["metadata"]["name"]
        argument = json.dumps(graph["spec"])
        pods = [one for one in self.objects.of("pods") if one["metadata"]["labels"].get(OF_GRAPH) == name]
        mine = [one for one in pods if one["spec"]["containers"][0]["args"][1] == argument]
        if _stopped(graph):
            mine = []
        elif not mine:
            self._numbers += 1
            container = {"name": name, "args": ["--graph-json", argument]}
            metadata = {"name": f"{name}-{self._numbers}", "labels": {OF_GRAPH: name}}
            status = {"phase": "Pending"}
            pod = {"metadata": metadata, "spec": {"containers": [container]}, "status": status}
            mine = [self.objects.put("pods", {**pod, "starts": time.monotonic() + STARTS})]
        for one in mine:
            if time.monotonic() >= one["starts"] and not _ready(one) and self.routers_start:
                conditions = [{"type": "Ready", "status": "True"}]
                self.objects.put("pods", {**one, "status": {"phase": "Running", "conditions": conditions}})
        if not mine or any(_ready(one) for one in mine):
            for one in pods:
                if one not in mine:
                    self.objects.remove("pods", one["metadata"]["name"])
        ready = {"type": "Ready", "status": "False" if _stopped(graph) else "True"}
        status = {"url": f"http://{name}-team-a.example.com", "conditions": [ready]}
        self._tell("inferencegraphs", graph, status)

    # -- pods

    def _pods(self, service: str, **labels: str) -> list[Json]:
        wanted = {"serving.kserve.io/inferenceservice": service, **labels}
        return [one for one in self.objects.of("pods") if wanted.items() <= one["metadata"]["labels"].items()]

    def _start(self, service: str, predictor: Json, owner: str) -> Json:
        self._numbers += 1
        labels = {"serving.kserve.io/inferenceservice": service, "app": owner, **predictor.get("labels", {})}
        name = f"{owner}-{self._numbers}"
        pod = {
            "metadata": {"name": name, "labels": labels, "template": json.dumps(predictor, sort_keys=True)},
            "spec": {"containers": [{"name": "kserve-container"}]},
            "status": {"phase": "Pending"},
            "starts": time.monotonic() + STARTS,
        }
        return self.objects.put("pods", pod)

    def _run(self, pod: Json) -> None:
        """What a pod does next."""
        if "starts" not in pod or time.monotonic() < pod["starts"]:
            return
        predictor, name = json.loads(pod["metadata"]["template"]), pod["metadata"]["name"]
        del pod["starts"]
        uri, command = _program(predictor)
        folder = self.store.get(uri)
        if folder is None:
            self._crash(pod, "storage-initializer", [f"ValueError: NoSuchKey: {uri}"])
            return
        told = folder / "behaviour.json"  # which the folder of a runtime of KServe's lacks
        behaviour = json.loads(told.read_text()) if told.exists() else {}
        if behaviour.get("load") == "waits":
            reason = {
                "type": "PodScheduled",
                "status": "False",
                "message": "0/3 nodes are available: 3 Insufficient cpu.",
            }
            pod["status"] = {"phase": "Pending", "conditions": [reason]}
            self.objects.put("pods", pod)
        elif behaviour.get("check") == "fails" and " check" in command:
            failed = {"name": "row by row", "passed": False, "message": "column age: 3 instead of 4"}
            self._crash(pod, "kserve-container", [json.dumps({"passed": False, "checks": [failed]})])
        elif behaviour.get("load") == "fails":
            line = "ValueError: the model is of another version of its library"
            self._crash(pod, "kserve-container", ["Installing", line])
        else:
            self.objects.logs[name, "kserve-container"] = [json.dumps({"listening": "http://0.0.0.0:8080"})]
            running = {"name": "kserve-container", "restartCount": 0, "state": {"running": {}}}
            pod["status"] = {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [running],
            }
            self.objects.put("pods", pod)

    def _crash(self, pod: Json, container: str, lines: list[str]) -> None:
        self.objects.logs[pod["metadata"]["name"], container] = lines
        ended = {"exitCode": 1, "reason": "Error", "message": lines[-1]}
        status = {
            "name": container,
            "restartCount": 2,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": ended},
        }
        kind = "initContainerStatuses" if container == "storage-initializer" else "containerStatuses"
        pod["status"] = {"phase": "Pending", kind: [status]}
        self.objects.put("pods", pod)

    def _deploy(self, service: str, predictor: Json, owner: str) -> None:
        """A deployment: the pod before ends once the new one answers."""
        of_pods = {key: one for key, one in predictor.items() if key not in ("name", "minReplicas")}
        template = json.dumps(of_pods, sort_keys=True)
        pods = self._pods(service, app=owner)
        mine = [one for one in pods if one["metadata"]["template"] == template]
        if not mine and self.quota:
            event = {
                "metadata": {"name": f"{owner}.1"},
                "involvedObject": {"kind": "ReplicaSet", "name": f"{owner}-5c9"},
                "reason": "FailedCreate",
                "message": self.quota,
            }
            self.objects.put("events", event)
        elif not mine:
            started = self._start(service, json.loads(template), owner)
            mine = [started]
        for one in mine:
            self._run(one)
        if any(_ready(one) for one in mine):
            for one in pods:
                if one not in mine:
                    self.objects.remove("pods", one["metadata"]["name"])
        else:
            for one in pods:
                if one not in mine and not _ready(one):
                    self.objects.remove("pods", one["metadata"]["name"])

    # -- modes

    def _standard(self, service: Json) -> None:
        name, spec = service["metadata"]["name"], service["spec"]
        canaries = [one["predictor"] for one in spec.get("canary", ())]
        owners = {_owner(name, one): one for one in (spec["predictor"], *canaries)}
        for owner, predictor in owners.items():
            self._deploy(name, predictor, owner)
        for one in self._pods(name):
            if one["metadata"]["labels"]["app"] not in owners:
                self.objects.remove("pods", one["metadata"]["name"])
        newest = [
            one
            for one in self._pods(name, app=_owner(name, spec["predictor"]))
            if one["metadata"]["labels"]["kfnb/revision"] == spec["predictor"]["labels"]["kfnb/revision"]
        ]
        available = any(_ready(one) for one in self._pods(name))
        self._tell("inferenceservices", service, self._status(service, newest, available, "RawDeployment"))
        self._route(name, spec)

    def _route(self, name: str, spec: Json) -> None:
        if not spec.get("canary"):
            self.objects.objects.pop(("httproutes", name), None)
            return
        weights = {}
        if self.weighs:
            for one in spec["canary"]:
                owner = _owner(name, one["predictor"])
                if any(_ready(pod) for pod in self._pods(name, app=owner)):
                    weights[owner] = one["trafficPercent"]
        stable = {_owner(name, spec["predictor"]): 100 - sum(weights.values())}
        behind = [{"name": owner, "weight": weight} for owner, weight in {**stable, **weights}.items()]
        self.objects.put(
            "httproutes", {"metadata": {"name": name}, "spec": {"rules": [{"backendRefs": behind}]}}
        )

    def _knative(self, service: Json) -> None:
        name, spec = service["metadata"]["name"], service["spec"]
        predictor = {key: one for key, one in spec["predictor"].items() if key != "canaryTrafficPercent"}
        template = json.dumps([predictor, service["metadata"].get("labels")], sort_keys=True)
        mine = [
            one
            for one in self.objects.of("revisions")
            if one["metadata"]["labels"]["serving.kserve.io/inferenceservice"] == name
        ]
        if not mine or mine[-1]["template"] != template:
            self._numbers += 1
            labels = {"serving.kserve.io/inferenceservice": name, **predictor["labels"]}
            made = f"{name}-predictor-{self._numbers:05}"
            revision = {"metadata": {"name": made, "labels": labels}, "template": template}
            mine.append(self.objects.put("revisions", revision))
            self._start(name, predictor, made)
        for one in mine:
            for pod in self._pods(name, app=one["metadata"]["name"]):
                self._run(pod)
                if _ready(pod):
                    one["ready"] = True
        self._tell("inferenceservices", service, self._knative_status(service, mine))

    def _knative_status(self, service: Json, mine: list[Json]) -> Json:
        name = service["metadata"]["name"]
        percent = service["spec"]["predictor"].get("canaryTrafficPercent")
        before = (service.get("status") or {}).get("components", {}).get("predictor", {})
        newest = mine[-1]["metadata"]["name"]
        ready = next((one["metadata"]["name"] for one in reversed(mine) if one.get("ready")), "")
        rolled = before.get("latestRolledoutRevision", "")
        traffic = [{"latestRevision": True, "revisionName": ready, "percent": 100}]
        if percent is not None and rolled and not self.lost_split:
            traffic[0]["percent"] = percent
            traffic.append({"revisionName": rolled, "percent": 100 - percent, "tag": "prev"})
        elif ready == newest:
            rolled = ready
        for one in mine:
            if one["metadata"]["name"] not in (newest, ready, rolled):
                for pod in self._pods(name, app=one["metadata"]["name"]):
                    self.objects.remove("pods", pod["metadata"]["name"])
        status = self._status(service, self._pods(name, app=newest), bool(ready), "Serverless")
        predictor = {
            "latestCreatedRevision": newest,
            "latestReadyRevision": ready,
            "latestRolledoutRevision": rolled,
            "traffic": traffic if ready else [],
        }
        return {**status, "components": {"predictor": predictor}}

    def _status(self, service: Json, newest: list[Json], available: bool, mode: str) -> Json:
        name = service["metadata"]["name"]
        word = "True" if available else "False"
        status: Json = {
            "deploymentMode": mode,
            "observedGeneration": service["metadata"].get("generation", 1),
            "conditions": [{"type": one, "status": word} for one in ("PredictorReady", "Ready")],
            "components": {"predictor": {"url": f"http://{name}-predictor"}},
        }
        if available:
            status["url"] = f"http://{name}-team-a.example.com"
            host = name if mode == "Serverless" else f"{name}-predictor"
            status["address"] = {"url": f"http://{host}.team-a.svc.cluster.local"}
        crashed = [pod for pod in newest if any(_waits(pod))]
        if crashed:
            said = self.objects.logs.get((crashed[0]["metadata"]["name"], "kserve-container"), [""])[-1]
            status["modelStatus"] = {
                "transitionStatus": "BlockedByFailedLoad",
                "lastFailureInfo": {"reason": "ModelLoadFailed", "message": said, "exitCode": 1},
            }
        return status

    def _stop(self, service: Json) -> None:
        name = service["metadata"]["name"]
        for pod in self._pods(name):
            self.objects.remove("pods", pod["metadata"]["name"])
        for one in self.objects.of("revisions"):
            if one["metadata"]["labels"]["serving.kserve.io/inferenceservice"] == name:
                self.objects.remove("revisions", one["metadata"]["name"])
        mode = (service.get("status") or {}).get("deploymentMode")
        stopped = {"type": "Stopped", "status": "True"}
        status = {"conditions": [stopped], **({"deploymentMode": mode} if mode else {})}
        self._tell("inferenceservices", service, status)

    def _tell(self, kind: str, item: Json, status: Json) -> None:
        if item.get("status") != status:
            self.objects.put(kind, {**item, "metadata": {**item["metadata"]}, "status": status})


def denied(reason: str) -> Answered:
    """What a webhook of KServe's answers."""
    webhook = "inferenceservice.kserve-webhook-server.validator"
    return Answered(403, "Forbidden", f'admission webhook "{webhook}" denied the request: {reason}')


def _host(service: Json) -> str:
    return f"{service['metadata']['name']}-predictor-team-a"


def _no_host(service: Json, mode: str) -> Json:
    """The status of a service whose name is too long."""
    message = (
        f"fails to create NewRawKubeReconciler for predictor: failed creating host name: url: Invalid value: "
        f'"{_host(service)}": must be no more than 63 characters'
    )
    failed = {"status": "False", "reason": "ReconcileFailed", "message": message}
    conditions = [{"type": one, **failed} for one in ("PredictorReady", "Ready")]
    return {"deploymentMode": mode, "conditions": conditions}


def _program(predictor: Json) -> tuple[str, str]:
    if "model" in predictor:
        return predictor["model"]["storageUri"], ""
    container = predictor["containers"][0]
    variables = {one["name"]: one["value"] for one in container["env"]}
    shlex.split(container["command"][2])
    return variables["STORAGE_URI"], container["command"][2]


def _owner(service: str, predictor: Json) -> str:
    name = predictor.get("name", "")
    return f"{service}-{name}-predictor" if name else f"{service}-predictor"


def _stopped(item: Json) -> bool:
    return bool(item["metadata"].get("annotations", {}).get("serving.kserve.io/stop") == "true")


def _ready(pod: Json) -> bool:
    return any(one["status"] == "True" for one in pod["status"].get("conditions", ()))


def _waits(pod: Json) -> list[Any]:
    kinds = ("initContainerStatuses", "containerStatuses")
    return [one for kind in kinds for one in pod["status"].get(kind, ()) if "waiting" in one["state"]]
