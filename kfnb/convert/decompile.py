"""A compiled pipeline as a notebook whose cells compile to an equal one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kfnb.convert.draft import LOAD, Draft, DraftCell, headed, header, identifier
from kfnb.convert.dsl_body import Call, DslBody
from kfnb.convert.executor_source import FunctionSource, function_of
from kfnb.errors import PipelineError
from kfnb.pipeline.pipeline import default_image
from kfnb.pipeline.spec import parameter_type, read_spec

_KFP = ("Artifact", "ClassificationMetrics", "Dataset", "HTML", "Input", "InputPath", "Markdown", "Metrics", "Model",
        "Output", "OutputPath", "PipelineTaskFinalStatus")  # fmt: skip
_TYPING = ("Any", "Dict", "List", "NamedTuple", "Optional")


def decompile(path: Path) -> Draft:
    """The notebook of a compiled pipeline. Raises ``PipelineError`` for what a notebook cannot hold."""
    compiled = read_spec(path)
    functions = _functions(compiled.spec)
    calls = {component: Call(one.name) for component, one in functions.items()}
    body = DslBody(compiled.spec, calls)
    lines = body.lines()
    kept, notes = _outputs(compiled.spec, body)
    sources: dict[str, FunctionSource] = {}
    outputs: dict[str, list[str]] = {}
    for component, one in functions.items():
        known = sources.setdefault(one.name, one)
        if known != one:
            raise PipelineError(
                f"{path} has two different functions called {one.name}, which one notebook cannot have", ref=one.name
            )
        outputs.setdefault(one.name, []).extend(kept.get(component, ()))
    name = identifier(compiled.name, "pipeline", sources)
    if compiled.platform:
        notes.append("settings of Kubernetes (secrets, volumes, node selectors, ...) are left out")
    cells = [
        LOAD,
        *_imports(sources),
        *(_function_cell(one, outputs[one.name]) for one in sources.values()),
        headed(header("%%kf_pipeline", name, [("--param", text) for text in _params(compiled.spec)]), "\n".join(lines)),
    ]
    return Draft(tuple(cells), tuple(notes))


def _functions(spec: Mapping[str, Any]) -> dict[str, FunctionSource]:
    """The function of each component that has an executor, but importers."""
    executors = spec.get("deploymentSpec", {}).get("executors", {})
    found = {}
    for name, component in spec.get("components", {}).items():
        executor = executors.get(component.get("executorLabel", ""), {})
        if "executorLabel" in component and "importer" not in executor:
            found[name] = function_of(name.removeprefix("comp-"), executor)
    return found


def _imports(sources: Mapping[str, FunctionSource]) -> Iterator[DraftCell]:
    """The cell with what the functions' annotations name, and the cells of the functions that they call."""
    words = set(re.findall(r"\w+", "\n".join(one.text for one in sources.values())))
    kfp, typing = [one for one in _KFP if one in words], [one for one in _TYPING if one in words]
    lines = [f"from typing import {', '.join(typing)}"] if typing else []
    lines += ["from kfp import dsl"]
    lines += [f"from kfp.dsl import {', '.join(kfp)}"] if kfp else []
    yield DraftCell("\n".join(lines))
    for text in dict.fromkeys(one.helpers for one in sources.values() if one.helpers):
        yield DraftCell(text)


def _function_cell(source: FunctionSource, outputs: list[str]) -> DraftCell:
    flags = [("--package", one) for one in source.packages]
    flags += [("--image", source.image)] if source.image != default_image() else []
    flags += [("--output", one) for one in dict.fromkeys(outputs)]
    return headed(header("%%kf_component", source.name, flags), source.text)


def _params(spec: Mapping[str, Any]) -> Iterator[str]:
    definitions = spec["root"].get("inputDefinitions", {})
    for name in definitions.get("artifacts") or ():
        raise PipelineError(f"the pipeline takes the artifact {name}, which a notebook's pipeline cannot", ref=name)
    for name, one in (definitions.get("parameters") or {}).items():
        kind, default = parameter_type(one), one.get("defaultValue")
        if kind == "int" and default is not None:
            default = int(default)
        yield f"{name}:{kind}" if default is None else f"{name}:{kind}={default!r}"


def _outputs(spec: Mapping[str, Any], body: DslBody) -> tuple[dict[str, list[str]], list[str]]:
    """The outputs of components that are those of the pipeline; and what is said of those that cannot be."""
    kept: dict[str, list[str]] = {}
    notes = []
    for name, source in body.outputs(spec["root"]).items():
        made = source.get("valueFromParameter") or (source.get("artifactSelectors") or [{}])[0]
        producer, key = made.get("producerSubtask"), made.get("outputParameterKey") or made.get("outputArtifactKey")
        givers = [(task, component) for task, component in body.top_level if task == producer]
        if key == name and givers:
            kept.setdefault(givers[0][1], []).append(name)
        else:
            notes.append(f"the pipeline's output {name} is left out: a notebook's pipeline has the outputs of its tasks")
    return kept, notes
