"""Why a revision does not become ready: one report from KServe's status, its pods, their events and their logs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kfnb.errors import BackendError
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.fields import Item, condition, mapping, rows, word
from kfnb.remote.kubernetes.pods import Diagnosis, PodState, brief, diagnose, explained, time_of
from kfnb.resources.services.check_report import failures
from kfnb.resources.services.kserve.causes import known_cause
from kfnb.resources.services.kserve.objects import CONTAINER, CONTAINERS
from kfnb.resources.services.kserve.observation import Observation
from kfnb.resources.services.model import Parity

_LAST = 5
"""Lines of each container's log that a report has."""
_READ = 30
_BROKEN = ("BlockedByFailedLoad", "InvalidSpec")
_PASSING = ("Waiting for runtime to become available",)


@dataclass(frozen=True)
class FailureReport:
    """Why a revision is not ready. ``failed`` is whether nothing gets better by waiting."""

    text: str = ""
    failed: bool = False
    parity: Parity = field(default_factory=Parity)


class FailureReports:
    """Makes reports, and remembers the logs and events of pods that have not changed since."""

    def __init__(self, kubernetes: Kubernetes, namespace: str) -> None:
        self._kubernetes, self._core = kubernetes, f"/api/v1/namespaces/{namespace}"
        self._known: dict[Any, list[str]] = {}

    def of(self, name: str, ref: str, revision: int, seen: Observation, *, newest: bool) -> FailureReport:
        """The report of a revision that is not ready. ``newest`` is the one that KServe's status is about."""
        pods = sorted(seen.pods_of(revision), key=lambda one: word(one, "metadata", "creationTimestamp"))
        messages = _messages(seen.service) if newest else []
        failed = newest and word(seen.service, "status", "modelStatus", "transitionStatus") in _BROKEN
        if not pods:
            return self._without_pods(name, ref, messages, failed=failed, newest=newest)
        pod = pods[-1]
        diagnosis = explained(
            diagnose(pod, CONTAINER), self._events(word(pod, "metadata", "name")) if _starts(pod) else ()
        )
        if not (failed or diagnosis.stuck):
            return FailureReport(diagnosis.message)
        logs = {one: self._log(pod, one) for one in CONTAINERS if _has_run(pod, one)}
        parity = _parity([line for lines in logs.values() for line in lines])
        return FailureReport(_text(ref, diagnosis, messages, logs, parity), failed=True, parity=parity)

    def _without_pods(
        self, name: str, ref: str, messages: list[str], *, failed: bool, newest: bool
    ) -> FailureReport:
        if not newest:
            return FailureReport()
        makers = re.compile(rf"{re.escape(name)}(-r\d+)?-predictor")  # and not those of service NAME-2
        events = [
            one
            for one in self._events("")
            if one.get("reason") == "FailedCreate" and makers.match(word(one, "involvedObject", "name"))
        ]
        diagnosis = explained(Diagnosis(PodState.STARTING), events)
        if failed or diagnosis.stuck or known_cause(messages) is not None:
            return FailureReport(_text(ref, diagnosis, messages, {}, Parity()), failed=True)
        return FailureReport("; ".join(messages[:1]))

    def _events(self, pod: str) -> list[Item]:
        """The events of a pod; of all objects without one. Empty where they may not be read."""
        query = {"fieldSelector": f"involvedObject.name={pod}"} if pod else {}
        try:
            return sorted(self._kubernetes.list(f"{self._core}/events", query), key=time_of)
        except BackendError:
            return []

    def _log(self, pod: Item, container: str) -> list[str]:
        """The last lines of a container; those of its run before, where it starts again."""
        status = _status_of(pod, container)
        again = int(status.get("restartCount") or 0)
        key = word(pod, "metadata", "uid"), container, again, json.dumps(status.get("state"), sort_keys=True)
        if key not in self._known:
            if len(self._known) > 100:  # noqa: PLR2004 - of pods that are gone
                self._known.clear()
            path = f"{self._core}/pods/{word(pod, 'metadata', 'name')}/log"
            waits = bool(mapping(status, "state", "waiting")) and again > 0
            query = {"container": container, "tailLines": _READ} | ({"previous": "true"} if waits else {})
            try:
                self._known[key] = [line for line in self._kubernetes.lines(path, query) if line.strip()]
            except BackendError:
                return []
        return self._known[key]


def _messages(service: Item) -> list[str]:
    """What KServe's status says, in its own words."""
    info = mapping(service, "status", "modelStatus", "lastFailureInfo")
    found = [": ".join(filter(None, (word(info, "reason"), word(info, "message"))))]
    for kind in ("PredictorReady", "IngressReady", "Ready"):
        one = condition(service, kind)
        if one.get("status") == "False":
            found.append(": ".join(filter(None, (word(one, "reason"), word(one, "message")))))
    return [brief(one) for one in dict.fromkeys(found) if one and one not in _PASSING]


def _text(
    ref: str, diagnosis: Diagnosis, messages: Sequence[str], logs: dict[str, list[str]], parity: Parity
) -> str:
    logged = [f"{name}: {brief(line)}" for name, lines in logs.items() for line in lines]
    cause = known_cause([*logged, diagnosis.message, diagnosis.word, *messages])
    if parity.passed is False:
        why, fix = (
            f"it does not pass its check: {'; '.join(failures(parity))}",
            "serve it with --unchecked if you accept that",
        )
    elif cause is not None:
        why, fix = cause.cause, cause.fix
    else:
        why, fix = diagnosis.message or next(iter(messages), "it does not become ready"), diagnosis.hint
    lines = [f"{ref} cannot be served: {why}"]
    lines += [f"  {diagnosis.message}"] * (diagnosis.message not in (why, ""))
    lines += [f"  KServe: {one}" for one in messages if one != why]
    for name, some in logs.items():
        if parity.passed is not False or name != CONTAINER:
            lines += [f"  {name}: {brief(line)}" for line in some[-_LAST:]]
    return "\n".join([*lines, *([f"  fix: {fix}"] if fix else [])])


def _parity(lines: Sequence[str]) -> Parity:
    """What ``serve.py check`` found, where it is what ended the container."""
    for line in reversed(lines):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and isinstance(found.get("checks"), list) and "passed" in found:
            return Parity(bool(found["passed"]), found) if not found["passed"] else Parity()
    return Parity()


def _starts(pod: Item) -> bool:
    return diagnose(pod, CONTAINER).state in (PodState.STARTING, PodState.WAITING)


def _status_of(pod: Item, container: str) -> Item:
    for kind in ("initContainerStatuses", "containerStatuses"):
        for one in rows(pod, "status", kind):
            if one.get("name") == container:
                return one
    return {}


def _has_run(pod: Item, container: str) -> bool:
    status = _status_of(pod, container)
    begun = mapping(status, "state", "terminated") or mapping(status, "state", "running")
    return bool(begun) or int(status.get("restartCount") or 0) > 0
