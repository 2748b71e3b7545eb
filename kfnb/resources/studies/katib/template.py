"""The template of a trial: steps as a Kubernetes Job, which Katib makes with each trial's parameters.

Katib puts values into the template's JSON as they are, and its webhook joins a container's command and arguments to
one line of ``sh -c``. So the parameters are in the environment, and the command is one line that needs no quoting.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kfnb.remote.kubernetes import pod_settings
from kfnb.resources.studies.katib import program
from kfnb.resources.studies.katib.steps import Input, Steps, TrialStep
from kfnb.resources.studies.model import Dimension

CONTAINER = "trial"
"""The name of the container that is the trial."""
STEPS, SOURCE = "KFNB_STEPS", "KFNB_SOURCE_{}"
"""The variables that hold the steps, and the source of each by its place."""

_RUN = 'python3 -u -c "$KFNB_TRIAL"'
_NO_MESH = {"sidecar.istio.io/inject": "false"}
"""A Job whose pod gets a proxy beside it never ends."""
_RETENTION = 86_400
"""Seconds for which a trial's Job, and the log of its pod, stay."""
_LONGEST = 120_000
"""Bytes of one variable in the environment: Linux takes 128 KiB."""
_LARGEST = 800_000
"""Bytes of all code of a trial: etcd keeps objects of 1.5 MiB."""
_UNSAFE = re.compile(r"""["\\$\x00-\x1f]""")
_PLACEHOLDER = re.compile(r"\$\{trial(?:Parameters|Spec)\.[^}]*\}")
_TYPES = {"NUMBER_INTEGER": "int", "NUMBER_DOUBLE": "float", "STRING": "str", "BOOLEAN": "bool"}
_SUCCEEDED = 'status.conditions.#(type=="Complete")#|#(status=="True")#'
_FAILED = 'status.conditions.#(type=="Failed")#|#(status=="True")#'


@dataclass(frozen=True)
class Metric:
    """A metric by Katib's ``name`` for it: what the step ``task`` calls ``own``; of any step where that is empty."""

    name: str
    task: str
    own: str


def template(steps: Steps, space: Sequence[Dimension], metrics: Sequence[Metric]) -> dict[str, Any]:
    """The trial template; ``metrics`` are those that are printed, the objective first."""
    settings = _settings(steps)
    return {
        "retain": True,  # the Job stays for its log, until its own time is over
        "primaryContainerName": CONTAINER,
        "trialParameters": [{"name": one.name, "reference": one.name} for one in space],
        "successCondition": _SUCCEEDED,
        "failureCondition": _FAILED,
        "trialSpec": {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "spec": {
                "backoffLimit": max(step.retries for step in steps),
                "ttlSecondsAfterFinished": _RETENTION,
                "template": {
                    "metadata": pod_settings.metadata(settings, _NO_MESH),
                    "spec": {
                        "restartPolicy": "Never",
                        **pod_settings.pod(settings),
                        "containers": [_container(steps, space, metrics, settings)],
                    },
                },
            },
        },
    }


def faults(steps: Steps, space: Sequence[Dimension]) -> Iterator[str]:
    """What prevents steps from being a trial's container with the parameters of a space."""
    taken = steps.parameters
    tuned = {one.name for one in space}
    for one in space:
        if one.name not in taken:
            yield f"it takes no parameter {one.name}; it takes {', '.join(sorted(taken)) or 'none'}"
        yield from _unfit(one, taken.get(one.name, ()))
    for step in steps:
        for name, given in step.inputs.items():
            if given.value is None and not (given.optional or given.task or given.parameter in tuned):
                yield f"{step.name} needs a value for {name}"
        if len(_literal(step.source).encode()) > _LONGEST:
            yield f"the code of {step.name} is longer than {_LONGEST // 1000} KB, which no container takes"
        if found := _PLACEHOLDER.search(f"{step.source}{[one.value for one in step.inputs.values()]}"):
            yield f"the code of {step.name} has {found[0]} in it, which Katib would replace"
        yield from (f"{step.name}: {fault}" for fault in pod_settings.faults(step.settings))
    if sum(len(_literal(step.source).encode()) for step in steps) > _LARGEST:
        yield f"the code of its steps is longer than {_LARGEST // 1000} KB, which Kubernetes keeps for no trial"
    yield from _unequal(steps)


def _unfit(dimension: Dimension, inputs: Sequence[tuple[TrialStep, Input]]) -> Iterator[str]:
    for step, given in inputs:
        if given.type not in _fitting(dimension):
            kind = _TYPES.get(given.type, given.type)
            yield f"{dimension.name} is {kind} in {step.name}, and something else in the space"
    if dimension.choices and {*dimension.choices} <= {"true", "false"}:
        yield f"{dimension.name}: texts that are all true or false are truth values in Katib: choice(True,False)"
    for value in dimension.choices:
        if isinstance(value, str) and _UNSAFE.search(value):
            yield f"{dimension.name}: Katib cannot hand on the choice {value!r} with quotes, $, \\ or line ends"


def _unequal(steps: Steps) -> Iterator[str]:
    """What differs between steps that are to share one container."""
    images = sorted({str(step.container["image"]) for step in steps})
    if len(images) > 1:
        yield f"its steps have different images ({', '.join(images)}), and a trial is one container"
    configured = [step for step in steps if step.settings]
    if any(step.settings != configured[0].settings for step in configured):
        names = ", ".join(step.name for step in configured)
        yield f"{names} ask different things of Kubernetes, and a trial is one pod: let them ask the same"
    known: dict[str, str] = {}
    for step in steps:
        for name, value in _variables(step).items():
            if known.setdefault(name, value) != value:
                yield f"the variable {name} differs between its steps, and a trial is one container"


def _fitting(dimension: Dimension) -> tuple[str, ...]:
    """The types of an input, as KFP names them, that take what a dimension has."""
    kinds = {type(value) for value in dimension.choices}
    if dimension.kind == "int" or kinds == {int}:
        return ("NUMBER_INTEGER", "NUMBER_DOUBLE")
    if dimension.kind == "float" or kinds <= {int, float}:
        return ("NUMBER_DOUBLE",)
    return ("BOOLEAN",) if kinds == {bool} else ("STRING",)


def _container(
    steps: Steps, space: Sequence[Dimension], metrics: Sequence[Metric], settings: Mapping[str, Any]
) -> dict[str, Any]:
    described = [_described(step, metrics) for step in steps]
    fixed = {
        **{name: value for step in steps for name, value in _variables(step).items()},
        "KFNB_OBJECTIVE": metrics[0].name,
        "KFNB_METRICS": json.dumps([one.name for one in metrics]),
        STEPS: json.dumps(described, indent=1),
        **{SOURCE.format(number): step.source for number, step in enumerate(steps)},
        "KFNB_TRIAL": inspect.getsource(program),
    }
    container = {
        "name": CONTAINER,
        "image": next(iter(steps)).container["image"],
        "command": ["sh", "-c"],
        "args": [_RUN],
        "env": [
            *({"name": f"TRIAL_{one.name}", "value": f"${{trialParameters.{one.name}}}"} for one in space),
            *pod_settings.variables(settings),
            *({"name": name, "value": _literal(value)} for name, value in fixed.items()),
        ],
        **pod_settings.container(settings),
    }
    resources = pod_settings.resources([step.container.get("resources") or {} for step in steps])
    return {**container, "resources": resources} if resources else container


def _described(step: TrialStep, metrics: Sequence[Metric]) -> dict[str, Any]:
    """A step as the program reads it."""
    *words, _ = step.container["command"]
    return {
        "name": step.name,
        "command": [*words, None, *step.container["args"]],
        "inputs": {
            name: {
                "type": one.type,
                "value": one.value,
                "parameter": one.parameter,
                "task": one.task,
                "output": one.output,
            }
            for name, one in step.inputs.items()
        },
        "takes": {name: [*source] for name, source in step.takes.items()},
        "outputs": [*step.outputs],
        "artifacts": {**step.artifacts},
        "metrics": {one.name: one.own for one in metrics if one.task in ("", step.name)},
    }


def _variables(step: TrialStep) -> dict[str, str]:
    return {one["name"]: one["value"] for one in step.container.get("env") or ()}


def _settings(steps: Steps) -> Mapping[str, Any]:
    """What the steps ask of Kubernetes; those that ask for anything ask the same."""
    return next((step.settings for step in steps if step.settings), {})


def _literal(value: str) -> str:
    """A text that Kubernetes, which replaces ``$(NAME)`` and halves ``$$``, leaves unchanged."""
    return value.replace("$", "$$")
