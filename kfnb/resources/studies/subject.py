"""What one trial runs: a cell, a component with the steps before it, or a whole pipeline."""

from __future__ import annotations

import ast
import copy
import heapq
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from kfnb.capture.capture import checked
from kfnb.capture.cell import Cell
from kfnb.capture.component import Component, Options
from kfnb.capture.dependencies import Dependencies
from kfnb.capture.files import Files
from kfnb.capture.named_files import files_named
from kfnb.capture.notebook import DeclaredParameter, ExecutedNotebook
from kfnb.capture.tracer import dependencies_of
from kfnb.capture.values import ValueKind
from kfnb.entities import kfp_name
from kfnb.errors import UsageError
from kfnb.pipeline import pipeline as pipelines
from kfnb.pipeline.pipeline import Pipeline
from kfnb.pipeline.spec import Compiled, check_arguments
from kfnb.resources.studies.checks import misfits
from kfnb.resources.studies.model import Dimension, Objective
from kfnb.resources.studies.search import TrialSubject
from kfnb.resources.studies.space import start_of, type_of
from kfnb.settings import settings

_LOGS = {"log_metrics", "report"}
"""What of ``kf`` gives a trial metrics that it does not assign."""
_LONGEST = 63
"""Characters of a study's name, here and on a cluster."""


def of_cell(
    notebook: ExecutedNotebook,
    cell: Cell,
    options: Options,
    space: Sequence[Dimension],
    objective: Objective,
    arguments: Mapping[str, Any],
) -> TrialSubject:
    """A cell as the trial; it has not run here, and does not. Raises ``CaptureError`` and ``UsageError``.

    The names of the space are its parameters, those of the objective and of the further metrics its outputs.
    """
    _check_name(notebook, cell.name)
    names = {one.name for one in space}
    params = [one for one in options.params if one.name not in names]
    params += [DeclaredParameter(one.name, type_of(one), start_of(one), f"cell {cell}") for one in space]
    component, _, _ = checked(notebook, cell, replace(options, params=tuple(params)))
    component = _forgetful(component, {objective.metric, *objective.further})
    dependencies = dependencies_of(notebook, component)
    component = replace(component, files=_files(notebook, component, dependencies))
    if component.function is not None:
        raise UsageError(
            f"cell {cell}: a trial is plain code, not a function: assign {objective.metric} in it"
        )
    _check_reads(component, dependencies, space)
    measured = {name: ValueKind("float") for name in _assigned(component, dependencies, objective)}
    component = replace(
        component,
        options=replace(component.options, outputs=tuple(measured)),
        outputs={**component.outputs, **measured},
    )
    return _with_before(notebook, component, space, arguments)


def of_component(
    notebook: ExecutedNotebook,
    component: Component,
    space: Sequence[Dimension],
    objective: Objective,
    arguments: Mapping[str, Any],
) -> TrialSubject:
    """A component of the notebook as the trial. Raises ``UsageError``."""
    if component.options.training is not None:
        pipeline = f"%kf_pipeline {component.name}_pipeline {component.name}"
        raise UsageError(
            f"{component.name} is a training, and a trial of it is a run:",
            hint=f"tune a pipeline of it, {pipeline}",
            ref=component.name,
        )
    dependencies = dependencies_of(notebook, component)
    numbers = {name for name, kind in component.outputs.items() if kind.type in ("int", "float")}
    logs = bool(_LOGS & dependencies.kf)
    for name in (objective.metric, *objective.further):
        if name not in numbers and not logs:
            raise UsageError(_no_metric(name, f"component {component.name}", sorted(numbers)))
    outputs = [name for name in (objective.metric, *objective.further) if name in numbers]
    if component.function is None:
        component = replace(component, options=replace(component.options, outputs=tuple(outputs)))
    return _with_before(notebook, component, space, arguments)


def of_pipeline(
    compiled: Compiled, space: Sequence[Dimension], arguments: Mapping[str, Any], folder: str
) -> TrialSubject:
    """A whole pipeline as the trial. Raises ``ArgumentError``."""
    given = _typed(compiled.name, compiled, space, arguments)
    return TrialSubject(compiled.name, compiled.spec, compiled.platform, given, "", folder)


def _typed(
    name: str, compiled: Compiled, space: Sequence[Dimension], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments, typed by the pipeline's parameters, of which the space gives others."""
    if problems := list(misfits(name, compiled.spec, space, arguments)):
        raise UsageError("; ".join(problems))
    first = {one.name: start_of(one) for one in space}
    typed = check_arguments(compiled.spec, {**first, **arguments})
    return {name: typed[name] for name in arguments}


def _check_name(notebook: ExecutedNotebook, name: str) -> None:
    if len(name) > _LONGEST:
        raise UsageError(f"{name} has {len(name)} characters; a study's name has at most {_LONGEST}")
    if name in notebook.components:
        raise UsageError(
            f"{name} is a component already: give the study another name, or tune the component itself"
            f" (%kf_tune {name})"
        )


def _check_reads(component: Component, dependencies: Dependencies, space: Sequence[Dimension]) -> None:
    read = {*dependencies.params}
    for dimension in space:
        if dimension.name not in read:
            own = dimension.name in component.names.writes
            close = get_close_matches(dimension.name, component.names.needs, 1)
            hint = (
                "assigns it itself"
                if own
                else "does not read it" + (f"; did you mean {close[0]}?" if close else "")
            )
            raise UsageError(f"{dimension.name} is in the space, and cell {component.cell} {hint}")


def _files(notebook: ExecutedNotebook, component: Component, dependencies: Dependencies) -> Files:
    """The files of a cell that does not run here, as far as its text names them, with what travels along."""
    nodes = [
        component.cell.tree,
        *(source.node for source in dependencies.sources if source.node is not None),
    ]
    constants = [ast.parse(text) for text in dependencies.constants.values()]
    return notebook.files_of_setups(component.cell.order).before(
        files_named(notebook.folder, [*nodes, *constants])
    )


def _forgetful(component: Component, measured: set[str]) -> Component:
    """The cell without what the measured names were before it: a trial that does not assign one has not measured it."""
    names = component.names
    conditional = {name: line for name, line in names.conditional.items() if name not in measured}
    gone = names.conditional.keys() - conditional.keys()
    inputs = {name: one for name, one in component.inputs.items() if name not in gone}
    return replace(component, names=replace(names, conditional=conditional), inputs=inputs)


def _assigned(component: Component, dependencies: Dependencies, objective: Objective) -> list[str]:
    """The measured names that the cell assigns; the others it may log."""
    names = component.names
    made = {*names.writes, *names.changes}
    for name in (objective.metric, *objective.further):
        if name not in made and not _LOGS & dependencies.kf:
            raise UsageError(_no_metric(name, f"cell {component.cell}", sorted(made)))
    return [name for name in (objective.metric, *objective.further) if name in made]


def _no_metric(name: str, where: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, 1)
    there = f"it makes {', '.join(known)}" if known else "it makes no number"
    hint = f"did you mean {close[0]}?" if close else there
    return f"{where} neither assigns {name} nor logs metrics; {hint}"


# -- the steps before ------------------------------------------------------------------------------------------


def _with_before(
    notebook: ExecutedNotebook, trial: Component, space: Sequence[Dimension], arguments: Mapping[str, Any]
) -> TrialSubject:
    """A pipeline of the trial, after the components that make what it reads."""
    known = copy.copy(notebook)
    known.components = {**notebook.components, trial.name: trial}
    before = _before(notebook, trial)
    for name in before:
        _check_not_tuned(notebook, name, space)
    body = "".join(f"{name}()\n" for name in [*before, trial.name])
    pipeline = Pipeline(trial.name, Cell(body, 0, sys.maxsize, trial.name, "trial"), known)
    pipeline = replace(pipeline, name=f"{trial.name}_trial")
    chosen = settings()
    built = pipelines.build(pipeline, image=chosen.base_image, index_urls=chosen.index_urls, seed=chosen.seed)
    compiled = pipelines.compiled(built)
    return TrialSubject(
        trial.name,
        compiled.spec,
        compiled.platform,
        _typed(trial.name, compiled, space, arguments),
        kfp_name(trial.name),
        str(notebook.folder.resolve()),
    )


def _check_not_tuned(notebook: ExecutedNotebook, name: str, space: Sequence[Dimension]) -> None:
    """Check that no step before the trial takes a parameter of the space: these steps run once."""
    taken = dependencies_of(notebook, notebook.components[name]).params
    for dimension in space:
        if dimension.name in taken:
            raise UsageError(
                f"{dimension.name} is a parameter of {name}, which runs once for all trials: rename one of them, or"
                " make a pipeline of both, and tune that (%kf_tune PIPELINE)"
            )


def _writers(notebook: ExecutedNotebook, component: Component) -> set[str]:
    """The components that left, before a component, the files that it reads: of each the last one."""
    earlier = [one for one in notebook.components.values() if one.cell.order < component.cell.order]
    last = {
        name: one.name
        for one in sorted(earlier, key=lambda one: one.cell.order)
        for name in one.files.writes & component.files.reads
    }
    return set(last.values())


def _before(notebook: ExecutedNotebook, trial: Component) -> list[str]:
    """The components that the trial needs, and those that these need, each after what it needs itself."""
    needs: dict[str, set[str]] = {}
    waiting = [trial]
    while waiting:
        component = waiting.pop()
        makers = {one.producer for one in component.inputs.values()} & set(notebook.components)
        makers |= _writers(notebook, component)
        needs[component.name] = makers - {component.name}
        waiting += [notebook.components[name] for name in makers if name not in needs]
    del needs[trial.name]
    ordered: list[str] = []
    free = [(notebook.components[name].cell.order, name) for name, makers in needs.items() if not makers]
    heapq.heapify(free)
    while free:  # of those that may be next, the one that ran first
        _, name = heapq.heappop(free)
        ordered.append(name)
        for other, makers in needs.items():
            if name in makers:
                makers.discard(name)
                if not makers:
                    heapq.heappush(free, (notebook.components[other].cell.order, other))
    return ordered
