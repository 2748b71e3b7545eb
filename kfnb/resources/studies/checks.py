"""Checks before a study starts: the space's names and types, and whether the objective exists."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from kfnb.entities import kfp_name
from kfnb.errors import UsageError
from kfnb.pipeline.spec import check_arguments, parameter_type
from kfnb.resources.studies.model import Dimension, Objective
from kfnb.resources.studies.search import Search, TrialSubject
from kfnb.resources.studies.space import start_of, type_of

_SEEDS = 2**32
"""How many seeds NumPy has."""
_WHEN_OUTPUT = "an output exists only if a later step or --output names it"


def check(search: Search) -> None:
    """Raise ``UsageError`` with all that is wrong with a search, whatever engine is to do it."""
    subject = search.subject
    problems = [*_numbers(search), *misfits(subject.name, subject.spec, search.space, subject.arguments)]
    if not search.subject.step:
        problems += _objective(search.subject, search.objective)
    if problems:
        raise UsageError(f"{search.name} cannot be searched for: " + "; ".join(problems))
    first = {one.name: start_of(one) for one in search.space}
    check_arguments(search.subject.spec, {**search.subject.arguments, **first})


def _numbers(search: Search) -> Iterator[str]:
    for name, value, least in (
        ("trials", search.max_trials, 1),
        ("parallel", search.parallel, 1),
        ("max_failed", search.max_failed, 0),
    ):
        if value is not None and not (type(value) is int and value >= least):
            yield f"{name}={value!r}: give a whole number from {least} on"
    timeout, seed, goal = search.timeout, search.seed, search.objective.goal
    if timeout is not None and not (_is_finite(timeout) and timeout > 0):
        yield f"timeout={timeout!r}: give seconds, more than 0"
    if seed is not None and not (type(seed) is int and 0 <= seed < _SEEDS):
        yield f"seed={seed!r}: give a number from 0 to {_SEEDS - 1}"
    if goal is not None and not _is_finite(goal):
        yield f"goal={goal!r}: give a finite number"


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def misfits(
    subject: str, spec: Mapping[str, Any], space: Sequence[Dimension], arguments: Mapping[str, Any]
) -> Iterator[str]:
    """What of a space does not fit the parameters of ``spec``, a line each."""
    params: Mapping[str, Any] = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    for dimension in space:
        name = dimension.name
        if name not in params:
            close = get_close_matches(name, params, 1)
            there = f"it takes {', '.join(params) or 'none'}"
            yield f"{subject} has no parameter {name}; {f'did you mean {close[0]}?' if close else there}"
        elif name in arguments:
            yield f"{name} is in the space, and given as an argument too"
        elif not _fits(type_of(dimension), parameter_type(params[name])):
            yield f"{name} is {parameter_type(params[name])} in {subject}, and {type_of(dimension)} in the space"


def _fits(kind: str, expected: str) -> bool:
    return kind == expected or (kind, expected) == ("int", "float")


def _objective(subject: TrialSubject, objective: Objective) -> Iterator[str]:
    for metric in (objective.metric, *objective.further):
        task, dot, name = metric.rpartition(".")
        tasks = subject.spec["root"]["dag"]["tasks"]
        if not dot:
            yield from _own_output(subject, metric)
        elif kfp_name(task) not in tasks:
            close = get_close_matches(kfp_name(task), tasks, 1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(tasks)}"
            yield f"{subject.name} has no task {task}; {hint}"
        else:
            yield from _output_of(subject, task, name)


def _own_output(subject: TrialSubject, name: str) -> Iterator[str]:
    """A name without a task's: one of the pipeline's outputs, or a metric that some task logs."""
    outputs = subject.spec["root"].get("outputDefinitions", {}).get("parameters", {})
    if name in outputs:
        yield from _numeric(name, outputs[name])
    elif not any(_logs(component) for component in subject.spec["components"].values()):
        every = [
            f"{task}.{output}"
            for task, task_spec in subject.spec["root"]["dag"]["tasks"].items()
            for output in _outputs(subject, task_spec)
        ]
        close = [one for one in every if one.endswith(f".{name}")] or get_close_matches(name, every, 1)
        hint = (
            f"did you mean {close[0]}?"
            if close
            else f"there are {', '.join(every) or 'none'} ({_WHEN_OUTPUT})"
        )
        yield f"{subject.name} has no output {name}; {hint}"


def _output_of(subject: TrialSubject, task: str, name: str) -> Iterator[str]:
    task_spec = subject.spec["root"]["dag"]["tasks"][kfp_name(task)]
    component = subject.spec["components"][task_spec["componentRef"]["name"]]
    outputs = _outputs(subject, task_spec)
    if name in outputs:
        yield from _numeric(f"{task}.{name}", outputs[name])
    elif not _logs(component):
        close = get_close_matches(name, outputs, 1)
        hint = (
            f"did you mean {close[0]}?"
            if close
            else f"it has {', '.join(outputs) or 'none'} ({_WHEN_OUTPUT})"
        )
        yield f"task {task} has no output {name}; {hint}"


def _outputs(subject: TrialSubject, task: Mapping[str, Any]) -> Mapping[str, Any]:
    component = subject.spec["components"][task["componentRef"]["name"]]
    found: Mapping[str, Any] = component.get("outputDefinitions", {}).get("parameters", {})
    return found


def _numeric(name: str, definition: Mapping[str, Any]) -> Iterator[str]:
    kind = parameter_type(definition)
    if kind not in ("int", "float"):
        yield f"{name} is {kind}: an objective is a number"


def _logs(component: Mapping[str, Any]) -> bool:
    """Whether a component has metrics of which the spec does not tell the names; a group may."""
    artifacts = component.get("outputDefinitions", {}).get("artifacts", {})
    return "dag" in component or any(
        one.get("artifactType", {}).get("schemaTitle") == "system.Metrics" for one in artifacts.values()
    )
