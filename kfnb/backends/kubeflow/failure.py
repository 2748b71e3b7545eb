"""Why a task failed: its last words in its log, else how its container ended, or another one of its pod."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kfnb.backends.kubeflow.gave_up import by_driver, by_executor, by_launcher, cut, unwritten
from kfnb.backends.kubeflow.lines import own_lines
from kfnb.backends.kubeflow.pods import Ended, Pod
from kfnb.backends.kubeflow.printed import exceptions
from kfnb.model import TaskError
from kfnb.resources.runs import install_errors
from kfnb.resources.runs.failure import from_description
from kfnb.resources.runs.missing_files import with_advice

_EXECUTOR = "kfp/dsl/executor_main.py"
_LAUNCHED = re.compile(
    r"Component failed to execute successfully: (?:exit status (?P<code>\d+)|signal: (?P<signal>.+))"
)
SILENT = "it failed, and its log does not say why"
UNPREPARED = "the run could not be prepared"
_SHOWN = 20
"""The last lines of a log that are shown where there is no traceback."""
_SIGNALED = 128
"""A shell's exit code for a process that a signal ended is this and the signal's number."""
_DELETED = "pod deleted"
_BY_KUBERNETES = ", as when its pod is deleted or its node is drained"
_MAIN = re.compile(r"main: (?P<said>.+?(?: \(exit code (?P<code>\d+)\))?)")


def why_failed(lines: Iterable[str], program: str = "", pod: Pod | None = None) -> TaskError:
    """The error of a failed task, from the ``lines`` of its log.

    ``program`` is its source if it is a Python component; ``pod`` its pod, where Kubernetes may be asked: its own, or
    the driver that was to prepare it. The log is that of the container that failed, which ``pod.failed`` tells.
    """
    everything = list(lines)
    own = list(own_lines(everything))
    if pod is not None and pod.role == "driver":
        return TaskError(f"it could not be prepared: {_of_driver(everything, pod)}")
    if pod is not None and pod.beside is not None:
        return TaskError(_of_other(everything, pod.beside))
    if pod is not None and pod.reason == "OOMKilled":
        limit = f" of {pod.memory}" if pod.memory else ""
        return TaskError(f"its container was killed: it used more memory than its limit{limit}", _last(own))
    told = _told(own, python=bool(program))
    if told is not None:
        return with_advice(from_description(told, program), told)
    uninstalled = install_errors.said_by_pip(own)
    if uninstalled:
        return TaskError(install_errors.sentence(uninstalled, own, install_errors.ANOTHER_IMAGE), _last(own))
    return TaskError(_ended(everything, own, pod), _last(own))


def why_unprepared(lines: Iterable[str], pod: Pod) -> str:
    """The error of a run whose own driver failed, before any of its tasks."""
    return f"{UNPREPARED}: {_of_driver(list(lines), pod)}"


def why_lost(message: str) -> TaskError | None:
    """The error of a task that has neither a pod nor a log, from what Argo says of its node; None for nothing."""
    found = _MAIN.fullmatch(message)
    if found is not None and _signaled(int(found["code"] or 0)):
        return TaskError(_of_code(int(found["code"]), "its process"))
    if message == _DELETED:
        return TaskError("its pod was deleted while it ran: by a person, or with the node that it ran on")
    if not message:
        return None
    return TaskError(cut(f"its pod is gone; Argo Workflows says: {found['said'] if found else message}"))


def _of_driver(lines: Sequence[str], pod: Pod) -> str:
    if pod.beside is not None:
        return _of_other(lines, pod.beside)
    ended = "its driver failed" if pod.exit_code is None else _of_code(pod.exit_code, "its driver")
    return by_driver(lines) or _of_pod(pod) or ended


def _of_other(lines: Sequence[str], ended: Ended) -> str:
    """Why a container beside the step's own failed: one that comes before it, or Argo's own."""
    said = cut(ended.message) or by_executor(lines) or f"it ended with exit code {ended.exit_code}"
    killed = ended.reason == "OOMKilled"
    return (
        f"the container {ended.container} of its pod {'ran out of memory' if killed else f'failed: {said}'}"
    )


def _told(lines: Sequence[str], *, python: bool) -> Mapping[str, Any] | None:
    """The exception that ended the step: of a Python component it went through KFP's executor."""
    found = None
    for told in exceptions(lines):
        if not python or any(_EXECUTOR in file.replace("\\", "/") for file, *_ in told["frames"]):
            found = told
    return found


def _ended(lines: Sequence[str], own: Sequence[str], pod: Pod | None) -> str:
    launched = next((found for line in reversed(lines) if (found := _LAUNCHED.search(line))), None)
    if launched is not None and launched["signal"]:
        return f"its process was ended by a signal ({launched['signal']})"
    if pod is not None and (whole := _of_pod(pod)):
        return whole
    if launched is None and (said := by_launcher(lines)):
        output = unwritten(lines)
        return f"its output {output} was not written" if output else f"KFP's launcher failed: {said}"
    code = int(launched["code"]) if launched is not None else pod.exit_code if pod is not None else None
    if code is None:
        return SILENT
    if _signaled(code):
        return _of_code(code, "its process")
    last = next((line for line in reversed(own) if line.strip()), "")
    said = f"; the last line of its log: {cut(last)}" if last else ""
    return f"{_of_code(code, 'its process')} before the step was done{said}"


def _of_pod(pod: Pod) -> str:
    """How the pod as a whole ended: evicted, too slow."""
    return cut(f"{pod.reason}: {pod.message}") if pod.message and pod.reason not in ("Error", "") else ""


def _of_code(code: int, what: str) -> str:
    if _signaled(code):
        ended = f"{what} was ended by {signal.Signals(code - _SIGNALED).name} (exit code {code})"
        return ended + _BY_KUBERNETES * (code - _SIGNALED == signal.SIGTERM)
    return f"{what} ended with exit code {code}"


def _signaled(code: int) -> bool:
    return code > _SIGNALED and code - _SIGNALED in {int(number) for number in signal.Signals}


def _last(lines: Sequence[str]) -> str:
    return "\n".join(lines[-_SHOWN:])
