"""A step: a component as a function of KFP's SDK, with its inputs and outputs in a pipeline."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from kfnb.capture import requirements as packages
from kfnb.capture.component import Component
from kfnb.capture.definitions import Definition
from kfnb.capture.dependencies import Dependencies
from kfnb.capture.names import read_names
from kfnb.capture.notebook import DeclaredParameter, ExecutedNotebook
from kfnb.capture.syntax import all_names
from kfnb.capture.values import ValueKind, kind_of
from kfnb.capture.variable_lookups import variables_of
from kfnb.capture.variables import NO_VARIABLES, Variables
from kfnb.entities import FILES, NAMES
from kfnb.errors import CaptureError
from kfnb.pipeline.files import NO_FILES, StepFiles
from kfnb.pipeline.writer import StepWriter, logs_of


@dataclass(frozen=True)
class Step:
    """One step of one pipeline, ready to be written as a program.

    ``inputs`` and ``outputs`` are by the names of the notebook; ``arguments`` maps each input to the name of the
    function's argument (a different name where the step also writes that name as an artifact). ``text`` is the
    function's source without its decorator, ``helpers`` are the embedded functions that it calls. ``variables`` are
    the environment variables that it reads.
    """

    component: Component
    dependencies: Dependencies
    inputs: Mapping[str, ValueKind]
    outputs: Mapping[str, ValueKind]
    params: Mapping[str, DeclaredParameter]
    arguments: Mapping[str, str]
    requirements: tuple[str, ...]
    helpers: tuple[str, ...]
    text: str
    files: StepFiles = NO_FILES
    variables: Variables = NO_VARIABLES

    @property
    def name(self) -> str:
        """The name of the component and of the function."""
        return self.component.name


def make_step(
    notebook: ExecutedNotebook,
    component: Component,
    dependencies: Dependencies,
    requested: Collection[str],
    files: StepFiles = NO_FILES,
) -> Step:
    """The step of a component of which a pipeline uses the outputs ``requested`` (besides those of ``--output``).

    ``files`` are those that it gets from other steps and from the notebook's folder. With ``NAMES`` among
    the outputs, it hands the names that it writes back to the notebook.
    """
    if component.function is not None:
        return _function_step(
            component, dependencies, variables_of(component, dependencies, notebook.namespace)
        )
    outputs = _outputs(component, requested)
    outputs |= {name: ValueKind(kind) for name, kind in logs_of(dependencies).values()}
    if files.writes:
        outputs[FILES] = ValueKind("Artifact")
    inputs = {
        name: _input_kind(notebook, component, definition) for name, definition in dependencies.inputs.items()
    }
    bound = {name for name, kind in outputs.items() if not kind.parameter}
    for one in dependencies.setups:
        bound |= set(read_names(one.cell.tree, notebook.star_names).writes)
    arguments = _arguments(
        [*inputs, *dependencies.params], bound, {*outputs, *all_names(component.cell.tree)}
    )
    loaders = _loaders(component, dependencies, [*inputs.values(), *outputs.values()])
    variables = variables_of(component, dependencies, notebook.namespace)
    writer = StepWriter(notebook, component, dependencies, inputs, outputs, arguments, files, variables)
    return Step(
        component,
        dependencies,
        inputs,
        outputs,
        dict(dependencies.params),
        arguments,
        tuple(packages.requirements(dependencies, component.options, loaders)),
        writer.helpers(),
        writer.function(),
        files,
        variables,
    )


def _loaders(component: Component, dependencies: Dependencies, kinds: Sequence[ValueKind]) -> Iterator[str]:
    """The modules that a step needs beside those that it imports: for its values, and for functions of ``kf``."""
    yield from (module for kind in kinds for module in kind.modules)
    yield from (module for one in component.inputs.values() for module in one.modules)
    if "save" in dependencies.kf:
        yield from _savers()
        fitted = [kind for name, kind in component.outputs.items() if name in dependencies.transforms]
        yield from (module for kind in fitted for module in kind.modules)
    if "check" in dependencies.kf:
        yield from ("numpy", "yaml")


def _savers() -> list[str]:
    """The modules that ``kf.save`` needs, of those that are installed here."""
    needed = ["cloudpickle", "skops", *(["safetensors"] if find_spec("torch") else [])]
    return [module for module in needed if find_spec(module)]


def _input_kind(notebook: ExecutedNotebook, component: Component, definition: Definition) -> ValueKind:
    """The kind of an input when the cell ran; or now, where a helper that was edited since needs it."""
    name = definition.name
    if name in component.inputs:
        return component.inputs[name].kind
    if name not in notebook.namespace:
        message = f"{name}, defined by cell {definition.cell}, has no value in the notebook:"
        raise CaptureError(message, code="no-value", hint="run that cell", ref=f"cell {definition.cell}")
    return kind_of(notebook.namespace[name])


def _outputs(component: Component, requested: Collection[str]) -> dict[str, ValueKind]:
    outputs = {}
    for name in dict.fromkeys([*component.options.outputs, *requested]):
        if name == NAMES:
            outputs[name] = ValueKind("Artifact", ("cloudpickle",))
            continue
        if name in component.refusals:
            raise CaptureError(f"{name}, defined by cell {component.cell}: {component.refusals[name]}")
        if not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name) or name == "Output":
            raise CaptureError(
                f"{name}, defined by cell {component.cell}: KFP's names have letters from A to Z, digits and _,"
                " begin with a letter, and are not Output:",
                code="invalid-name",
                hint="give it another name",
                ref=f"cell {component.cell}",
            )
        if name not in component.outputs:
            raise CaptureError(
                f"cell {component.cell} did not assign {name} when it ran, so its type is unknown"
            )
        outputs[name] = component.outputs[name]
    return outputs


def _arguments(names: Sequence[str], bound: Collection[str], taken: Collection[str]) -> dict[str, str]:
    """The function's arguments for the inputs ``names``: with another name for an input that is ``bound`` before.

    KFP passes output artifacts as arguments too, and set-up cells bind names.
    """
    arguments = {}
    for name in names:
        other = f"{name}_in"
        while other in taken or other in names:
            other += "_"
        arguments[name] = other if name in bound else name
    return arguments


def _function_step(component: Component, dependencies: Dependencies, variables: Variables) -> Step:
    function = component.function
    assert function is not None
    inputs = {name: one.kind for name, one in component.inputs.items()}
    params = {param.name: param for param in component.options.params}
    writer = StepWriter(None, component, dependencies, {}, {}, {}, variables=variables)
    return Step(
        component,
        dependencies,
        inputs,
        component.outputs,
        params,
        {name: name for name in (*inputs, *params)},
        tuple(packages.requirements(dependencies, component.options)),
        writer.helpers(),
        writer.wrapped(function),
        variables=variables,
    )
