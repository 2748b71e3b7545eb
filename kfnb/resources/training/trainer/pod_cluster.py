"""Kubernetes as the pod of a step reaches it: its own TrainJob, followed to its end.

The text of this file travels with ``pod_step``, so it needs Python's own library alone, from 3.9 on.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional
from urllib.parse import urlencode

from kfnb.resources.training.trainer.pod_program import MARK

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TRAINJOBS = "/apis/trainer.kubeflow.org/v1alpha1/namespaces/{}/trainjobs"
_JOBSET, _INDEX = "jobset.sigs.k8s.io/jobset-name", "batch.kubernetes.io/job-completion-index"
_CONTAINER = "node"
_TIMEOUT = 300.0
"""Seconds that the API server may not answer."""
_PAUSE = 1.0
"""Seconds between two polls of a training."""
_PAUSE_FOR_A_POD = 0.1
"""Seconds of that for each pod: each poll requests the logs of all."""
_FORBIDDEN, _MISSING, _EXISTS, _BUSY = 403, 404, 409, (401, 408, 429)
_BROKEN = 500
"""The first status of an answer that may be another one later."""


class TrainJobFailed(Exception):
    """The training has failed; ``logged``: its log has the reason."""

    def __init__(self, message: str, logged: bool = False) -> None:  # noqa: FBT002 - an exception's arguments
        super().__init__(message)
        self.logged = logged


def say(text: str) -> None:
    """Write a line into the log."""
    os.write(1, f"{text}\n".encode())


class Cluster:
    """The API server, asked as the service account of this pod."""

    def __init__(self) -> None:
        host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
        self._url = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
        self.namespace = (_ACCOUNT / "namespace").read_text().strip()
        trusted = ssl.create_default_context(cadata=(_ACCOUNT / "ca.crt").read_text())
        # no proxy of the environment: the API server is in the cluster
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted)
        )
        self._trainjobs = _TRAINJOBS.format(self.namespace)

    def create(self, body: Mapping[str, Any]) -> None:
        """Make a TrainJob. Raises ``TrainJobFailed``."""
        try:
            self._ask("POST", self._trainjobs, body)
        except urllib.error.HTTPError as error:
            if error.code != _EXISTS:  # an earlier request was answered too late
                raise TrainJobFailed(self._refusal(error)) from None

    def delete(self, name: str) -> None:
        """Delete a TrainJob and its pods."""
        try:
            self._ask("DELETE", f"{self._trainjobs}/{name}?propagationPolicy=Background")
        except urllib.error.HTTPError as error:
            if error.code != _MISSING:
                say(f"warning: TrainJob {name} was not deleted: {_message(error)}")

    def trainjob(self, name: str) -> Optional[Mapping[str, Any]]:  # noqa: UP045 - also where Python is 3.9
        """A TrainJob; None where there is none."""
        try:
            found: Mapping[str, Any] = json.loads(self._ask("GET", f"{self._trainjobs}/{name}"))
        except urllib.error.HTTPError as error:
            if error.code == _MISSING:
                return None
            raise TrainJobFailed(self._refusal(error)) from None
        return found

    def pods(self, name: str) -> list[Mapping[str, Any]]:
        """The pods of a TrainJob, the oldest first."""
        query = urlencode({"labelSelector": f"{_JOBSET}={name}"})
        try:
            found = json.loads(self._ask("GET", f"/api/v1/namespaces/{self.namespace}/pods?{query}"))["items"]
        except urllib.error.HTTPError as error:
            raise TrainJobFailed(self._refusal(error)) from None
        return sorted(found, key=lambda pod: str(pod["metadata"].get("creationTimestamp")))

    def log(self, pod: str, since: str) -> list[str]:
        """The lines of a pod, each after its time; from the second of ``since`` on."""
        query = {"container": _CONTAINER, "timestamps": "true"}
        query |= {"sinceTime": since.partition(".")[0] + "Z"} if since else {}
        try:
            path = f"/api/v1/namespaces/{self.namespace}/pods/{pod}/log?{urlencode(query)}"
            return self._ask("GET", path).decode(errors="replace").split("\n")[:-1]
        except urllib.error.HTTPError as error:
            if error.code == _FORBIDDEN:
                raise TrainJobFailed(self._refusal(error)) from None
            return []  # it is not there yet, or not any more

    def _ask(self, method: str, path: str, body: Any = None) -> bytes:
        """The answer; one that may be another one later is waited for. Raises ``HTTPError``, ``TrainJobFailed``."""
        until, pause = time.monotonic() + _TIMEOUT, 0.5
        while True:
            try:
                headers = {"Authorization": f"Bearer {(_ACCOUNT / 'token').read_text().strip()}"}
                headers |= {"Accept": "application/json, */*", "Content-Type": "application/json"}
                data = None if body is None else json.dumps(body).encode()
                request = urllib.request.Request(  # noqa: S310 - its URL is https
                    self._url + path, data, headers, method=method
                )
                with self._opener.open(request, timeout=60) as answer:
                    found: bytes = answer.read()
                    return found
            except urllib.error.HTTPError as error:
                if error.code not in _BUSY and error.code < _BROKEN:
                    raise
                trouble = _message(error)
            except (OSError, http.client.HTTPException) as error:  # the latter: an answer that was cut off
                if isinstance(getattr(error, "reason", None), ssl.SSLCertVerificationError):
                    raise TrainJobFailed(f"the API server is not trusted: {error}") from None
                trouble = str(error)
            if time.monotonic() > until:
                raise TrainJobFailed(f"the API server of the cluster does not answer: {trouble}")
            time.sleep(pause)
            pause = min(pause * 2, 20)

    def _refusal(self, error: urllib.error.HTTPError) -> str:
        message = _message(error)
        if error.code == _MISSING:
            return f"Kubeflow Trainer is not installed in this cluster: {message}"
        if error.code != _FORBIDDEN or "forbidden: User" not in message:
            return message
        account = f"the pods' service account in namespace {self.namespace}"
        name = message.partition('forbidden: User "')[2].partition('"')[0].rpartition(":")[2]
        return (
            f"{account} may not train with several nodes: {message}. An administrator allows it by: kubectl -n"
            f" {self.namespace} create role kfnb-trainings --verb=get,list,create,delete"
            " --resource=trainjobs.trainer.kubeflow.org,pods,pods/log && kubectl -n"
            f" {self.namespace} create rolebinding kfnb-trainings --role=kfnb-trainings"
            f" --serviceaccount={self.namespace}:{name}"
        )


def _message(error: urllib.error.HTTPError) -> str:
    """What the API server has answered."""
    text = error.read().decode(errors="replace")
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP status {error.code}"


class FollowedTraining:
    """A TrainJob whose nodes may each fail ``restarts`` times."""

    def __init__(self, cluster: Cluster, name: str, restarts: int) -> None:
        self._cluster, self._name, self._restarts = cluster, name, restarts
        self._last: dict[str, str] = {}
        self._complete: set[str] = set()
        self._verdicts: dict[str, str] = {}
        self._printed = self._waited = ""

    def followed(self) -> str:
        """Pass on what its pods write until it ends; the digest that rank 0's pod left. Raises ``TrainJobFailed``."""
        while True:
            item, pods = self._cluster.trainjob(self._name), self._cluster.pods(self._name)
            self._relay(pods)
            if item is None or "deletionTimestamp" in item["metadata"]:
                raise TrainJobFailed(f"TrainJob {self._name} was deleted")
            conditions = {
                one["type"]: one
                for one in item.get("status", {}).get("conditions", ())
                if one["status"] == "True"
            }
            if "Complete" in conditions:
                return _left(pods, "outputs")
            failed = self._failed(pods)
            if failed or "Failed" in conditions:
                self._fail(failed, str(conditions.get("Failed", {}).get("message", "it has failed")))
            self._wait(item, pods)
            time.sleep(max(_PAUSE, len(pods) * _PAUSE_FOR_A_POD))

    def _failed(self, pods: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The pods of nodes that have failed more often than they may, the first failure first."""
        failed = [pod for pod in pods if pod["status"].get("phase") == "Failed" and not _deleted(pod)]
        nodes = [_node(pod) for pod in failed]
        final = [pod for pod in failed if nodes.count(_node(pod)) > self._restarts]
        return sorted(final, key=lambda pod: float(_facts(pod).get("at") or time.time()))

    def _fail(self, failed: Sequence[Mapping[str, Any]], message: str) -> None:
        if not failed:
            raise TrainJobFailed(message)
        name, facts = failed[0]["metadata"]["name"], _facts(failed[0])
        verdict = self._verdicts.get(name)
        if verdict:
            if verdict != self._printed:
                say(verdict)
            raise TrainJobFailed(verdict, logged=True)
        ended = _terminated(failed[0])
        why = facts.get("why") or (
            "its container was killed: it used more memory than its limit (OOMKilled)"
            if ended.get("reason") == "OOMKilled"
            else f"its container ended with exit code {ended.get('exitCode')}"
        )
        raise TrainJobFailed(f"node {_node(failed[0])}: {why}")

    def _relay(self, pods: Sequence[Mapping[str, Any]]) -> None:
        """Write what the pods have written since the last time, in the order of the times."""
        found = []
        for pod in pods:
            name, states = pod["metadata"]["name"], _state(pod)
            if name in self._complete or not ({"running", "terminated"} & states.keys()):
                continue
            before = self._last.get(name, "")
            for line in self._cluster.log(name, before):
                at, _, text = line.partition(" ")
                if at > before:
                    found.append((at, name, text))
                    self._last[name] = at
            if "terminated" in states:
                self._complete.add(name)
        for _, name, text in sorted(found):
            shown, mark, _ = text.partition(MARK)
            if shown or not mark:
                say(shown)
                self._printed = shown
            if shown.startswith("rank ") and " failed: " in shown:
                self._verdicts[name] = shown

    def _wait(self, item: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> None:
        """Say what a training waits for that does not begin, once."""
        text = ""
        if item["spec"].get("suspend"):
            text = f"waiting: TrainJob {self._name} is suspended, as by a queue of Kueue"
        for pod in pods:
            states = _state(pod)
            reasons = [
                f"{one.get('reason')}: {one.get('message', '')}"
                for one in pod["status"].get("conditions", ())
                if one["type"] == "PodScheduled" and one["status"] == "False"
            ]
            waiting = states.get("waiting", {})
            if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
                reasons.append(f"{waiting['reason']}: {waiting.get('message', '')}")
            if reasons:
                text = f"waiting: node {_node(pod)}: {reasons[0]}"
        if text and text != self._waited:
            say(text)
            self._waited = text


def _node(pod: Mapping[str, Any]) -> int:
    return int(pod["metadata"].get("labels", {}).get(_INDEX) or 0)


def _deleted(pod: Mapping[str, Any]) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def _state(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    """The state of the container that trains."""
    found = [one for one in pod["status"].get("containerStatuses", ()) if one["name"] == _CONTAINER]
    state: Mapping[str, Any] = found[0].get("state", {}) if found else {}
    return state


def _terminated(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _state(pod).get("terminated", {})
    return found


def _facts(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the program of a pod has left in its status."""
    try:
        found = json.loads(_terminated(pod).get("message") or "")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _left(pods: Sequence[Mapping[str, Any]], fact: str) -> str:
    found = [str(_facts(pod).get(fact, "")) for pod in pods if not _node(pod)]
    return found[-1] if found else ""
