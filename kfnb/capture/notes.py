"""What a user should know of a captured component: where the kernel and a pipeline may come to differ."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FunctionType

from kfnb.capture.component import Component
from kfnb.capture.definitions import Sort
from kfnb.capture.notebook import Notebook
from kfnb.capture.syntax import root_name
from kfnb.capture.travel import Travel

_SEEDS = {"seed", "manual_seed", "set_seed"}
_LONGEST_PATH = 200


def notes_of(notebook: Notebook, component: Component, travel: Travel) -> tuple[str, ...]:
    """The notes of a component whose cell has run."""
    cell = component.cell
    notes = list(travel.notes)
    notes += [f"{cell.place(line)}: {what} cannot be seen" for line, what in component.names.unseen.items()]
    notes += [
        f"{name}: {component.refusals[name]}"
        for name in component.options.outputs
        if name in component.refusals
    ]
    notes += _changed_modules(component, travel)
    notes += _seeds(component)
    notes += _data_files(notebook, component)
    notes += _aliases(notebook, component)
    return tuple(dict.fromkeys(notes))


def _changed_modules(component: Component, travel: Travel) -> Iterator[str]:
    """Modules that the cell sets something in: each step has its own."""
    imported = {*travel.imports, *component.names.writes} - set(component.outputs)
    for name, line in component.names.changes.items():
        if name in imported:
            yield f"{component.cell.place(line)}: what is set in {name} stays in this step: other steps do not see it"


def _seeds(component: Component) -> Iterator[str]:
    """Seeds of a generator that all of a kernel shares."""
    for node in ast.walk(component.cell.tree):
        if not (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _SEEDS
        ):
            continue
        root = root_name(node.func)
        if root is not None and root not in component.outputs and root not in component.inputs:
            yield (
                f"{component.cell.place(node.lineno)}: {ast.unparse(node.func)}() seeds this step alone: other steps"
                " draw other numbers than in the notebook"
            )


def _data_files(notebook: Notebook, component: Component) -> Iterator[str]:
    """Files beside the notebook that the cell names: they are there when it runs here, and not on the cluster."""
    for node in ast.walk(component.cell.tree):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            continue
        text = node.value
        if not 0 < len(text) < _LONGEST_PATH or text.startswith(("/", "~")):
            continue
        if _is_file(notebook, text):
            place = component.cell.place(node.lineno)
            yield f"{place}: {text} lies beside the notebook and does not travel: on a cluster, read it from a URL"


def _is_file(notebook: Notebook, text: str) -> bool:
    try:
        return (notebook.folder / text).is_file()
    except (OSError, ValueError):
        return False


def _aliases(notebook: Notebook, component: Component) -> list[str]:
    """Names of steps that stand for one object here, and for two in a pipeline."""
    space = notebook.namespace
    fixed = (int, float, str, bytes, type, type(None), FunctionType)
    mine = [name for name in component.outputs if name in space and not isinstance(space[name], fixed)]
    known = [
        name
        for name, found in notebook.names().items()
        if found[-1].sort is Sort.STEP and name in space and name not in component.outputs
    ]
    return [
        f"{one} and {two} are one object here and two in the pipeline: a change to one does not reach the other"
        for index, one in enumerate(mine)
        for two in [*mine[index + 1 :], *known]
        if space[one] is space[two]
    ]
