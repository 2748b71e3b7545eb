"""What a trial wrote: from its pod, as long as that is there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from kfnb.entities import TaskError
from kfnb.errors import BackendError
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.pods import diagnose
from kfnb.resources.runs.kubeflow.failure import SILENT, why_failed
from kfnb.resources.runs.kubeflow.log_lines import own_lines
from kfnb.resources.studies.katib.template import SOURCE, STEPS

_COLLECTOR = "metrics-logger-and-collector"
"""The container beside the trial's own: that one's output goes into a file, which this one repeats."""
_SELECTORS = ("katib.kubeflow.org/trial={}", "job-name={}")
"""How a trial's pods are found: by Katib's label, and by a Job's own where Katib's webhook is off."""
_REPEATED = re.compile(r"I\d{4} [\d:.]+ +\d+ main\.go:\d+\] (?P<line>.*)")
_FRAMING = re.compile(
    r"Trial Name: |Metrics reported|Training container is early stopped|Trial status is success"
)
_OBJECTIVE = re.compile(r"[\w-]+ is .+: an objective is a (?:finite )?number|it ended without [\w-]+")
_STEP = re.compile(r"kfnb: step (\S+)")
_LAST = 1000
"""Lines of a failed trial's log that are read for why it failed."""


@dataclass(frozen=True)
class TrialContainer:
    """What a trial runs: its container's name, and the source of each of its steps, none where they are unknown."""

    container: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)

    def source(self, lines: Iterable[str]) -> str:
        """The source of the step that wrote the last of these lines."""
        begun = [found[1] for line in lines if (found := _STEP.fullmatch(line))]
        name = begun[-1] if begun else next(iter(self.sources), "")
        return self.sources.get(name, "")


class Logs:
    """The logs of trials in a namespace."""

    def __init__(self, kubernetes: Kubernetes, namespace: str) -> None:
        self._kubernetes = kubernetes
        self._pods = f"/api/v1/namespaces/{namespace}/pods"

    def lines(self, trial: str, container: str) -> Iterator[str]:
        """The lines that a trial (by Katib's name for it) wrote until now, in the ``container`` that it is.

        Raises ``BackendError`` where there are none.
        """
        pod = self._pod(trial)
        if pod is None:
            raise BackendError(
                f"the log of {trial} is not there: its pod has not begun yet, or is gone with its Job"
            )
        yield from own_lines(self._written(pod, container))

    def why(self, trial: str, program: TrialContainer) -> TaskError | None:
        """Why a trial failed, as far as its pod says."""
        pod = self._pod(trial)
        if pod is None:
            return None
        ended = diagnose(pod, program.container)
        lines = list(self._written(pod, program.container, last=_LAST))
        reported = next((line for line in reversed(lines) if _OBJECTIVE.fullmatch(line)), "")
        if reported:
            return TaskError(reported)
        error = why_failed(lines, program.source(lines))
        if error.message == SILENT and ended.stuck and ended.message:
            return TaskError(ended.message, error.traceback)
        return error if error.message != SILENT or error.traceback else None

    def _pod(self, trial: str) -> Mapping[str, Any] | None:
        """The newest pod of a trial."""
        for selector in _SELECTORS:
            found = sorted(
                self._kubernetes.list(self._pods, {"labelSelector": selector.format(trial)}),
                key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")),
            )
            if found:
                return found[-1]
        return None

    def _written(self, pod: Mapping[str, Any], container: str, *, last: int = 0) -> Iterator[str]:
        """A container's log; where all of its output went through the collector, what that repeated."""
        there = [one["name"] for one in (pod.get("spec") or {}).get("containers") or ()]
        path = f"{self._pods}/{pod['metadata']['name']}/log"
        empty = True
        if container in there or not there:
            for line in self._kubernetes.lines(path, {"container": container, "tailLines": last}):
                empty = False
                yield line
        if empty and _COLLECTOR in there:
            yield from _repeated(self._kubernetes.lines(path, {"container": _COLLECTOR, "tailLines": last}))


def program_of(experiment: Mapping[str, Any]) -> TrialContainer:
    """What the trials of an Experiment run; it has no source if kfnb did not create it."""
    template = (experiment.get("spec") or {}).get("trialTemplate") or {}
    container = str(template.get("primaryContainerName", ""))
    job = (template.get("trialSpec") or {}).get("spec") or {}
    containers = ((job.get("template") or {}).get("spec") or {}).get("containers") or ()
    mine: Mapping[str, Any] = next((one for one in containers if one.get("name") == container), {})
    variables = {one.get("name"): str(one.get("value", "")) for one in mine.get("env") or ()}
    names: list[str] = []
    with suppress(ValueError, KeyError, TypeError):
        names = [step["name"] for step in json.loads(variables.get(STEPS, "[]").replace("$$", "$"))]
    sources = {
        name: variables.get(SOURCE.format(number), "").replace("$$", "$") for number, name in enumerate(names)
    }
    return TrialContainer(container, sources)


def _repeated(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        found = _REPEATED.match(line)
        if found is not None and not _FRAMING.match(found["line"]):
            yield found["line"]
