"""Why a task does not start, in one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kfnb.remote.kubernetes.pods import NORMAL, brief, explained, refused
from kfnb.resources.runs.kubeflow.pods import Pods, TaskPod


def doing(
    pods: Pods, found: Iterable[TaskPod], unmade: Mapping[str, str], queued: str | None = None
) -> dict[str, str]:
    """What keeps tasks from starting, by task, for those with a waiting pod among ``found``.

    The pod that prepares a task or a group (its driver) can wait as well; that of the whole run has the id "".
    ``unmade`` is why pods could not be created, by task; ``queued`` is Argo's message on a run that it has not
    started, None if it has.
    """
    newest = {pod.task: pod for pod in found}
    words = {
        task: why_waiting(pod) or why_waiting(pod, pods.events(pod.name))
        for task, pod in newest.items()
        if pod.phase == "Pending"
    }
    words |= {
        task: refused(message).message
        for task, message in unmade.items()
        if task not in newest and message not in NORMAL  # Argo's message is outdated once the pod exists
    }
    words[""] = words.get("") or _whole(newest.get(""), queued)
    return {task: why for task, why in words.items() if why}


def _whole(driver: TaskPod | None, queued: str | None) -> str:
    """What a run without tasks waits for: its ``driver``, or, before that exists, Argo."""
    if driver is None:
        return "" if queued is None else why_queued(queued)
    if driver.role != "driver":
        return ""
    return {
        "Pending": "waiting for the pod that prepares the run to start",
        "Running": "the run is being prepared",
    }.get(driver.phase, "")


def why_waiting(pod: TaskPod, events: Iterable[Mapping[str, Any]] = ()) -> str:
    """Why a pod does not run yet; empty without a known reason."""
    return explained(pod.diagnosis, events).message if pod.phase in ("Pending", "") else ""


def why_queued(message: str) -> str:
    """Why Argo has not started a run, from its message, if it has one."""
    return brief(f"waiting for Argo Workflows to start the run{f': {message}' if message else ''}")
