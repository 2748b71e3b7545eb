"""Capturing a component: the checks before its cell runs, and the observations after.

``begin`` is called before the cell: it checks what can be checked, gives the parameters their values and records the
state of the inputs. ``finish`` is called when the cell has run without an error: it finds what was written and
changed, and adds the component to the notebook. In between, the cell runs as any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import reduce
from pathlib import Path
from types import ModuleType
from typing import Any

from kfnb.capture import functions
from kfnb.capture.absolute_paths import holds_whole_path
from kfnb.capture.cell import Cell
from kfnb.capture.component import (
    Component,
    ComponentInput,
    ComponentPart,
    Options,
    check_name,
    check_sources,
)
from kfnb.capture.content import Examined, examine
from kfnb.capture.definitions import Definition, DefinitionKind
from kfnb.capture.dependencies import Dependencies
from kfnb.capture.environment_context import Environment, values_of
from kfnb.capture.file_watch import FileWatch
from kfnb.capture.files import Files
from kfnb.capture.findings import notes_of, outside
from kfnb.capture.fit_state import begin_unfitted, check_fitted
from kfnb.capture.named_files import Named, named_in
from kfnb.capture.names import read_names
from kfnb.capture.notebook import ExecutedNotebook
from kfnb.capture.object_changes import ObjectWatch
from kfnb.capture.parts import joined, with_parts
from kfnb.capture.pending import Pending
from kfnb.capture.pickles import PickleWatch
from kfnb.capture.random_draws import Draws
from kfnb.capture.requirements import requirements
from kfnb.capture.seeds import KernelSeed
from kfnb.capture.tracer import dependencies_of, trace
from kfnb.capture.transforms import outdated
from kfnb.capture.values import ValueKind, kind_of
from kfnb.capture.variable_lookups import seen_whole
from kfnb.capture.variables import NO_VARIABLES, Variables, VariableWatch
from kfnb.errors import CaptureError


def begin(
    notebook: ExecutedNotebook,
    cell: Cell,
    options: Options,
    *,
    continues: bool = False,
    seed: int | None = None,
) -> Pending:
    """Check a component before its cell runs, and give its parameters their values in the kernel.

    With ``continues`` the cell is a further part of an existing component. ``seed`` is for random numbers of a
    component whose options have none. Raises ``CaptureError``; then nothing
    has changed.
    """
    check_name(cell.name, "component")
    if not continues:
        _check_unique(notebook, cell)
    parts = with_parts(notebook.components.get(cell.name), cell, options, continues=continues)
    component, dependencies, watch = checked(notebook, *joined(parts, cell), parts=parts)
    environment = values_of(component.options.pod)
    if component.function is None:
        own = {param.name for param in options.params}
        for param in component.options.params:
            if param.default is not None and param.name in own:
                notebook.namespace[param.name] = param.default
    if not continues:
        begin_unfitted(notebook, dependencies)
    restored, named = Environment(environment), _named(notebook, component, dependencies)
    taken = [notebook.namespace.get(one.name) for one in component.options.data]
    apart = [value for value in taken if isinstance(value, Path)]
    files = FileWatch(notebook.folder, above=named.above, code=named.code, apart=apart)
    variables = VariableWatch(notebook.has_code)
    seeded = KernelSeed(component.seeded(seed).options.seed)
    watch = replace(watch, draws=Draws.now())  # a seed is not a draw
    return Pending(component, dependencies, watch, restored, files, variables, PickleWatch(), seeded)


def checked(
    notebook: ExecutedNotebook, cell: Cell, options: Options, *, parts: tuple[ComponentPart, ...] = ()
) -> tuple[Component, Dependencies, ObjectWatch]:
    """A component as far as it is known before its cell runs. Raises ``CaptureError``; nothing is changed."""
    check_name(cell.name, "component")
    check_sources(cell)
    names = read_names(cell.tree, notebook.star_names)
    component = Component(cell.name, cell, names, options, parts=parts or (ComponentPart(cell, options),))
    if component.function is not None:
        component = functions.declared(component, notebook.star_names)
    component = replace(component, options=_with_values(notebook, component))
    if component.function is None:
        _check_parameters(notebook, component.options)
    dependencies = trace(
        notebook,
        cell,
        component.names,
        component.options,
        before=cell.order,
        setups=notebook.setups(cell.order),
    )
    for name in dependencies.params:
        if name in notebook.mistaken:
            raise CaptureError(f"cell {cell}: {notebook.mistaken[name]}")
    _check_data(component, dependencies)
    requirements(dependencies, component.options)
    inputs, examined = _inputs(notebook, component, dependencies)
    placed = _placed(notebook, [name for name in inputs if component.data(name) is None])
    component = replace(component, inputs=inputs, constants=dict(dependencies.constants), placed=placed)
    watch = ObjectWatch.begin(notebook, component, dependencies, examined)
    check_fitted(notebook, component, dependencies, watch)
    _check_outputs(component, watch)
    return component, dependencies, watch


def finish(notebook: ExecutedNotebook, pending: Pending) -> Component:
    """Add the component whose cell has run to the notebook, with what was observed."""
    component = _as_seen(notebook, pending.component, pending.files.stop(), pending.variables.stop())
    component = _with_pickles(notebook, component, pending.pickles.stop() | pending.watch.named)
    read = seen_whole(component, pending.dependencies, notebook.namespace)
    component = replace(component, variables=read)
    idle = pending.watch.draws.unmoved()
    changed = sorted(pending.watch.changed(notebook, component.names))
    if component.function is not None:
        component = functions.finished(component, notebook.namespace)
    else:
        component = _with_outputs(notebook, component, changed)
    notebook.record(component.cell, changed)
    placed = component.placed | _placed(notebook, component.outputs)
    component = replace(component, outside=outside(component.cell, notebook.folder), placed=placed)
    seen = [
        *_other_parts(pending),
        *notes_of(notebook, component, pending.dependencies, idle, seeded=pending.seed.given),
    ]
    seen += [note for one in pending.dependencies.transforms.values() for note in outdated(notebook, one)]
    watched = pending.watch.notes(notebook, {*changed, *component.names.changes})
    component = replace(component, notes=(*seen, *watched))
    notebook.components[component.name] = component
    notebook.failed.discard(component.name)
    return component


def _as_seen(
    notebook: ExecutedNotebook, component: Component, files: Files, variables: Variables
) -> Component:
    """The component with the files and variables of all its parts; those given are of the part that has just run.

    Its step runs the set-up cells first, with their files.
    """
    parts = tuple(
        replace(part, files=files, variables=variables) if part.cell.order == component.cell.order else part
        for part in component.parts
    )
    own = reduce(Files.then, (part.files for part in parts[1:]), parts[0].files)
    return replace(
        component,
        parts=parts,
        files=notebook.files_of_setups(component.cell.order).before(own),
        variables=reduce(Variables.then, (part.variables for part in parts), NO_VARIABLES),
    )


def _with_pickles(notebook: ExecutedNotebook, component: Component, found: frozenset[str]) -> Component:
    """The component with the notebook's names that it unpickled; those that a component defines are inputs too."""
    known = notebook.components.get(component.name)
    if known is not None and len(component.parts) > 1:
        found |= known.unpickled
    if not found:
        return component
    dependencies = dependencies_of(notebook, replace(component, unpickled=found))
    dependencies.inputs = {
        name: one for name, one in dependencies.inputs.items() if name not in component.inputs
    }
    inputs, _ = _inputs(notebook, component, dependencies)
    return replace(component, unpickled=found, inputs={**component.inputs, **inputs})


def _other_parts(pending: Pending) -> Iterator[str]:
    """A note on the further cells of a component whose first cell ran again."""
    first, *rest = pending.component.parts
    if rest and first.cell.order == pending.component.cell.order:
        numbers = ", ".join(f"[{part.cell.number}]" for part in rest)
        yield f"{pending.component.name} still includes cell {numbers}: run those again to see the result here"


def _placed(notebook: ExecutedNotebook, names: Iterable[str]) -> frozenset[str]:
    """Those of the names that hold whole paths of the notebook's folder."""
    space = notebook.namespace
    return frozenset(name for name in names if holds_whole_path(space.get(name), notebook.folder))


def _named(notebook: ExecutedNotebook, component: Component, dependencies: Dependencies) -> Named:
    """What the component's code reveals about files; modules that another component wrote count too."""
    space = notebook.namespace
    trees = [
        component.cell.tree,
        *(source.node for source in dependencies.sources if source.node is not None),
    ]
    names = {
        *component.names.reads,
        *dependencies.constants,
        *dependencies.params,
        *(s.name for s in dependencies.sources),
    }
    named = named_in(notebook.folder, trees, [space[name] for name in names & space.keys()])
    written = {name for one in notebook.components.values() for name in one.files.writes}
    return replace(named, code=named.code | written)


# -- before ---------------------------------------------------------------------------------------------------


def _check_unique(notebook: ExecutedNotebook, cell: Cell) -> None:
    """Where every cell runs once, two cells for one component are a mistake; in a session, the user edited the cell."""
    named = notebook.definition(cell.name)
    if named is not None and named.sort is DefinitionKind.TRANSFORM:
        message = f"cell {cell}: {cell.name} is the transform of cell {named.cell}:"
        hint = "give the component another name"
        raise CaptureError(message, code="invalid-name", hint=hint, ref=f"cell {cell}")
    known = notebook.components.get(cell.name)
    if known is not None and notebook.linear:
        raise CaptureError(
            f"cell {cell}: component {cell.name} is already defined by cell {known.cell}:",
            code="invalid-name",
            hint="rename one of them",
            ref=f"cell {cell}",
        )


def _with_values(notebook: ExecutedNotebook, component: Component) -> Options:
    """The options with the value of each parameter here: a value given to papermill replaces the default."""
    params = []
    for param in component.options.params:
        value = param.default
        if param.name in notebook.injected:
            value = typed(notebook.injected[param.name], param.type, param.name)
        elif value is None and param.name in notebook.parameters:
            value = notebook.parameters[param.name].default
        params.append(replace(param, default=value, place=f"cell {component.cell}"))
    return replace(component.options, params=tuple(params))


def _check_parameters(notebook: ExecutedNotebook, options: Options) -> None:
    for param in options.params:
        if param.name == "kf":
            raise CaptureError(
                f"{param.place}: the name kf is reserved for reporting (kf.log_metrics):",
                code="invalid-name",
                hint="give the parameter another name",
                ref=param.place,
            )
        if param.default is None and param.name not in notebook.namespace:
            raise CaptureError(
                f"{param.place}: {param.name} has no value here:",
                code="no-value",
                hint=f"give a default, --param {param.name}:{param.type}=...",
                ref=param.place,
            )


def typed(value: Any, kind: str, name: str) -> Any:
    """Check ``value`` as a parameter of type ``kind``; an int is accepted as a float. Raises ``CaptureError``."""
    if kind == "float" and type(value) is int:
        return float(value)
    if type(value).__name__ != kind:
        raise CaptureError(f"{name} must be {kind}, not {value!r}")
    return value


def _check_outputs(component: Component, watch: ObjectWatch) -> None:
    made = {*component.names.writes, *component.names.changes, *component.names.reads, *watch.before}
    for name in component.options.outputs:
        if component.function is None and name not in made:
            message = f"--output {name}: cell {component.cell} does not assign {name}"
            raise CaptureError(message, code="not-defined", ref=f"cell {component.cell}")


def _check_data(component: Component, dependencies: Dependencies) -> None:
    for one in component.options.data:
        where = f"--data {one.name}: cell {component.cell}"
        if component.function is not None:
            hint = "read the data in a cell of statements, and pass the value"
            raise CaptureError(f"{where} is a single function:", hint=hint, ref=f"cell {component.cell}")
        if one.name not in dependencies.inputs:
            raise CaptureError(
                f"{where} does not read {one.name}", code="not-defined", ref=f"cell {component.cell}"
            )


def _of_other_parts(notebook: ExecutedNotebook, component: Component) -> Mapping[str, ComponentInput]:
    """The inputs that the other parts of a component had; those parts may have changed their values since."""
    known = notebook.components.get(component.name)
    if known is None or len(component.parts) == 1 or component.parts[0].cell.order == component.cell.order:
        return {}
    return known.inputs


def _inputs(
    notebook: ExecutedNotebook, component: Component, dependencies: Dependencies
) -> tuple[dict[str, ComponentInput], dict[str, Examined]]:
    inputs: dict[str, ComponentInput] = {}
    examined: dict[str, Examined] = {}
    before = _of_other_parts(notebook, component)
    for name, definition in dependencies.inputs.items():
        if name in before:
            inputs[name], examined[name] = before[name], examine(notebook.namespace.get(name))
            continue
        if name not in notebook.namespace:
            # a function component's outputs, or a step's on the cluster, have no value here
            raise CaptureError(
                f"{name}, defined by cell {definition.cell}, has no value in the notebook:",
                code="no-value",
                hint="run that cell",
                ref=f"cell {definition.cell}",
            )
        value = notebook.namespace[name]
        seen = examine(value)
        if (
            seen.refusal and name not in component.names.conditional
        ):  # a name that may not be needed is refused only where it is used
            line = component.names.reads.get(name, 1)
            raise CaptureError(
                f"{component.cell.place(line)}: {name}, defined by cell {definition.cell}: {seen.refusal}",
                ref=str(component.cell.place(line)),
            )
        data = component.data(name)
        if data is not None:
            inputs[name] = ComponentInput(name, data.kind, data.data.ref, definition.cell.order, seen.modules)
            examined[name] = seen
            continue
        dependencies.notes += _since(notebook, dependencies, name, definition, seen)
        inputs[name] = ComponentInput(
            name, kind_of(value), definition.cell.name, definition.cell.order, seen.modules
        )
        examined[name] = seen
    return inputs, examined


def _since(
    notebook: ExecutedNotebook, dependencies: Dependencies, name: str, definition: Definition, seen: Examined
) -> Iterator[str]:
    """Notes on inputs that have changed since the cells that define them ran."""
    then = notebook.left.get((name, definition.cell.key))
    if then is not None and then == (definition.cell.order, seen.digest):
        return
    if name in dependencies.again:
        yield (
            f"{dependencies.again[name]}: {name} had the value that an earlier run of this cell left; a pipeline runs"
            " the step once. Run the cells before it again to see the pipeline's result"
        )
    elif then is not None and then[0] == definition.cell.order:
        yield (
            f"{name} has changed since cell {definition.cell} ran, in a cell that is not a component or through another"
            f" name; a pipeline uses the value that cell {definition.cell} leaves"
        )


# -- after ----------------------------------------------------------------------------------------------------


def _with_outputs(notebook: ExecutedNotebook, component: Component, changed: list[str]) -> Component:
    """The component with all that it wrote and changed; the state of each is recorded."""
    names = component.names
    outputs: dict[str, ValueKind] = {}
    refusals: dict[str, str] = {}
    known = notebook.components.get(component.name)
    if known is not None and len(component.parts) > 1:
        changed = [*dict.fromkeys([*sorted(known.changed), *changed])]
    for name in dict.fromkeys([*names.writes, *names.changes, *changed, *component.options.outputs]):
        value = notebook.namespace.get(name)
        if name not in notebook.namespace or isinstance(value, ModuleType):
            continue
        seen = examine(value)
        outputs[name] = kind_of(value)
        if seen.digest is None:
            refusals[name] = seen.refusal
        elif seen.steady or examine(value).digest == seen.digest:  # the digest of a figure differs each time
            notebook.left[name, component.cell.key] = component.cell.order, seen.digest
        if outputs[name].type == "Artifact":
            modules = tuple(sorted({*outputs[name].modules, *seen.modules}))
            outputs[name] = replace(outputs[name], modules=modules)
    return replace(component, outputs=outputs, refusals=refusals, changed=frozenset(changed))
