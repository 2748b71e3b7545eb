"""A compiled pipeline as a notebook whose cells compile to an equal one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kfnb.convert.captured_cells import cells_of
from kfnb.convert.captured_options import call_of, flags_of
from kfnb.convert.captured_step import CapturedStep
from kfnb.convert.draft import (
    LOAD,
    DraftCell,
    Flags,
    NotebookDraft,
    component_cell,
    headed,
    header,
    identifier,
)
from kfnb.convert.dsl_body import Call, DslBody
from kfnb.convert.dsl_values import variable_of
from kfnb.convert.executor_source import FunctionSource, function_of
from kfnb.entities import importers
from kfnb.errors import PipelineError
from kfnb.pipeline.spec import parameter_type, read_spec

_KFP = ("Artifact", "ClassificationMetrics", "Dataset", "HTML", "Input", "InputPath", "Markdown", "Metrics", "Model",
        "Output", "OutputPath", "PipelineTaskFinalStatus")  # fmt: skip
_TYPING = ("Any", "Dict", "List", "NamedTuple", "Optional")


def decompile(path: Path) -> NotebookDraft:
    """The notebook of a compiled pipeline. Raises ``PipelineError`` for what a notebook cannot hold."""
    compiled = read_spec(path)
    components = _components(compiled.spec)
    body = DslBody(compiled.spec, {name: one.call for name, one in components.items()})
    lines = body.lines()
    kept, notes = _outputs(compiled.spec, body)
    functions = _functions(components, path)
    outputs: dict[str, list[str]] = {}
    for name, one in components.items():
        outputs.setdefault(one.source.name, []).extend([*kept.get(name, ()), *one.unused(lines)])
    flags: dict[str, Flags] = {
        name: (*one.flags(body), *(("--output", output) for output in dict.fromkeys(outputs[name])))
        for name, one in functions.items()
    }
    name = identifier(compiled.name, "pipeline", functions)
    if compiled.platform:
        notes.append("settings of Kubernetes (secrets, volumes, node selectors, ...) are left out")
    cells = [
        LOAD,
        *_cells(functions, flags),
        headed(
            header("%%kf_pipeline", name, [("--param", text) for text in _params(compiled.spec)]),
            "\n".join(lines),
        ),
    ]
    return NotebookDraft(tuple(cells), (*notes, *_files(compiled.spec)))


@dataclass(frozen=True)
class _Component:
    """A component with a function, and its tasks, each with its key."""

    definition: Mapping[str, Any]
    executor: Mapping[str, Any]
    source: FunctionSource
    tasks: tuple[tuple[str, Mapping[str, Any]], ...]

    @property
    def step(self) -> CapturedStep:
        return CapturedStep(self.source)

    @property
    def call(self) -> Call:
        """How it is called."""
        return (
            call_of(self.step, self.tasks, self.executor) if self.step.is_captured else Call(self.source.name)
        )

    def flags(self, body: DslBody) -> Flags:
        """The options of its cell."""
        return tuple(flags_of(self.step, self.definition, self.tasks, self.executor, body))

    def unused(self, lines: list[str]) -> list[str]:
        """The outputs of a captured component that no task takes: its cell names them."""
        if not self.step.is_captured or self.step.is_function:
            return []
        text = "\n".join(lines)
        found = self.definition.get("outputDefinitions", {})
        names = [name for kind in ("parameters", "artifacts") for name in found.get(kind) or ()]
        taken = [
            name for key, _ in self.tasks for name in names if f'{variable_of(key)}.outputs["{name}"]' in text
        ]
        return [name for name in names if name not in taken and not name.startswith("kf_")]


def _components(spec: Mapping[str, Any]) -> dict[str, _Component]:
    """The components that have an executor, but importers."""
    executors = spec.get("deploymentSpec", {}).get("executors", {})
    tasks: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for component in (spec["root"], *spec.get("components", {}).values()):
        for key, task in component.get("dag", {}).get("tasks", {}).items():
            tasks.setdefault(task["componentRef"]["name"], []).append((key, task))
    found = {}
    for name, component in spec.get("components", {}).items():
        executor = executors.get(component.get("executorLabel", ""), {})
        if "executorLabel" in component and "importer" not in executor:
            source = function_of(name.removeprefix("comp-"), executor)
            found[name] = _Component(component, executor, source, tuple(tasks.get(name, ())))
    return found


def _functions(components: Mapping[str, _Component], path: Path) -> dict[str, _Component]:
    """The components by their functions, each once."""
    found: dict[str, _Component] = {}
    for one in components.values():
        if one.step.is_captured:
            one.step.check()
        known = found.setdefault(one.source.name, one)
        if known.source != one.source:
            raise PipelineError(
                f"{path} has two different functions called {one.source.name}, which one notebook cannot have",
                ref=one.source.name,
            )
        found[one.source.name] = (
            replace(known, tasks=(*known.tasks, *one.tasks)) if known is not one else known
        )
    return found


def _cells(functions: Mapping[str, _Component], flags: Mapping[str, Flags]) -> Iterator[DraftCell]:
    captured = [one.step for one in functions.values() if one.step.is_captured]
    others = [one.source for one in functions.values() if not one.step.is_captured]
    yield from _imports([*others, *(step.source for step in captured if step.is_function)], others)
    yield from cells_of(captured, flags)
    for source in others:
        yield component_cell(source.name, flags[source.name], source.text)


def _files(spec: Mapping[str, Any]) -> Iterator[str]:
    """Notes on the files that a pipeline of kfnb's imports."""
    for _, one in importers(spec):
        yield f"{', '.join(one.paths)} are needed beside the notebook: the pipeline has its digest, not its content"


def _imports(sources: list[FunctionSource], with_helpers: list[FunctionSource]) -> Iterator[DraftCell]:
    """The cell with what the functions' annotations name, and the cells of the functions that they call."""
    if not sources:
        return
    words = set(re.findall(r"\w+", "\n".join(one.text for one in sources)))
    kfp, typing = [one for one in _KFP if one in words], [one for one in _TYPING if one in words]
    lines = [f"from typing import {', '.join(typing)}"] if typing else []
    lines += ["from kfp import dsl"]
    lines += [f"from kfp.dsl import {', '.join(kfp)}"] if kfp else []
    yield DraftCell("\n".join(lines))
    for text in dict.fromkeys(one.helpers for one in with_helpers if one.helpers):
        yield DraftCell(text)


def _params(spec: Mapping[str, Any]) -> Iterator[str]:
    definitions = spec["root"].get("inputDefinitions", {})
    for name in definitions.get("artifacts") or ():
        raise PipelineError(
            f"the pipeline takes the artifact {name}, which a notebook's pipeline cannot", ref=name
        )
    for name, one in (definitions.get("parameters") or {}).items():
        kind, default = parameter_type(one), one.get("defaultValue")
        if kind == "int" and default is not None:
            default = int(default)
        yield f"{name}:{kind}" if default is None else f"{name}:{kind}={default!r}"


def _outputs(spec: Mapping[str, Any], body: DslBody) -> tuple[dict[str, list[str]], list[str]]:
    """The outputs of components that are those of the pipeline; and notes on those that cannot be."""
    kept: dict[str, list[str]] = {}
    notes = []
    for name, source in body.outputs(spec["root"]).items():
        made = source.get("valueFromParameter") or (source.get("artifactSelectors") or [{}])[0]
        producer, key = (
            made.get("producerSubtask"),
            made.get("outputParameterKey") or made.get("outputArtifactKey"),
        )
        givers = [(task, component) for task, component in body.top_level if task == producer]
        if key == name and givers:
            kept.setdefault(givers[0][1], []).append(name)
        else:
            notes.append(
                f"the pipeline's output {name} is left out: a notebook's pipeline has the outputs of its tasks"
            )
    return kept, notes
