"""The notes on a captured component: where the kernel and a pipeline may differ."""

from __future__ import annotations

import ast
import os
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from shlex import quote

from kfnb.capture.absolute_paths import notes_on_absolute_paths
from kfnb.capture.cell import Cell
from kfnb.capture.component import Component
from kfnb.capture.content import can_be_shared
from kfnb.capture.definitions import DefinitionKind
from kfnb.capture.dependencies import Dependencies
from kfnb.capture.imports import imported_modules
from kfnb.capture.nondeterminism import draws_unseeded, fleeting_calls
from kfnb.capture.notebook import ExecutedNotebook
from kfnb.capture.project import top_of
from kfnb.capture.random_draws import GENERATORS
from kfnb.capture.syntax import root_name
from kfnb.capture.variable_lookups import variables_of
from kfnb.capture.variables import Variables
from kfnb.text.variables import OF_A_POD, OF_A_RANK, is_secret

_SEEDS = {"seed", "manual_seed", "set_seed"}
_LONGEST_PATH = 200


def notes_of(
    notebook: ExecutedNotebook,
    component: Component,
    dependencies: Dependencies,
    idle: Collection[str],
    *,
    seeded: bool = False,
) -> tuple[str, ...]:
    """The notes on a component whose cell has run; it drew no random number from the modules ``idle``.

    Where it was ``seeded``, so is its step.
    """
    cell = component.cell
    notes = list(dependencies.notes)
    notes += [f"{cell.place(line)}: not analyzed: {what}" for line, what in component.names.unseen.items()]
    notes += [
        f"{name}: {component.refusals[name]}"
        for name in component.options.outputs
        if name in component.refusals
    ]
    notes += _changed_modules(component, dependencies)
    notes += [] if seeded else _seeds(component)
    notes += _earlier_changes(notebook, component, dependencies, idle)
    notes += _files_outside(component)
    notes += notes_on_absolute_paths(cell, dependencies, notebook.folder)
    notes += _aliases(notebook, component)
    notes += _variables(component)
    notes += _reads_of_environment(component, variables_of(component, dependencies, notebook.namespace))
    notes += _fleeting(notebook, component, dependencies, GENERATORS if seeded else idle)
    notes += _without_effect(component)
    return tuple(dict.fromkeys(notes))


def _variables(component: Component) -> Iterator[str]:
    """Environment variables that the step gets: secrets in plain text, and variables that had no value here."""
    for given in component.options.pod.env:
        if is_secret("", given.value):
            yield (
                f"--env {given.name}: the value looks like a secret, and anyone who sees the pipeline can read it:"
                f" put it in a Kubernetes secret and use --secret NAME:KEY={given.name}"
            )
    for held in component.options.pod.keys if component.function is None else ():
        if held.name not in os.environ:
            yield (
                f"{held.name} had no value here: a run takes it from the {held.holder.replace('_', ' ')} {held.source};"
                " set it in the notebook, or set secrets to a file that has it"
            )


def _reads_of_environment(component: Component, read: Variables) -> Iterator[str]:
    """The variables that the step takes from its environment, other than those in its options."""
    pod = component.options.pod
    set_there = OF_A_POD if component.options.training is None else OF_A_POD | OF_A_RANK
    names = sorted(read.names - {one.name for one in pod.env} - {one.name for one in pod.keys} - set_there)
    if read.all:
        yield (
            f"cell {component.cell}: reads all environment variables: the step is not cached, and a pod has"
            " different variables"
        )
    elif names:
        secret = [name for name in names if is_secret(name, os.environ.get(name, ""))]
        plain = [name for name in names if name not in secret]
        how = [f"%kf_submit {' '.join(f'--env {quote(name)}' for name in plain)}"] if plain else []
        how += [f"%%kf_component --secret NAME:KEY={name}" for name in secret]
        several = len(names) > 1
        again = f": the step runs again when {'one of them' if several else 'it'} changes"
        yield (
            f"cell {component.cell}: reads the environment variable{'s' * several} {', '.join(names)}"
            f"{again if component.options.cache else ''}. On a cluster, {' and '.join(how)}"
            f" {'pass them' if several else 'passes it'} to the step"
        )


def _fleeting(
    notebook: ExecutedNotebook, component: Component, dependencies: Dependencies, idle: Collection[str]
) -> Iterator[str]:
    """The time and random numbers that the step keeps, if it may be cached."""
    if not component.options.cache or component.outside or component.variables.all or component.function:
        return
    outputs, space = component.options.outputs, notebook.namespace
    trees = [
        component.cell.tree,
        *(source.node for source in dependencies.sources if source.node is not None),
    ]
    found = list(dict.fromkeys(call for tree in trees for call in fleeting_calls(tree, space, outputs)))
    seeded = [one.cell.tree for one in dependencies.setups]
    noted = any("seed" in change.text for change in notebook.changing)
    if not noted and draws_unseeded([*trees, *seeded], space, GENERATORS - set(idle)):
        found.append("random numbers without a seed")
    if found:
        yield (
            f"cell {component.cell}: keeps {' and '.join(found)}: a cached step has the values of an earlier run"
            " (--no-cache runs the step each time)"
        )


def _without_effect(component: Component) -> Iterator[str]:
    """A note on ``%%capture`` together with ``%%kf_component``."""
    begun = component.cell.begun
    for line in begun.dropped if begun else ():
        if line.startswith("%%capture"):
            yield "%%capture has no effect in a component: the cell's output is shown, and not stored"


def _changed_modules(component: Component, dependencies: Dependencies) -> Iterator[str]:
    """Modules in which the cell sets attributes: each step has its own."""
    imported = {*dependencies.imports, *component.names.writes} - set(component.outputs)
    for name, line in component.names.changes.items():
        if name in imported:
            yield f"{component.cell.place(line)}: {name} is changed in this step only, and not for other steps"


def seed_calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """The calls that seed a global generator, each with the name that it begins with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _SEEDS:
            root = root_name(node.func)
            if root is not None:
                yield node, root


def _seeds(component: Component) -> Iterator[str]:
    """Notes on seeds that the component itself sets."""
    for node, root in seed_calls(component.cell.tree):
        if root not in component.outputs and root not in component.inputs:
            yield (
                f"{component.cell.place(node.lineno)}: {_called(node)}() seeds this step only: other steps draw"
                " different numbers than in the notebook"
            )


def _earlier_changes(
    notebook: ExecutedNotebook, component: Component, dependencies: Dependencies, idle: Collection[str]
) -> Iterator[str]:
    """Changes that plain cells made to the whole kernel, and that the step does not have; general ones are noted once.

    A seed concerns only components that draw from the generator.
    """
    modules = {one.module.partition(".")[0] for one in dependencies.imports.values()}
    modules |= {module.partition(".")[0] for module in dependencies.needed}
    trees = [
        component.cell.tree,
        *(source.node for source in dependencies.sources if source.node is not None),
    ]
    modules |= {module.partition(".")[0] for tree in trees for module, _, _ in imported_modules(tree)}
    attributes = {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for change in notebook.changing:
        if "seed" in change.text and set(change.concerns) <= set(idle):
            continue
        if change.concerns:
            reported = bool(set(change.concerns) & (modules | attributes))
        else:
            reported = notebook.reported_in.setdefault(change, component.name) == component.name
        if reported:
            yield str(change)


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func)


def outside(cell: Cell, folder: Path) -> dict[str, int]:
    """The files elsewhere on this machine that a cell names in its text, with the line."""
    texts = {
        node.value: node.lineno
        for node in ast.walk(cell.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and 0 < len(node.value) < _LONGEST_PATH
    }
    return {text: line for text, line in texts.items() if _is_outside(text, folder)}


def _files_outside(component: Component) -> Iterator[str]:
    """Notes on files that exist when the step runs here, and not on a cluster."""
    for text, line in component.outside.items():
        yield (
            f"{component.cell.place(line)}: {text} is a file on this machine, which a cluster does not have: read it"
            " from a URL, or keep it beside the notebook. The step is not cached"
        )


def _is_outside(text: str, folder: Path) -> bool:
    try:
        path = folder / text
        inside = path.resolve().is_relative_to(top_of(folder.resolve()))
        temporary = path.resolve().is_relative_to(Path(tempfile.gettempdir()).resolve())
        named = text.startswith(("/", ".."))
        return named and path.is_file() and not inside and not temporary
    except (OSError, ValueError):
        return False


def _aliases(notebook: ExecutedNotebook, component: Component) -> Iterator[str]:
    """Notes on names of other steps for an object that this step changes: here they see the change."""
    space = notebook.namespace
    mine = {*component.changed, *component.names.changes}
    others = [
        name
        for name, found in notebook.names().items()
        if found[-1].sort is DefinitionKind.STEP
        and name in space
        and name not in {*mine, *component.names.writes}
    ]
    for one in sorted(mine & space.keys()):
        for other in others:
            if space[one] is space[other] and can_be_shared(space[one]):
                yield (
                    f"{one} and {other} are one object here and two in the pipeline, where {other} does not get the"
                    f" changes that this cell makes to {one}: use one name for both"
                )
