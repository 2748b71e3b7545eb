"""Queries all parts of the status concurrently."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

from kfnb.errors import Absent, BackendError, Hidden, Invalid, Refused
from kfnb.resources.cluster import capacity, identity, kubeflow_parts, workloads
from kfnb.resources.cluster.compatibility import release_of, releases_for, supported
from kfnb.resources.cluster.model import Knowledge, KubeflowPart, Problem, Status, StatusItem, Version
from kfnb.resources.cluster.probe import More, ProbeTarget, part
from kfnb.resources.cluster.problems import troubles

_AT_ONCE = 8
_LONGEST_WAIT = 0.5
"""Seconds after which an interrupt is noticed at the latest."""

Question = Callable[[ProbeTarget], tuple[Any, More]]

_STABLE: Mapping[str, Question] = {
    "kubeflow": kubeflow_parts.parts,
    "namespace": identity.namespace,
    "version": identity.version,
    "quota": capacity.quota,
    "machines": capacity.machines,
    "volumes": capacity.volumes,
    "pod_defaults": capacity.pod_defaults,
}
_CHANGING: Mapping[str, Question] = {
    "waiting": workloads.waiting,
    "notebooks": workloads.notebooks,
    "workspaces": workloads.workspaces,
    "studies": workloads.studies,
    "services": workloads.services,
    "training": workloads.training,
}
"""What changes from one minute to the next."""


def gather(place: ProbeTarget, start: Status) -> Status:
    """All that can be seen, in a status that knows where it is. Never raises ``BackendError``: a part says it."""
    try:
        found, _ = identity.user(place)
    except (Absent, Hidden, Invalid, Refused):  # without the user's name the rest may still be visible
        user = part(lambda: identity.user(place))
    except BackendError as error:
        return _nothing(start, error)
    else:
        user = StatusItem(Knowledge.KNOWN, found)
    parts = _queried(place, {**_STABLE, **_CHANGING}.items())
    parts["nodes"], parts["gpus"] = _split(parts.pop("machines"))
    parts["version"] = _judged(parts["version"], parts["kubeflow"])
    return _finished(place, replace(start, user=user, **parts))


def gather_again(place: ProbeTarget, status: Status) -> Status:
    """A status whose changing parts are read again: six requests.

    If every query fails, the previous status is returned with that problem.
    """
    parts = _queried(place, _CHANGING.items())
    if all(one.knowledge is Knowledge.UNKNOWN for one in parts.values()):
        nothing = parts["waiting"]
        return replace(status, **parts, user=nothing, troubles=(Problem(nothing.reason),))
    return _finished(place, replace(status, **parts))


def _queried(place: ProbeTarget, questions: Iterable[tuple[str, Question]]) -> dict[str, Any]:
    threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="kfnb-status")
    try:
        futures = {name: threads.submit(part, _bound(question, place)) for name, question in questions}
        while wait(futures.values(), _LONGEST_WAIT).not_done:
            pass  # Python misses an interrupt that comes just before a wait begins until that wait ends
        return {name: one.result() for name, one in futures.items()}
    finally:  # an interrupt does not wait for a slow server
        threads.shutdown(wait=False, cancel_futures=True)


def _split(both: StatusItem[tuple[Any, Any]]) -> tuple[StatusItem[Any], StatusItem[Any]]:
    """Two parts that came with one answer."""
    first, second = both.value or (None, None)
    return replace(both, value=first), replace(both, value=second)


def _bound(question: Question, place: ProbeTarget) -> Callable[[], tuple[Any, More]]:
    return lambda: question(place)


def _finished(place: ProbeTarget, status: Status) -> Status:
    return replace(status, troubles=troubles(place, status), as_of=time.time())


def _nothing(start: Status, error: BackendError) -> Status:
    """Where nothing can be seen, each part has the reason."""
    unknown: StatusItem[Any] = StatusItem(Knowledge.UNKNOWN, reason=str(error))
    parts: dict[str, Any] = {
        name: unknown for name, one in vars(start).items() if isinstance(one, StatusItem)
    }
    return replace(start, **parts, troubles=(Problem(str(error)),), as_of=time.time())


def _judged(version: StatusItem[str], found: StatusItem[tuple[KubeflowPart, ...]]) -> StatusItem[Version]:
    """Kubernetes' version, and whether the Kubeflow that is there supports it."""
    if version.value is None:
        return StatusItem(version.knowledge, reason=version.reason)
    versions = {one.name: one.version for one in found.value or () if one.version}
    release = release_of(versions) if versions else None
    if release is not None:
        good, sentence = supported(version.value, release)
        return StatusItem(Knowledge.KNOWN, Version(version.value, release.release, good, sentence))
    fitting = ", ".join(one.release for one in releases_for(version.value))
    sentence = (
        f"{fitting} was tested with this Kubernetes"
        if fitting
        else "no release that kfnb knows was tested with this Kubernetes"
    )
    verdict = f"the release of Kubeflow is not known; {sentence}"
    return StatusItem(Knowledge.KNOWN, Version(version.value, verdict=verdict))
