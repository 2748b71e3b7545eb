"""Why a task does not start, in one line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from kfnb.backends.kubeflow.pods import Pod, Pods, Waiting

_IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable")
_NORMAL = ("ContainerCreating", "PodInitializing", "")
_QUOTA = re.compile(r"exceeded quota: (?P<quota>[^,]+), (?P<rest>.+)", re.DOTALL)
_MOUNT = re.compile(r"MountVolume\.SetUp failed for volume \"[^\"]*\" : (?P<why>.+)", re.DOTALL)
_PULL = re.compile(
    r"Pulling image \"(?P<image>[^\"]+)\"|Successfully pulled image|Container image .+ already present"
)
"""The kubelet's events on images: one is being pulled, or is there."""
_LONGEST = 300


def doing(
    pods: Pods, found: Iterable[Pod], refused: Mapping[str, str], queued: str | None = None
) -> dict[str, str]:
    """What keeps tasks from starting, by task: of those whose pods, among those ``found``, wait.

    The pod that prepares a task or a group (its driver) can wait as well; that of the whole run is under the id "".
    ``refused`` says why pods could not even be made, by task; ``queued`` is Argo's word on a run that it has not
    started, None for one that it has.
    """
    newest = {pod.task: pod for pod in found}
    words = {
        task: why_waiting(pod) or why_waiting(pod, pods.events(pod.name))
        for task, pod in newest.items()
        if pod.phase == "Pending"
    }
    words |= {
        task: why_refused(message)
        for task, message in refused.items()
        if task not in newest and message not in _NORMAL  # of a pod that has come since, Argo's word is old
    }
    words[""] = words.get("") or _whole(newest.get(""), queued)
    return {task: why for task, why in words.items() if why}


def _whole(driver: Pod | None, queued: str | None) -> str:
    """What a run waits for, of which no more is known: for its own ``driver``, or before there is one for Argo."""
    if driver is None:
        return "" if queued is None else why_queued(queued)
    if driver.role != "driver":
        return ""
    return {
        "Pending": "waiting for the pod that prepares the run to start",
        "Running": "the run is being prepared",
    }.get(driver.phase, "")


def why_waiting(pod: Pod, events: Iterable[str] = ()) -> str:
    """Why a pod does not run yet; empty if nothing is known to be in its way.

    ``events`` are Kubernetes' words on it, the oldest first: of a volume that cannot be mounted, and of an image that
    is being pulled, they alone tell.
    """
    if pod.phase not in ("Pending", ""):
        return ""
    if pod.unschedulable:
        # what follows the first sentence is the scheduler's bookkeeping on preemption
        return _line(f"cannot be scheduled: {pod.unschedulable.partition('. ')[0]}")
    for container in pod.waiting:
        if container.reason not in _NORMAL:
            return _line(_container(container))
    told = list(events)
    for event in reversed(told):
        mount = _MOUNT.match(event)
        if mount is not None:
            return _line(f"cannot start: {mount['why']}")
    pulling = _PULL.match(next((event for event in reversed(told) if _PULL.match(event)), ""))
    return _line(f"pulling image {pulling['image']}") if pulling is not None and pulling["image"] else ""


def why_refused(message: str) -> str:
    """Why no pod could be made, from what Argo says of the node."""
    quota = _QUOTA.search(message)
    if quota is not None:
        return _line(f"quota {quota['quota']} of the namespace is used up: {quota['rest']}")
    return _line(f"no pod could be made: {message}")


def why_queued(message: str) -> str:
    """Why Argo has not started a run, from what it says of it, if it has taken notice of it."""
    return _line(f"waiting for Argo Workflows to start the run{f': {message}' if message else ''}")


def _container(container: Waiting) -> str:
    if container.reason in _IMAGE:
        # the registry's own words stand at the end of a chain of errors
        _, separator, why = container.message.rpartition(": ")
        return f"image {container.image} cannot be pulled" + (f": {why}" if separator else "")
    return f"cannot start: {container.message or container.reason}"


def _line(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
