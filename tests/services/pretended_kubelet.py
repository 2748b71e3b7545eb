"""A node whose kubelet runs nothing: it says of each pod what it would do by the folder that it serves.

``behaviour.json`` of that folder is as for the simulation (``simulated_kserve``). Routes of the Gateway API are told to
be accepted, as there is no gateway.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from kserve_cluster import KServeCluster

from tests.kubernetes.controllers import Json
from tests.kubernetes.node import NODE, add_node

STARTS = 0.4
"""Seconds until a pod answers."""
_ROUTES = "/apis/gateway.networking.k8s.io/v1/httproutes"


class PretendedKubelet:
    """The node of ``cluster``. ``store`` has the folders that pods serve, by their URIs."""

    def __init__(self, cluster: KServeCluster) -> None:
        self._api, self.store = cluster.api, dict[str, Path]()
        self._logs: dict[tuple[str, str], list[tuple[str, str]]] = {}
        self._seen: set[tuple[str, str]] = set()
        self._server = add_node(self._api, cluster.folder, self._lines)
        self._follow("/api/v1/pods", self._pod)
        if cluster.gateway_crds is not None:
            self._follow(_ROUTES, self._route)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _follow(self, path: str, act: Callable[[Json], None]) -> None:
        def follow() -> None:
            with suppress(OSError):  # the API server has ended
                for item in self._api.watch(path):
                    act(item)

        threading.Thread(target=follow, daemon=True).start()

    def _lines(self, path: str) -> str:
        """The log of a container, as the API server asks a kubelet for it."""
        url = urlsplit(path)
        _, _, _, pod, container = url.path.split("/")
        query = parse_qs(url.query)
        lines = self._logs.get((pod, container), [])[-int(query.get("tailLines", ["0"])[0]) :]
        return "".join(f"{at} {line}\n" if "timestamps" in query else f"{line}\n" for at, line in lines)

    # -- pods

    def _pod(self, pod: Json) -> None:
        metadata = pod["metadata"]
        what = "ends" if metadata.get("deletionTimestamp") else "starts"
        if (metadata["uid"], what) in self._seen:
            return
        self._seen.add((metadata["uid"], what))
        if what == "ends":
            threading.Timer(0.3, self._api.ask, ["DELETE", f"{_path(pod)}?gracePeriodSeconds=0"]).start()
            return
        target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": metadata["name"]},
            "target": target,
        }
        self._api.must("POST", f"{_path(pod)}/binding", binding)
        waits = {"waiting": {"reason": "PodInitializing"}}
        self._tell(pod, "Pending", lambda name: (waits, {}), ready=False)
        threading.Timer(STARTS, self._run, [pod]).start()

    def _run(self, pod: Json) -> None:
        """What the pod's program would do."""
        container = pod["spec"]["containers"][0]
        uri = next((one["args"][0] for one in pod["spec"].get("initContainers", ())), "")
        folder = self.store.get(uri)
        file = None if folder is None else folder / "behaviour.json"
        behaviour = json.loads(file.read_text()) if file is not None and file.exists() else {}
        checks = " check" in " ".join(container.get("command", ()))
        if behaviour.get("check") == "fails" and checks:
            failed = {"name": "row by row", "passed": False, "message": "column age: 3 instead of 4"}
            self._crash(pod, container["name"], json.dumps({"passed": False, "checks": [failed]}))
        elif behaviour.get("load") == "fails":
            self._crash(pod, container["name"], "ValueError: the model is of another version of its library")
        else:
            self._log(pod, container["name"], json.dumps({"listening": "http://0.0.0.0:8080"}))
            self._tell(pod, "Running", lambda name: ({"running": {"startedAt": _now()}}, {}), ready=True)

    def _crash(self, pod: Json, container: str, line: str) -> None:
        self._log(pod, container, line)
        ended = {"terminated": {"exitCode": 1, "reason": "Error", "message": line}}
        waits = {"waiting": {"reason": "CrashLoopBackOff"}}
        self._tell(
            pod, "Running", lambda name: (waits, ended) if name == container else ({}, {}), ready=False
        )

    def _log(self, pod: Json, container: str, line: str) -> None:
        self._logs.setdefault((pod["metadata"]["name"], container), []).append((_now(), line))

    def _tell(self, pod: Json, phase: str, of: Callable[[str], tuple[Json, Json]], *, ready: bool) -> None:
        done = {"terminated": {"exitCode": 0, "reason": "Completed"}}
        initial = [_container(one, done, {}, ready=True) for one in pod["spec"].get("initContainers", ())]
        served = [_container(one, *of(one["name"]), ready=ready) for one in pod["spec"]["containers"]]
        conditions = [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": str(ready)}]
        status = {"phase": phase, "conditions": conditions, "containerStatuses": served}
        self._api.tell(_path(pod), {**status, "initContainerStatuses": initial})

    # -- routes

    def _route(self, route: Json) -> None:
        metadata, parents = route["metadata"], route.get("status", {}).get("parents", [])
        told = [one["observedGeneration"] for parent in parents for one in parent["conditions"]]
        if told and set(told) == {metadata["generation"]}:
            return
        accepted = {
            "status": "True",
            "message": "",
            "observedGeneration": metadata["generation"],
            "lastTransitionTime": _now()[:19] + "Z",
        }
        conditions = [{"type": one, "reason": one, **accepted} for one in ("Accepted", "ResolvedRefs")]
        gateway = {"controllerName": "example.com/gateway", "conditions": conditions}
        found = [{"parentRef": one, **gateway} for one in route["spec"]["parentRefs"]]
        self._api.tell(
            f"{_ROUTES.rpartition('/')[0]}/namespaces/{metadata['namespace']}/httproutes/{metadata['name']}",
            {"parents": found},
        )


def _container(spec: Json, state: Json, last: Json, *, ready: bool) -> Json:
    status = {"name": spec["name"], "image": spec["image"], "imageID": "", "ready": ready, "state": state}
    return {**status, "restartCount": 2 if last else 0, "lastState": last}


def _path(pod: Json) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"


def _now() -> str:
    nanoseconds = time.time_ns()
    return (
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(nanoseconds // 10**9)) + f".{nanoseconds % 10**9:09}Z"
    )
