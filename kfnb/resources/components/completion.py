"""Completion of components, pipelines and their arguments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from kfnb.commands import completion
from kfnb.commands.completion import Around, Values, files
from kfnb.commands.expected import Expected
from kfnb.pipeline.workspace import Workspace
from kfnb.resources.components import api

_COMPILED = (".yaml", ".yml", ".json", ".py")


def parameters(subject: str, around: Around) -> list[str]:
    """The names of the parameters of a pipeline or a component of the notebook, or of a compiled file."""
    if around.workspace is not None and subject in around.workspace.notebook.components:
        return [one.name for one in around.workspace.notebook.components[subject].options.params]
    if around.workspace is not None and subject in around.workspace.pipelines:
        return list(_wired(around.workspace, subject))
    if Path(subject).suffix in (".yaml", ".yml", ".json") and Path(subject).is_file():
        spec = api.spec_of(subject).spec
        return list(spec["root"].get("inputDefinitions", {}).get("parameters", {}))
    return []


def _wired(workspace: Workspace, name: str) -> tuple[str, ...]:
    """The current parameters of a pipeline; none if it cannot be wired."""
    pipeline = workspace.pipelines[name]
    components = tuple((one.name, one.cell.order) for one in workspace.notebook.components.values())
    return completion.answers(
        ("parameters", id(pipeline), components), lambda: api.built(pipeline).wired.params
    )


def _pipelines(found: Expected, around: Around) -> Iterator[str]:
    if around.workspace is not None:
        yield from reversed(around.workspace.pipelines)
    yield from files(found.begun, _COMPILED)


def _components(found: Expected, around: Around) -> Iterator[str]:
    if around.workspace is not None:
        yield from (
            name for name in around.workspace.notebook.components if name not in found.given.get("steps", ())
        )


def _subjects(found: Expected, around: Around) -> Iterator[str]:
    if around.workspace is not None:
        yield from reversed(around.workspace.pipelines)
        yield from around.workspace.notebook.components
    yield from files(found.begun, _COMPILED)


def _arguments(found: Expected, around: Around) -> Iterable[str]:
    subject = next((found.given[name][0] for name in ("pipeline", "subject") if name in found.given), "")
    return parameters(subject, around)


VALUES: dict[str, Values] = {
    "argument": _arguments,
    "component": _components,
    "pipeline": _pipelines,
    "subject": _subjects,
}
