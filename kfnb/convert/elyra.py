"""Elyra's pipeline as a notebook of components: each node is one, with the cells of its notebook or its script."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kfnb.convert.draft import (
    LOAD,
    DraftCell,
    NotebookDraft,
    component_cell,
    headed,
    identifier,
    pipeline_cell,
)
from kfnb.convert.elyra_file import ElyraNode, ElyraPipeline, read_elyra
from kfnb.convert.elyra_options import flags_of, missing_of
from kfnb.convert.python_cell import as_code, split_magics
from kfnb.errors import UsageError
from kfnb.execute.notebook_file import read_notebook

_DEFAULTS = {"Integer": 0, "Float": 0.0, "Bool": False}
_TYPES: Mapping[str, Callable[[Any], Any]] = {
    "Integer": int,
    "Float": float,
    "Bool": lambda value: str(value).lower() == "true",
}


def convert_elyra(path: Path) -> NotebookDraft:
    """Convert a file, with the notebooks and scripts that it names. Raises ``UsageError`` for what cannot be."""
    pipeline = read_elyra(path)
    names: dict[str, str] = {}
    cells, notes = [LOAD], []
    about = "\n\n".join(filter(None, [pipeline.description, *pipeline.comments]))
    cells += [DraftCell(about, code=False)] if about else []
    cells += _parameters(pipeline)
    for node in pipeline.nodes:
        names[node.id] = identifier(node.label, "step", names.values())
        notes += [*missing_of(node), *_notes(node, path)]
        cells += _cells(node, names[node.id], notes)
    after = [(names[node.id], names[one]) for node in pipeline.nodes for one in node.previous]
    name = identifier(pipeline.name, "pipeline", names.values())
    cells += [
        pipeline_cell(name, list(names.values()), after),
        DraftCell(f"`%kf_submit {name} -o run` runs the pipeline.", code=False),
    ]
    return NotebookDraft(tuple(cells), tuple(notes))


def _parameters(pipeline: ElyraPipeline) -> list[DraftCell]:
    lines = [f"{name} = {_default(one)!r}" for name, one in pipeline.parameters.items()]
    return [headed("%%kf_parameters", "\n".join(lines))] if lines else []


def _default(parameter: Mapping[str, Any]) -> Any:
    given = parameter.get("default_value") or {}
    kind, value = given.get("type", "String"), given.get("value")
    if value in (None, ""):
        return _DEFAULTS.get(kind, "")
    try:
        return _TYPES.get(kind, str)(value)
    except ValueError:
        raise UsageError(f"parameter {parameter['name']}: {value!r} is not of type {kind}") from None


def _cells(node: ElyraNode, name: str, notes: list[str]) -> Iterator[DraftCell]:
    """The cells of a node; what a component cannot have is a cell before it."""
    begun = False
    variables = _variables_of_parameters(node)
    for cell, code in _texts(node):
        place = f"{node.label} ({node.file.name})"
        if not code:
            yield DraftCell(cell, code=False)
            continue
        split = split_magics(cell)
        if split.outside:
            notes.append(
                f"{place}: {split.outside.splitlines()[0]} is in a separate cell, as it cannot be in a step"
            )
            yield DraftCell(split.outside)
        if split.text.strip():
            text = as_code(split.text, place)
            yield component_cell(name, flags_of(node), text if begun else variables + text, continues=begun)
            begun = True
    if not begun:
        raise UsageError(f"{node.file} has no code, and cannot be a step", ref=str(node.file))


def _variables_of_parameters(node: ElyraNode) -> str:
    """Elyra passes a pipeline's parameters to notebooks and scripts as environment variables."""
    names = [str(name) for name in node.given.get("pipeline_parameters") or ()]
    lines = [f'os.environ["{name}"] = str({name})' for name in names]
    return "\n".join(["import os", "", *lines, "", ""]) if lines else ""


def _texts(node: ElyraNode) -> Iterator[tuple[str, bool]]:
    """The texts of a node's cells, each with whether it is code."""
    if node.file.suffix == ".ipynb":
        for cell in read_notebook(node.file).cells:
            if cell.cell_type in ("code", "markdown") and cell.source.strip():
                yield cell.source, cell.cell_type == "code"
        return
    try:
        yield node.file.read_text(encoding="utf-8").rstrip("\n"), True
    except FileNotFoundError:
        raise UsageError(
            f"node {node.label}: {node.file} does not exist", code="file-not-found", ref=str(node.file)
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"node {node.label}: {node.file} cannot be read: {error}", ref=str(node.file)
        ) from None


def _notes(node: ElyraNode, path: Path) -> Iterator[str]:
    if node.file.parent.resolve() != path.parent.resolve():
        yield (
            f"{node.label}: {node.file} ran in its own folder; relative paths and modules of its cells are now those of"
            " the new notebook's folder"
        )
