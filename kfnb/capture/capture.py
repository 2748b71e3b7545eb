"""Capturing a component: what is looked at before its cell runs, and after.

``begin`` comes before the cell: it checks all that can be checked, gives the parameters their values and remembers
how the inputs look. ``finish`` comes when the cell has run without an error: it sees what was written and changed,
and adds the component to the notebook. In between the cell runs as any other.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kfnb.capture import functions
from kfnb.capture.cell import Cell
from kfnb.capture.component import (
    Component,
    Input,
    Options,
    check_name,
    check_sources,
)
from kfnb.capture.definitions import Sort
from kfnb.capture.names import Names, read_names
from kfnb.capture.notebook import Notebook, Parameter
from kfnb.capture.requirements import requirements
from kfnb.capture.travel import Travel, trace
from kfnb.capture.values import PARAMETER_TYPES, Kind, examine, kind_of
from kfnb.errors import CaptureError


@dataclass(frozen=True)
class Pending:
    """A component whose cell is about to run; ``digests`` are those of its inputs."""

    component: Component
    travel: Travel
    digests: Mapping[str, bytes | None]


def begin(notebook: Notebook, cell: Cell, options: Options) -> Pending:
    """Check a component before its cell runs, and give its parameters their values in the kernel.

    Raises ``CaptureError``; then nothing has changed.
    """
    check_name(cell.name, "component")
    check_sources(cell)
    component = Component(cell.name, cell, read_names(cell.tree, notebook.star_names), options)
    if component.function is not None:
        component = replace(component, options=functions.options(component.function, cell, options))
    options = _with_values(notebook, component)
    component = replace(component, options=options)
    _check_outputs(component)
    travel = trace(notebook, cell, component.names, options, before=cell.order)
    requirements(travel, options)
    inputs, digests = _inputs(notebook, component, travel)
    if component.function is None:
        _set_parameters(notebook, options)
    return Pending(
        replace(component, inputs=inputs, constants=dict(travel.constants)),
        travel,
        digests,
    )


def finish(notebook: Notebook, pending: Pending) -> Component:
    """Add the component whose cell has run to the notebook, with what it was seen to do."""
    component = pending.component
    changed = frozenset(
        name
        for name, digest in pending.digests.items()
        if name in notebook.namespace
        and name not in component.names.writes
        and examine(notebook.namespace[name]).digest != digest
    )
    if component.function is not None:
        component = functions.finished(component, notebook.namespace)
    else:
        component = _with_outputs(notebook, component, changed)
    component = replace(component, notes=_notes(notebook, component, pending.travel))
    notebook.record(component.cell, sorted(changed))
    notebook.components[component.name] = component
    return component


# -- before ---------------------------------------------------------------------------------------------------


def _with_values(notebook: Notebook, component: Component) -> Options:
    """The options with each parameter's value here: one that papermill was given stands for the default."""
    params = []
    for param in component.options.params:
        if param.name in notebook.injected:
            value = typed(notebook.injected[param.name], param.type, param.name)
            param = replace(param, default=value)
        elif param.default is None and param.name in notebook.parameters:
            param = replace(param, default=notebook.parameters[param.name].default)
        params.append(replace(param, place=f"cell {component.cell}"))
    return replace(component.options, params=tuple(params))


def _set_parameters(notebook: Notebook, options: Options) -> None:
    missing = [p for p in options.params if p.default is None and p.name not in notebook.namespace]
    if missing:
        name, kind = missing[0].name, missing[0].type
        raise CaptureError(f"{missing[0].place}: {name} has no value here: give a default, --param {name}:{kind}=...")
    for param in options.params:
        if param.default is not None:
            notebook.namespace[param.name] = param.default


def typed(value: Any, kind: str, name: str) -> Any:
    """``value`` as a parameter of type ``kind``; an int may stand for a float. Raises ``CaptureError``."""
    if kind == "float" and type(value) is int:
        return float(value)
    if type(value).__name__ != kind:
        raise CaptureError(f"{name} is {kind}, not {value!r}")
    return value


def _check_outputs(component: Component) -> None:
    made = {*component.names.writes, *component.names.changes, *component.names.reads}
    for name in component.options.outputs:
        if component.function is None and name not in made:
            raise CaptureError(f"cell {component.cell} never assigns {name}, which --output names")


def _inputs(
    notebook: Notebook, component: Component, travel: Travel
) -> tuple[dict[str, Input], dict[str, bytes | None]]:
    inputs: dict[str, Input] = {}
    digests: dict[str, bytes | None] = {}
    for name, definition in travel.inputs.items():
        if name not in notebook.namespace:
            # a function component's outputs, or a step's on the cluster, have no value here
            raise CaptureError(f"{name}, which cell {definition.cell} makes, has no value here: run that cell")
        value = notebook.namespace[name]
        seen = examine(value)
        if seen.refusal:
            line = component.names.reads.get(name, 1)
            raise CaptureError(
                f"{component.cell.place(line)}: {name}, which cell {definition.cell} makes: {seen.refusal}"
            )
        kind = kind_of(value)
        inputs[name] = Input(name, kind, definition.cell.name, definition.cell.order, seen.modules)
        digests[name] = seen.digest
    return inputs, digests


# -- after ----------------------------------------------------------------------------------------------------


def _with_outputs(notebook: Notebook, component: Component, changed: frozenset[str]) -> Component:
    names = component.names
    outputs: dict[str, Kind] = {}
    refusals: dict[str, str] = {}
    for name in dict.fromkeys([*names.writes, *names.changes, *sorted(changed), *component.options.outputs]):
        if name not in notebook.namespace:
            continue
        value = notebook.namespace[name]
        outputs[name] = kind_of(value)
        if outputs[name].type == "Artifact":
            seen = examine(value)
            refusals.update({name: seen.refusal} if seen.refusal else {})
            modules = tuple(sorted({*outputs[name].modules, *seen.modules}))
            outputs[name] = replace(outputs[name], modules=modules)
    return replace(component, outputs=outputs, refusals=refusals, changed=changed)


def _notes(notebook: Notebook, component: Component, travel: Travel) -> tuple[str, ...]:
    cell = component.cell
    notes = list(travel.notes)
    notes += [f"{cell.place(line)}: {what} cannot be seen" for line, what in component.names.unseen.items()]
    notes += [f"{name}: {component.refusals[name]}" for name in component.options.outputs if name in component.refusals]
    notes += _data_files(notebook, cell)
    notes += _aliases(notebook, component)
    return tuple(notes)


def _data_files(notebook: Notebook, cell: Cell) -> list[str]:
    """Files beside the notebook that the cell names: they are there when it runs here, and not on the cluster."""
    texts = {
        node.value: node.lineno
        for node in ast.walk(cell.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and 0 < len(node.value) < 200
    }
    return [
        f"{cell.place(line)}: {text} lies beside the notebook and does not travel: on a cluster, read it from a URL"
        for text, line in texts.items()
        if not text.startswith(("/", "~")) and "\n" not in text and _is_file(notebook, text)
    ]


def _is_file(notebook: Notebook, text: str) -> bool:
    try:
        return (notebook.folder / text).is_file()
    except (OSError, ValueError):
        return False


def _aliases(notebook: Notebook, component: Component) -> list[str]:
    """Names of steps that stand for one object here, and for two in a pipeline."""
    mine = [name for name in component.outputs if _is_mutable(component.outputs[name])]
    known = [
        name
        for name, found in notebook.names().items()
        if found[-1].sort is Sort.STEP and name in notebook.namespace and name not in component.outputs
    ]
    space = notebook.namespace
    return [
        f"{one} and {two} are one object here and two in the pipeline: a change to one does not reach the other"
        for index, one in enumerate(mine)
        for two in [*mine[index + 1 :], *known]
        if space[one] is space[two]
    ]


def _is_mutable(kind: Kind) -> bool:
    return kind.type in ("list", "dict", "Dataset", "Model") or (kind.type == "Artifact" and kind.note != "")


__all__ = ["PARAMETER_TYPES", "Names", "Parameter", "Pending", "begin", "finish", "typed"]
