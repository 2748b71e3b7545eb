"""Why a task does not start, in one line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from kfnb.backends.kubeflow.pods import Pod, Pods, Waiting

_IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable")
_NORMAL = ("ContainerCreating", "PodInitializing", "")
_QUOTA = re.compile(r"exceeded quota: (?P<quota>[^,]+), (?P<rest>.+)", re.DOTALL)
_MOUNT = re.compile(r"MountVolume\.SetUp failed for volume \"[^\"]*\" : (?P<why>.+)", re.DOTALL)
_LONGEST = 300


def doing(pods: Pods, found: Iterable[Pod], refused: Mapping[str, str]) -> dict[str, str]:
    """What keeps tasks from starting, by task: of those whose pods, among those ``found``, wait.

    The pod that prepares a task or a group (its driver) can wait as well; that of the whole run is under the id "".
    ``refused`` says why pods could not even be made, by task.
    """
    newest = {pod.task: pod for pod in found}
    words = {
        task: why_waiting(pod) or why_waiting(pod, pods.warnings(pod.name))
        for task, pod in newest.items()
        if pod.phase == "Pending"
    }
    words |= {task: why_refused(message) for task, message in refused.items() if task not in words}
    return {task: why for task, why in words.items() if why}


def why_waiting(pod: Pod, warnings: Iterable[str] = ()) -> str:
    """Why a pod does not run yet; empty if nothing is known to be in its way.

    ``warnings`` are Kubernetes' events: of a volume that cannot be mounted, they alone tell.
    """
    if pod.phase not in ("Pending", ""):
        return ""
    if pod.unschedulable:
        # what follows the first sentence is the scheduler's bookkeeping on preemption
        return _line(f"cannot be scheduled: {pod.unschedulable.partition('. ')[0]}")
    for container in pod.waiting:
        if container.reason not in _NORMAL:
            return _line(_container(container))
    for warning in reversed(tuple(warnings)):
        mount = _MOUNT.match(warning)
        if mount is not None:
            return _line(f"cannot start: {mount['why']}")
    return ""


def why_refused(message: str) -> str:
    """Why no pod could be made, from what Argo says of the node."""
    quota = _QUOTA.search(message)
    if quota is not None:
        return _line(f"quota {quota['quota']} of the namespace is used up: {quota['rest']}")
    return _line(f"no pod could be made: {message}")


def _container(container: Waiting) -> str:
    if container.reason in _IMAGE:
        # the registry's own words stand at the end of a chain of errors
        _, separator, why = container.message.rpartition(": ")
        return f"image {container.image} cannot be pulled" + (f": {why}" if separator else "")
    return f"cannot start: {container.message or container.reason}"


def _line(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
