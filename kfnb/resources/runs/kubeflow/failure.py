"""Why a task failed: from the end of its log, else from how its container, or another container of its pod, ended."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kfnb.entities import TaskError
from kfnb.remote.kubernetes.pods import Diagnosis, PodReason, PodState, brief, ended, signaled
from kfnb.resources.runs import install_errors
from kfnb.resources.runs.failure import from_description
from kfnb.resources.runs.kubeflow.launcher_errors import by_driver, by_executor, by_launcher, unwritten
from kfnb.resources.runs.kubeflow.log_lines import own_lines
from kfnb.resources.runs.kubeflow.pods import MAIN, TaskPod
from kfnb.resources.runs.kubeflow.tracebacks import exceptions
from kfnb.resources.runs.missing_files import with_advice
from kfnb.text.ranks import failed_rank, failed_training

_EXECUTOR = "kfp/dsl/executor_main.py"
_LAUNCHED = re.compile(
    r"Component failed to execute successfully: (?:exit status (?P<code>\d+)|signal: (?P<signal>.+))"
)
SILENT = "it failed without a message in its log"
UNPREPARED = "the run could not be prepared"
_SHOWN = 20
"""The last lines of a log that are shown without a traceback."""
_DELETED = "pod deleted"
_MAIN = re.compile(r"main: (?P<text>.+?(?: \(exit code (?P<code>\d+)\))?)")


def why_failed(lines: Iterable[str], program: str = "", pod: TaskPod | None = None) -> TaskError:
    """The error of a failed task, from the ``lines`` of its log.

    ``program`` is its source if it is a Python component; ``pod`` its pod, if Kubernetes can be reached: its
    own, or the driver's. The log is that of the failed container, ``pod.failed``.
    """
    everything = list(lines)
    own = list(own_lines(everything))
    if pod is not None and pod.role == "driver":
        return TaskError(f"it could not be prepared: {_of_driver(everything, pod)}")
    if pod is not None and _beside(pod):
        return TaskError(_of_other(everything, pod.diagnosis))
    if pod is not None and pod.diagnosis.reason is PodReason.OUT_OF_MEMORY:
        return TaskError(pod.diagnosis.message, _last(own))
    raised = _raised(own, program)
    if raised is not None:
        return raised
    uninstalled = install_errors.pip_error(own)
    if uninstalled:
        return TaskError(install_errors.sentence(uninstalled, own, install_errors.ANOTHER_IMAGE), _last(own))
    return TaskError(_ended(everything, own, pod), _last(own))


def _raised(own: Sequence[str], program: str) -> TaskError | None:
    """The error of the exception that ended a step, or of the rank that ended a training; None where none did."""
    if training := failed_training(own):
        return TaskError(training, _last(own))
    rank = failed_rank(own)
    exception = _exception(own if rank is None else rank.lines, python=bool(program))
    if exception is None:
        return None if rank is None else TaskError(f"rank {rank.number} {rank.why}", _last(rank.lines))
    exception = exception if rank is None else {**exception, "rank": rank.number}
    return with_advice(from_description(exception, program), exception)


def why_unprepared(lines: Iterable[str], pod: TaskPod) -> str:
    """The error of a run whose own driver failed, before any of its tasks."""
    return f"{UNPREPARED}: {_of_driver(list(lines), pod)}"


def why_lost(message: str) -> TaskError | None:
    """The error of a task without a pod and a log, from Argo's message on its node; None without a message."""
    found = _MAIN.fullmatch(message)
    if found is not None and signaled(int(found["code"] or 0)):
        return TaskError(ended(int(found["code"])))
    if message == _DELETED:
        return TaskError("its pod was deleted while it ran: by a user, or with its node")
    if not message:
        return None
    return TaskError(
        brief(f"its pod was deleted; message of Argo Workflows: {found['text'] if found else message}")
    )


def _beside(pod: TaskPod) -> bool:
    """Whether a container other than the step's is the cause of a pod's failure."""
    return pod.diagnosis.state is PodState.FAILED and pod.failed != MAIN


def _of_driver(lines: Sequence[str], pod: TaskPod) -> str:
    if _beside(pod):
        return _of_other(lines, pod.diagnosis)
    code = pod.diagnosis.exit_code
    return (
        by_driver(lines)
        or _of_pod(pod)
        or ("its driver failed" if code is None else ended(code, "its driver"))
    )


def _of_other(lines: Sequence[str], found: Diagnosis) -> str:
    """Why a container other than the step's failed: its log may have more details than the pod."""
    message = "" if found.left or found.reason is PodReason.OUT_OF_MEMORY else by_executor(lines)
    return f"the container {found.container} of its pod failed: {message}" if message else found.message


def _exception(lines: Sequence[str], *, python: bool) -> Mapping[str, Any] | None:
    """The exception that ended the step; in a Python component it passed through KFP's executor."""
    found = None
    for exception in exceptions(lines):
        if not python or any(_EXECUTOR in file.replace("\\", "/") for file, *_ in exception["frames"]):
            found = exception
    return found


def _ended(lines: Sequence[str], own: Sequence[str], pod: TaskPod | None) -> str:
    launched = next((found for line in reversed(lines) if (found := _LAUNCHED.search(line))), None)
    if launched is not None and launched["signal"]:
        return f"its process was ended by a signal ({launched['signal']})"
    if pod is not None and (whole := _of_pod(pod)):
        return whole
    if launched is None and (message := by_launcher(lines)):
        output = unwritten(lines)
        return f"its output {output} was not written" if output else f"KFP's launcher failed: {message}"
    code = (
        int(launched["code"])
        if launched is not None
        else pod.diagnosis.exit_code
        if pod is not None
        else None
    )
    if code is None:
        return SILENT
    if signaled(code):
        return ended(code)
    last = next((line for line in reversed(own) if line.strip()), "")
    message = f"; the last line of its log: {brief(last)}" if last else ""
    return f"{ended(code)} before the step was done{message}"


_OF_PROCESS = (PodReason.NONE, PodReason.EXIT_CODE, PodReason.SIGNAL)
"""The reasons for which the log has more details."""


def _of_pod(pod: TaskPod) -> str:
    """How the whole pod ended: evicted, deadline exceeded."""
    found = pod.diagnosis
    return found.message if found.state is PodState.FAILED and found.reason not in _OF_PROCESS else ""


def _last(lines: Sequence[str]) -> str:
    return "\n".join(lines[-_SHOWN:])
