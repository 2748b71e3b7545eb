"""A pipeline of the notebook: its name and its body; and how it becomes a program and a compiled spec."""

from __future__ import annotations

import ast
import linecache
import os
import sys
import traceback
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from kfnb.capture.absolute_paths import holds_whole_path
from kfnb.capture.capture import typed
from kfnb.capture.cell import Cell
from kfnb.capture.component import Component, Options, check_name
from kfnb.capture.definitions import DefinitionKind
from kfnb.capture.dependencies import Dependencies
from kfnb.capture.name_usage import Names
from kfnb.capture.names import read_names
from kfnb.capture.notebook import DeclaredParameter, ExecutedNotebook
from kfnb.capture.seeds import unseeded
from kfnb.capture.tracer import dependencies_of, trace
from kfnb.capture.transforms import outdated
from kfnb.diagnostics import logger
from kfnb.entities import Carried, ImportedData, kfp_name
from kfnb.errors import PipelineError, did_you_mean
from kfnb.pipeline.files import StepFiles, files_of_step, with_importers
from kfnb.pipeline.notebook_files import changed_since, fitting, seen_beside
from kfnb.pipeline.program import write_program
from kfnb.pipeline.spec import Compiled
from kfnb.pipeline.step import Step, make_step
from kfnb.pipeline.wiring import Wired, called_components, given_by_name, wire

_logger = logger(__package__)


@dataclass(frozen=True, repr=False)
class Pipeline:
    """A pipeline as the notebook defined it; each use wires it again from the current components."""

    name: str
    cell: Cell
    notebook: ExecutedNotebook
    params: tuple[DeclaredParameter, ...] = ()

    def __repr__(self) -> str:
        called = called_components(self.cell.tree, self.notebook.components)
        return f"<Pipeline {self.name}: {', '.join(called)}>"


@dataclass(frozen=True)
class Built:
    """A pipeline with its steps created and wired."""

    pipeline: Pipeline
    steps: tuple[Step, ...]
    wired: Wired
    program: str

    @property
    def unseeded(self) -> tuple[str, ...]:
        """Notes on the random numbers of seeded steps that the seed does not reach."""
        return tuple(
            f"{step.name}: {note}"
            for step in self.steps
            for note in unseeded(step.component, step.dependencies, self.pipeline.notebook.namespace)
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes on the pipeline and its components."""
        notes = [f"{step.name}: {note}" for step in self.steps for note in step.component.notes]
        notes += [
            f"{step.name} reads {name}, a hidden file that may hold secrets: it is not sent to a cluster, and is"
            " missing there"
            for step in self.steps
            for name in step.files.hidden
        ]
        return tuple(dict.fromkeys([*notes, *self.wired.notes]))


def define(
    notebook: ExecutedNotebook,
    name: str,
    body: str,
    *,
    number: int = 0,
    params: Sequence[DeclaredParameter] = (),
) -> Pipeline:
    """A pipeline whose body, in a cell under a ``%%`` line, is KFP's DSL. ``build`` checks it."""
    _check_pipeline_name(notebook, name)
    params = [_with_value(notebook, param) for param in params]
    cell = Cell(f"\n{body}", number, sys.maxsize, name, name)  # the first line was the magic's
    return Pipeline(name, cell, notebook, tuple(params))


def define_chain(notebook: ExecutedNotebook, name: str, steps: Sequence[str]) -> Pipeline:
    """A pipeline that calls the named components one after another."""
    if not steps:
        hint = f"%kf_pipeline {name} STEP STEP ..."
        raise PipelineError(f"pipeline {name} has no steps:", hint=hint, ref=name)
    for step in steps:
        if step not in notebook.components:
            raise _unknown(step, notebook)
        if steps.count(step) > 1:
            raise PipelineError(
                f"{step} is given more than once in pipeline {name}:",
                hint="use %%kf_pipeline to call a step again",
                ref=name,
            )
    _check_pipeline_name(notebook, name)
    body = "\n".join(f"{step}()" for step in steps)
    return Pipeline(name, Cell(body, 0, sys.maxsize, name, name), notebook)


def _check_pipeline_name(notebook: ExecutedNotebook, name: str) -> None:
    check_name(name, "pipeline")
    if name in notebook.components:
        message = f"{name} is already a component:"
        raise PipelineError(message, code="invalid-name", hint="give the pipeline another name", ref=name)


def build(
    pipeline: Pipeline, *, image: str = "", index_urls: Sequence[str] = (), seed: int | None = None
) -> Built:
    """Create and wire the steps of a pipeline, and write its program; ``seed`` is for steps without one."""
    notebook, cell = pipeline.notebook, pipeline.cell
    called = called_components(cell.tree, notebook.components)
    _check_names(called)
    names = _body_names(pipeline, called)
    options = Options(params=pipeline.params)
    dependencies = trace(notebook, cell, names, options)
    params = {**dependencies.params, **{p.name: p for p in pipeline.params}}
    components, by_component, wired = _wired(pipeline, called, params, dependencies.constants, seed)
    wired.notes += _outdated(notebook, called, by_component)
    place = _place(notebook.folder, [notebook.components[name] for name in called])
    files = with_importers(
        {name: _files(notebook, by_component[name], name, wired, place) for name in called}
    )
    steps = tuple(
        make_step(
            notebook,
            components[name],
            by_component[name],
            wired.used_outputs.get(name, ()),
            files[name],
        )
        for name in called
    )
    rename_inputs(wired, {step.name: step for step in steps})
    import_files(wired, files)
    program = write_program(
        pipeline.name, steps, wired, dependencies, image=image or default_image(), index_urls=index_urls
    )
    return Built(pipeline, steps, wired, program)


def _wired(
    pipeline: Pipeline,
    called: Sequence[str],
    params: Mapping[str, DeclaredParameter],
    constants: Mapping[str, str],
    seed: int | None,
) -> tuple[dict[str, Component], dict[str, Dependencies], Wired]:
    """The components with their used outputs, their dependencies, and the wired body.

    The inputs of a step depend on which of its outputs others use (``Component.giving``), and these on the inputs of
    the others: so this begins with the outputs given by name, and adds what the wiring shows.
    """
    notebook = pipeline.notebook
    known = {name: one.seeded(seed) for name, one in notebook.components.items()}
    taken = {
        name: {*known[name].options.outputs, *given}
        for name, given in given_by_name(pipeline.cell.tree, called).items()
    }
    while True:
        components = known | {name: known[name].giving(outputs) for name, outputs in taken.items()}
        dependencies = {name: dependencies_of(notebook, components[name]) for name in called}
        wired = wire(pipeline.cell, components, dependencies, params, constants)
        more = {name: outputs | set(wired.used_outputs.get(name, ())) for name, outputs in taken.items()}
        if all(more[name] & set(known[name].names.conditional) <= taken[name] for name in taken):
            return components, dependencies, wired
        taken = more


def _place(folder: Path, components: Sequence[Component]) -> str:
    """The notebook's folder, relative to the highest folder in which a component has files."""
    up = max((component.files.up for component in components), default=0)
    return "/".join(folder.resolve().parts[-up:]) if up else ""


def _placed(notebook: ExecutedNotebook, component: Component, dependencies: Dependencies) -> frozenset[str]:
    """The names of a component that hold absolute paths of the notebook's folder."""
    if component.function is not None:
        return frozenset()
    space, folder = notebook.namespace, notebook.folder
    constants = [
        *dependencies.constants,
        *(one.name for one in dependencies.sources if one.sort is DefinitionKind.EXPRESSION),
    ]
    found = {name for name in constants if holds_whole_path(space.get(name), folder)}
    return component.placed | found


def _files(
    notebook: ExecutedNotebook, dependencies: Dependencies, name: str, wired: Wired, place: str
) -> StepFiles:
    """The files that a component's step gets. A file that no longer exists is an error, with its name."""
    component, folder = notebook.components[name], notebook.folder
    beside = wired.beside.get(name, set())
    listed = seen_beside(folder, component, notebook.components.values())
    there = fitting(folder, listed)
    wired.notes += changed_since(component, beside, notebook.components.values())
    if len(there) < len(listed):
        wired.notes.append(
            f"{name} lists {len(listed)} files that it did not read, too many or too large for its step's folder: the"
            f" step has {len(there)} of them"
        )
    try:
        placed = _placed(notebook, component, dependencies)
        beside = {*beside, *there}
        return files_of_step(
            folder, component.files, wired.earlier.get(name, 0), sorted(beside), place, placed
        )
    except OSError as error:
        why = {FileNotFoundError: "no longer exists", IsADirectoryError: "is now a folder"}.get(
            type(error), f"cannot be read ({error.strerror})"
        )
        raise PipelineError(
            f"{name} read the file {os.path.relpath(error.filename, folder)} when its cell ran, which {why}:",
            hint=f"run cell {component.cell} again",
            ref=f"cell {component.cell}",
        ) from None


def _outdated(
    notebook: ExecutedNotebook, called: Sequence[str], dependencies: Mapping[str, Dependencies]
) -> list[str]:
    """Notes on changes in the notebook since a step's cell ran, by which the pipeline differs."""
    notes = [
        f"the cell of {name} failed, or was refused, when it last ran: the pipeline uses its last successful run"
        for name in called
        if name in notebook.failed
    ]
    for name in called:
        component = notebook.components[name]
        notes += [
            f"{source.name} was redefined since {name} ran: the pipeline uses the new definition"
            for source in dependencies[name].sources
            if source.cell.order > component.cell.order
        ]
        notes += [note for one in dependencies[name].transforms.values() for note in outdated(notebook, one)]
    return list(dict.fromkeys(notes))


def compile_program(name: str, program: str) -> Any:
    """Run a pipeline's program and return KFP's pipeline object. Raises ``PipelineError`` with KFP's message."""
    file = f"<kfnb {name}>"
    linecache.cache[file] = (len(program), None, program.splitlines(keepends=True), file)
    module = ModuleType(f"kfnb_pipeline_{name}")
    module.__file__ = file
    sys.modules[module.__name__] = module  # inspect finds the source of a class by its module
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(program, file, "exec", dont_inherit=True), vars(module))
    except Exception as error:  # KFP and the user's body may raise anything
        _logger.debug("KFP's SDK refused the program of pipeline %s.", name, exc_info=True)
        message = f"KFP cannot build pipeline {name}{_statement(error, file)}: {error}"
        raise PipelineError(message, code="cannot-compile", ref=name) from error
    finally:
        del sys.modules[module.__name__]
    return vars(module)[name]


def _statement(error: Exception, file: str) -> str:
    """The statement of a pipeline's program that raised an error, for a message; empty if there is none."""
    lines = [frame.line for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f", at `{lines[-1]}`" if lines and lines[-1] else ""


def compiled(built: Built) -> Compiled:
    """The compiled form of a pipeline."""
    made = compile_program(built.pipeline.name, built.program)
    return replace(from_kfp(made), program=built.program, notes=built.notes, unseeded=built.unseeded)


def from_kfp(pipeline: Any) -> Compiled:
    """The compiled form of a KFP pipeline object (or component)."""
    from google.protobuf import json_format

    spec = _sorted(json_format.MessageToDict(pipeline.pipeline_spec))
    platform = _sorted(json_format.MessageToDict(pipeline.platform_spec))
    return Compiled(spec, platform or None)


def _sorted(data: Any) -> Any:
    """JSON data with sorted keys, as in KFP's YAML: the order of protobuf's maps differs between processes."""
    if isinstance(data, dict):
        return {key: _sorted(data[key]) for key in sorted(data)}
    return [_sorted(one) for one in data] if isinstance(data, list) else data


def is_kfp(thing: Any) -> bool:
    """Whether an object is a pipeline or a component of KFP's SDK, without importing the SDK."""
    return hasattr(thing, "pipeline_spec") and hasattr(thing, "platform_spec")


def write_yaml(pipeline: Any, path: Path) -> None:
    """Write a KFP pipeline object as KFP does."""
    from kfp import compiler

    path.parent.mkdir(parents=True, exist_ok=True)
    compiler.Compiler().compile(pipeline, str(path))


def default_image() -> str:
    """The default image of steps: Python's, of the version that runs here."""
    return f"python:{sys.version_info.major}.{sys.version_info.minor}-slim"


def _body_names(pipeline: Pipeline, called: Sequence[str]) -> Names:
    """The dependencies of the body itself, besides the steps and KFP's names."""
    names = read_names(pipeline.cell.tree, pipeline.notebook.star_names)
    for known in (*called, "dsl", "kfp", "kubernetes"):
        names.reads.pop(known, None)
        names.conditional.pop(known, None)
    return names


def _check_names(called: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for name in called:
        other = seen.setdefault(kfp_name(name), name)
        if other != name:
            raise PipelineError(
                f"{other} and {name} have the same name in KFP ({kfp_name(name)}): rename one"
            )


def rename_inputs(wired: Wired, steps: dict[str, Step]) -> None:
    """Rename keyword arguments where a step's argument has another name than the notebook's."""
    for node in (node for statement in wired.body for node in ast.walk(statement)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in steps:
            for keyword in node.keywords:
                if keyword.arg is not None:
                    keyword.arg = steps[node.func.id].arguments.get(keyword.arg, keyword.arg)


def import_files(wired: Wired, files: Mapping[str, StepFiles]) -> None:
    """Begin the body with the importers of data sets and of large files, and pass the files to their steps."""
    imported: dict[str, Carried | ImportedData] = {
        name: one for step in files.values() for name, one in step.imported.items()
    }
    for node in (node for statement in wired.body for node in ast.walk(statement)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in files:
            node.keywords += [
                ast.keyword(name, ast.Attribute(ast.Name(name, ast.Load()), "output", ast.Load()))
                for name in files[node.func.id].imported
            ]
    imported |= wired.data
    # without a display name: KFP 2.17 records an importer under it, and steps look for the importer by its own name
    wired.body[:0] = [
        statement
        for name, one in imported.items()
        for statement in ast.parse(
            f"{name} = dsl.importer(artifact_uri={one.uri!r}, artifact_class=dsl.{_class_of(one)},"
            f" metadata={one.metadata!r})"
        ).body
    ]


def _class_of(imported: Carried | ImportedData) -> str:
    return "Dataset" if isinstance(imported, ImportedData) else "Artifact"


def _with_value(notebook: ExecutedNotebook, param: DeclaredParameter) -> DeclaredParameter:
    if param.name not in notebook.injected:
        return param
    value = typed(notebook.injected[param.name], param.type, param.name)
    return DeclaredParameter(param.name, param.type, value, param.place)


def _unknown(name: str, notebook: ExecutedNotebook) -> PipelineError:
    known = ", ".join(notebook.components) or "none yet: define one with %%kf_component"
    hint = did_you_mean(name, notebook.components) or f"components: {known}"
    return PipelineError(f"unknown component {name}", code="unknown-component", hint=hint, ref=name)
