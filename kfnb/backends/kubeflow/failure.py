"""Why a task failed: its last words in its log, else how its container ended."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kfnb.backends.failure import from_description
from kfnb.backends.kubeflow.lines import own_lines
from kfnb.backends.kubeflow.pods import Pod
from kfnb.backends.kubeflow.printed import exceptions
from kfnb.model import TaskError

_EXECUTOR = "kfp/dsl/executor_main.py"
_LAUNCHER = re.compile(
    r"Component failed to execute successfully: (?:exit status (?P<code>\d+)|signal: (?P<signal>.+))"
)
_FATAL = re.compile(r"F\d{4} \S+ +\d+ \S+\] (?P<said>.+)")
SILENT = "it failed, and its log does not say why"
_SHOWN = 20
"""The last lines of a log that are shown where there is no traceback."""
_SIGNALED = 128
"""A shell's exit code for a process that a signal ended is this and the signal's number."""


def why_failed(lines: Iterable[str], program: str = "", pod: Pod | None = None) -> TaskError:
    """The error of a failed task, from the ``lines`` of its log.

    ``program`` is its source if it is a Python component; ``pod`` its pod, where Kubernetes may be asked: its own, or
    the driver that was to prepare it.
    """
    everything = list(lines)
    if pod is not None and pod.role == "driver":
        return TaskError(f"it could not be prepared: {_fatal(everything) or _ended((), pod)}")
    own = list(own_lines(everything))
    if pod is not None and pod.reason == "OOMKilled":
        limit = f" of {pod.memory}" if pod.memory else ""
        return TaskError(f"its container was killed: it used more memory than its limit{limit}", _last(own))
    told = _told(own, python=bool(program))
    if told is not None:
        return from_description(told, program)
    return TaskError(_ended(everything, pod), _last(own))


def _told(lines: Sequence[str], *, python: bool) -> Mapping[str, Any] | None:
    """The exception that ended the step: of a Python component it went through KFP's executor."""
    found = None
    for told in exceptions(lines):
        if not python or any(_EXECUTOR in file.replace("\\", "/") for file, *_ in told["frames"]):
            found = told
    return found


def _ended(lines: Sequence[str], pod: Pod | None) -> str:
    launcher = next((found for line in reversed(lines) if (found := _LAUNCHER.search(line))), None)
    if launcher is not None and launcher["signal"]:
        return f"its process was ended by a signal ({launcher['signal']})"
    if (
        pod is not None and pod.message and pod.reason not in ("Error", "")
    ):  # the pod as a whole: evicted, too slow
        return " ".join(f"{pod.reason}: {pod.message}".split())
    code = int(launcher["code"]) if launcher is not None else pod.exit_code if pod is not None else None
    if code is None:
        return SILENT
    if code > _SIGNALED and code - _SIGNALED in {int(number) for number in signal.Signals}:
        return f"its process was ended by {signal.Signals(code - _SIGNALED).name} (exit code {code})"
    return f"its process ended with exit code {code} before the step was done"


def _fatal(lines: Sequence[str]) -> str:
    """What a program of KFP's said as it gave up."""
    return next((found["said"] for line in reversed(lines) if (found := _FATAL.match(line))), "")


def _last(lines: Sequence[str]) -> str:
    return "\n".join(lines[-_SHOWN:])
