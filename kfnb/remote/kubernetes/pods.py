"""Why a pod does not run, or how it ended: one diagnosis for runs, studies, notebooks, status, doctor and clusters.

Most of it is in the pod's status. For a pod that is starting, events add a volume that cannot be mounted and an image
that is being pulled; for a pod that could not be created, they have the reason.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from kfnb.remote.kubernetes.fields import Item, condition
from kfnb.text.shorten import shorten

NORMAL = ("", "ContainerCreating", "PodInitializing")
"""What a container waits for when nothing is wrong."""
IMAGE_WORDS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
"""Kubernetes' reasons for an image that cannot be pulled."""
_CRASHES = "CrashLoopBackOff"
_NO_MEMORY = "OOMKilled"
_SIGNALED = 128
"""A shell's exit code for a process ended by a signal is this plus the signal's number."""
_LONGEST = 300

_QUOTA = re.compile(r"exceeded quota: (?P<quota>[^,]+), (?P<rest>.+)", re.DOTALL)
_MOUNT = re.compile(r"\w+Volume\.\w+ failed for volume \"[^\"]*\" ?: (?P<why>.+)", re.DOTALL)
_MULTI = re.compile(r"Multi-Attach error for volume \"[^\"]*\" ?(?P<why>.+)", re.DOTALL)
_PULL = re.compile(
    r"Pulling image \"(?P<image>[^\"]+)\"|Successfully pulled image|Container image .+ already present"
)
"""The kubelet's events on images: being pulled, or present."""


_PROGRESS = ("Scheduled", "Pulled", "Created", "Started", "SuccessfulCreate", "SuccessfulAttachVolume")
"""Kubernetes' reasons of events that show progress of a pod."""


class PodState(str, Enum):
    """A pod's state. A waiting pod may start by itself; a blocked pod does not start until something is changed."""

    STARTING = "starting"
    WAITING = "waiting"
    BLOCKED = "blocked"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    def __str__(self) -> str:
        """The word."""
        return self.value


class PodReason(str, Enum):
    """The reason for a pod's state."""

    NONE = ""
    UNSCHEDULABLE = "unschedulable"
    QUOTA = "quota"
    REFUSED = "refused"
    IMAGE = "image"
    PULLING = "pulling"
    VOLUME = "volume"
    START = "start"
    CRASH_LOOP = "crash loop"
    INIT_CONTAINER = "init container"
    SIDECAR = "sidecar"
    OUT_OF_MEMORY = "out of memory"
    EVICTED = "evicted"
    PREEMPTED = "preempted"
    DEADLINE = "deadline"
    NODE = "node"
    SIGNAL = "signal"
    EXIT_CODE = "exit code"

    def __str__(self) -> str:
        """The word."""
        return self.value


_HINTS = {
    PodReason.UNSCHEDULABLE: "it starts once a node has enough free resources; request less, or other nodes",
    PodReason.QUOTA: "stop what you do not need, or request less",
    PodReason.IMAGE: "check the image's name and tag; a private registry needs an image pull secret",
    PodReason.VOLUME: "check that the volume, secret or config map is in the namespace, and not in use elsewhere",
    PodReason.OUT_OF_MEMORY: "give it more memory",
    PodReason.EVICTED: "request as much memory and disk as it uses, and run it again",
    PodReason.PREEMPTED: "a pod of a higher priority took its place; run it again",
    PodReason.DEADLINE: "give it more time",
    PodReason.NODE: "its node was lost; run it again",
}


@dataclass(frozen=True)
class Diagnosis:
    """A pod's state, the reason in one sentence (empty if nothing is wrong), and what can be done.

    ``word`` is Kubernetes' own reason. ``container`` is the container at fault, ``exit_code`` its exit code, ``left``
    its termination message.
    """

    state: PodState
    reason: PodReason = PodReason.NONE
    message: str = ""
    word: str = ""
    container: str = ""
    exit_code: int | None = None
    left: str = ""

    @property
    def hint(self) -> str:
        """What can be done; empty if that depends on more than the pod shows."""
        return _HINTS.get(self.reason, "")

    @property
    def stuck(self) -> bool:
        """Whether something must be done about it."""
        return self.state in (PodState.BLOCKED, PodState.FAILED)


def diagnose(pod: Item, program: str = "") -> Diagnosis:
    """The diagnosis from a pod's own status. ``program`` is its main container; by default the first."""
    status = pod.get("status") or {}
    phase = status.get("phase") or ""
    program = program or next((str(one.get("name", "")) for one in _specs(pod)), "")
    if phase == "Succeeded":
        return Diagnosis(PodState.SUCCEEDED)
    if phase == "Failed":
        return _failed(pod, program)
    mine = _state(_named(pod, program), "terminated")
    return (
        _in_the_way(pod, status)
        or (_failed(pod, program) if _broke(mine) else None)
        or _in_order(pod, "Succeeded" if mine else phase)
    )


def _in_order(pod: Item, phase: str) -> Diagnosis:
    """The diagnosis of a pod with nothing wrong."""
    if phase in ("Succeeded", "Running"):
        return Diagnosis(PodState.SUCCEEDED if phase == "Succeeded" else PodState.RUNNING)
    words = (str(_state(one, "waiting").get("reason") or "") for one in _containers(pod))
    return Diagnosis(PodState.STARTING, word=next(filter(None, words), ""))


def _in_the_way(pod: Item, status: Item) -> Diagnosis | None:
    """What keeps a pod from running; None if the pod shows no reason."""
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        return unschedulable(scheduled.get("message") or scheduled.get("reason") or "")
    if status.get("reason"):
        return _whole(status)
    return next(filter(None, map(_blocked, _containers(pod))), None)


def explained(diagnosis: Diagnosis, events: Iterable[Item]) -> Diagnosis:
    """The diagnosis with the reason from events, for a pod that is starting without a known reason.

    The newest event with a reason counts, unless the pod has progressed since; events of the pod's owner are included.
    """
    if diagnosis.state is not PodState.STARTING:
        return diagnosis
    in_order = sorted(events, key=time_of)  # events of one second in Kubernetes' order
    for event in in_order[::-1]:
        found, message = _from_event(event), str(event.get("message") or "")
        if found is not None:
            return found
        pull = _PULL.match(message)
        if pull is not None and pull["image"]:
            text = brief(f"pulling image {pull['image']}")
            return Diagnosis(PodState.STARTING, PodReason.PULLING, text)
        if pull is not None or event.get("reason") in _PROGRESS:
            break  # earlier reasons no longer hold
    return diagnosis


def refused(message: str) -> Diagnosis:
    """The diagnosis of a pod that could not be created, from the reason."""
    quota = _QUOTA.search(message)
    if quota is not None:
        text = f"quota {quota['quota']} of the namespace is used up: {quota['rest']}"
        return Diagnosis(PodState.BLOCKED, PodReason.QUOTA, brief(text), "FailedCreate")
    return Diagnosis(
        PodState.BLOCKED, PodReason.REFUSED, brief(f"cannot create a pod: {message}"), "FailedCreate"
    )


def unschedulable(message: str) -> Diagnosis:
    """The diagnosis of a pod without a suitable node, from the scheduler's message."""
    # the sentences after the first are about preemption
    text = brief(f"cannot be scheduled: {message.partition('. ')[0].rstrip('.')}")
    return Diagnosis(PodState.WAITING, PodReason.UNSCHEDULABLE, text, "Unschedulable")


def ended(code: int, what: str = "its process") -> str:
    """How a process ended, by its exit code."""
    if not signaled(code):
        return f"{what} ended with exit code {code}"
    name = signal.Signals(code - _SIGNALED).name
    text = f"{what} was ended by {name} (exit code {code})"
    return text + ", as when its pod is deleted or its node is drained" * (name == "SIGTERM")


def signaled(code: int) -> bool:
    """Whether an exit code is that of a signal."""
    return code > _SIGNALED and code - _SIGNALED in {int(number) for number in signal.Signals}


def time_of(event: Item) -> str:
    """When an event happened last, as Kubernetes writes it."""
    made = (event.get("metadata") or {}).get("creationTimestamp")
    return str(event.get("lastTimestamp") or event.get("eventTime") or made or "")


def brief(text: str) -> str:
    """A text as one line of limited length, without control characters."""
    words = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return shorten(words, _LONGEST - 1, "…")


def _specs(pod: Item) -> Sequence[Item]:
    return (pod.get("spec") or {}).get("containers") or ()


def _containers(pod: Item) -> Iterator[Item]:
    """The status of each container, init containers first."""
    status = pod.get("status") or {}
    for one in status.get("initContainerStatuses") or ():
        yield {**one, "before": True}
    yield from status.get("containerStatuses") or ()


def _named(pod: Item, name: str) -> Item:
    return next((one for one in _containers(pod) if one.get("name") == name), {})


def _state(container: Item, state: str) -> Item:
    found: Item = (container.get("state") or {}).get(state) or {}
    return found


def _blocked(container: Item) -> Diagnosis | None:
    """What keeps a container from running; None if nothing does."""
    waits = _state(container, "waiting")
    word, message = waits.get("reason") or "", waits.get("message") or ""
    name = str(container.get("name", ""))
    if word in NORMAL:
        return None
    if word == _CRASHES:
        return _crashing(container, name)
    if word in IMAGE_WORDS:
        text, reason = _unpulled(container.get("image") or "", word, message), PodReason.IMAGE
    else:
        text, reason = f"cannot start: {message or word}", PodReason.START
    return Diagnosis(PodState.BLOCKED, reason, brief(text), word, name)


def _unpulled(image: str, word: str, message: str) -> str:
    what = f"image {image}" if image else "its image"
    if word == "ErrImageNeverPull":
        return f"{what} cannot be pulled: it is not on the node, and its pull policy is Never"
    # the registry's own message is at the end of a chain of errors
    _, separator, why = message.rpartition(": ")
    return f"{what} cannot be pulled" + (f": {why}" if separator else "")


def _crashing(container: Item, name: str) -> Diagnosis:
    last = (container.get("lastState") or {}).get("terminated") or {}
    code, left = last.get("exitCode"), str(last.get("message") or "").strip()
    if last.get("reason") == _NO_MEMORY:
        how = "it used more memory than its limit"
    else:
        how = left.rpartition("\n")[2] or (ended(int(code), "it") if code is not None else "")
    kind = "init container" if container.get("before") else "container"
    message = f"{kind} {name} keeps failing{f': {how}' if how else ''}"
    return Diagnosis(PodState.BLOCKED, PodReason.CRASH_LOOP, brief(message), _CRASHES, name, code, left)


def _failed(pod: Item, program: str) -> Diagnosis:
    """How a failed pod, or a pod whose program failed, ended."""
    mine = _state(_named(pod, program), "terminated")
    status = pod.get("status") or {}
    beside = None if _broke(mine) else _beside(pod, program)
    if beside is not None:
        return beside
    if status.get("reason"):
        return _whole(status, program)
    disrupted = condition(pod, "DisruptionTarget")
    if disrupted.get("status") == "True":
        return _disrupted(disrupted, program, mine.get("exitCode"))
    if not mine:
        return Diagnosis(PodState.FAILED, container=program)
    return _terminated(pod, program, mine)


def _broke(end: Item) -> bool:
    """Whether a container failed: it may succeed although one of its processes was killed."""
    return bool(end.get("exitCode")) or end.get("reason") == _NO_MEMORY


def _terminated(pod: Item, program: str, mine: Item) -> Diagnosis:
    """How the program itself ended."""
    code, word, left = (
        int(mine.get("exitCode") or 0),
        mine.get("reason") or "",
        (mine.get("message") or "").strip(),
    )
    if word == _NO_MEMORY:
        limit = _memory(pod, program)
        text = (
            f"its container was killed: it used more memory than its limit{f' of {limit}' if limit else ''}"
        )
        reason = PodReason.OUT_OF_MEMORY
    elif left and word not in ("Error", ""):
        text, reason = f"{word}: {left}", _WHOLE.get(word, PodReason.START)
    else:
        text = ended(code) + (f": {left.rpartition(chr(10))[2]}" if left else "")
        reason = PodReason.SIGNAL if signaled(code) else PodReason.EXIT_CODE
    return Diagnosis(PodState.FAILED, reason, brief(text), word, program, code, left)


def _memory(pod: Item, program: str) -> str:
    mine: Item = next((one for one in _specs(pod) if one.get("name") == program), {})
    return str(((mine.get("resources") or {}).get("limits") or {}).get("memory", ""))


def _beside(pod: Item, program: str) -> Diagnosis | None:
    """The container, other than the program's, whose failure ended a pod: an init container or a sidecar."""
    failed = [
        one
        for one in _containers(pod)
        if one.get("name") != program and _state(one, "terminated").get("exitCode")
    ]
    # of the sidecars, Argo's (wait) has the most useful message
    failed.sort(key=lambda one: (not one.get("before"), one.get("name") != "wait"))
    if not failed:
        return None
    end, name = _state(failed[0], "terminated"), str(failed[0].get("name", ""))
    code, left = int(end.get("exitCode") or 0), str(end.get("message") or "").strip()
    if end.get("reason") == _NO_MEMORY:
        message, reason = f"the container {name} of its pod ran out of memory", PodReason.OUT_OF_MEMORY
    else:
        message = f"the container {name} of its pod failed: {left or f'it ended with exit code {code}'}"
        reason = PodReason.INIT_CONTAINER if failed[0].get("before") else PodReason.SIDECAR
    return Diagnosis(PodState.FAILED, reason, brief(message), end.get("reason") or "", name, code, left)


_WHOLE = {
    "Evicted": PodReason.EVICTED,
    "Preempting": PodReason.PREEMPTED,
    "DeadlineExceeded": PodReason.DEADLINE,
    "NodeLost": PodReason.NODE,
    "NodeShutdown": PodReason.NODE,
    "Terminated": PodReason.NODE,
    "ContainerStatusUnknown": PodReason.NODE,
    "Shutdown": PodReason.NODE,
}
"""Kubernetes' reasons for the end of a pod, or of its container."""


def _whole(status: Item, container: str = "") -> Diagnosis:
    """The end of the whole pod: evicted, deadline exceeded."""
    word, message = str(status["reason"]), status.get("message") or ""
    state = PodState.FAILED if status.get("phase") == "Failed" else PodState.BLOCKED
    text = brief(f"{word}: {message}" if message else word)
    return Diagnosis(state, _WHOLE.get(word, PodReason.START), text, word, container)


_DISRUPTIONS = {
    "PreemptionByScheduler": (PodReason.PREEMPTED, "preempted"),
    "EvictionByEvictionAPI": (PodReason.EVICTED, "evicted"),
    "TerminationByKubelet": (PodReason.EVICTED, "evicted"),
    "DeletionByTaintManager": (PodReason.NODE, "deleted from its node"),
    "DeletionByPodGC": (PodReason.NODE, "deleted with its node"),
}


def _disrupted(condition: Item, container: str, code: int | None) -> Diagnosis:
    """A pod that Kubernetes disrupted."""
    word = str(condition.get("reason") or "")
    reason, what = _DISRUPTIONS.get(word, (PodReason.NODE, "ended by Kubernetes"))
    message = ": ".join(filter(None, (f"its pod was {what}", condition.get("message"))))
    return Diagnosis(PodState.FAILED, reason, brief(message), word, container, code)


def _from_event(event: Item) -> Diagnosis | None:
    """The reason in an event why a pod does not start; None if it has none."""
    word, message = event.get("reason") or "", str(event.get("message") or "")
    mount = _MOUNT.match(message) or _MULTI.match(message)
    if mount is not None:
        text = brief(f"cannot start: {mount['why']}")
        return Diagnosis(PodState.BLOCKED, PodReason.VOLUME, text, word or "FailedMount")
    if word == "FailedCreate":
        return refused(_without_sender(message))
    if word == "FailedScheduling":
        return unschedulable(message)
    if word == "FailedCreatePodSandBox":
        return Diagnosis(PodState.BLOCKED, PodReason.START, brief(f"cannot start: {message}"), word)
    return None


def _without_sender(message: str) -> str:
    """The original message of a refused pod, without the messages that wrap it."""
    if message.startswith("Reissued from "):
        message = message.partition(": ")[2] or message
    return message.partition(" failed error: ")[2] or message
