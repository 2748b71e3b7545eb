"""Capturing a transform: its cell, with all that it needs of the notebook, becomes one text."""

from __future__ import annotations

import ast
import re
import traceback
from collections.abc import Iterator
from dataclasses import replace

from kfnb.capture.body import body_of, trimmed
from kfnb.capture.captured_transform import CapturedTransform
from kfnb.capture.cell import Cell
from kfnb.capture.component import Options, check_name
from kfnb.capture.definition_order import in_order
from kfnb.capture.definitions import DefinitionKind
from kfnb.capture.dependencies import Dependencies
from kfnb.capture.embedded.transforms import kfnb_Transform
from kfnb.capture.name_usage import Names
from kfnb.capture.named_files import files_named
from kfnb.capture.names import read_names
from kfnb.capture.notebook import ExecutedNotebook
from kfnb.capture.packages import requirement_for
from kfnb.capture.requirements import name_of
from kfnb.capture.syntax import all_names
from kfnb.capture.tracer import trace
from kfnb.capture.transform_cell import check_transform, functions_of
from kfnb.errors import CaptureError
from kfnb.sourcemap import CellLine, mark


def define_transform(
    notebook: ExecutedNotebook, cell: Cell, packages: tuple[str, ...] = ()
) -> CapturedTransform:
    """Run the definitions of a transform's cell, and give its name the object; ``packages`` are required too.

    Raises ``CaptureError``; then nothing has changed.
    """
    captured = _captured(notebook, cell, packages)
    made = captured.made()
    _run(made, cell)
    again = tuple(_fitted_before(notebook, cell.name))
    notebook.add_transform(captured)
    notebook.namespace[cell.name] = made
    return replace(captured, notes=(*again, *captured.notes))


def _fitted_before(notebook: ExecutedNotebook, name: str) -> Iterator[str]:
    """A note on a transform whose cell runs again: what was fitted is no longer its state."""
    before = notebook.definition(name)
    value = notebook.namespace.get(name)
    if before is None or not isinstance(value, kfnb_Transform) or not (value.fitted and value.learns):
        return
    by = (
        f" by cell {before.cell}: run that cell again"
        if before.sort is DefinitionKind.STEP
        else ": fit it again"
    )
    yield f"{name} is not fitted any more, as its cell ran again after it was fitted{by}"


def outdated(notebook: ExecutedNotebook, captured: CapturedTransform) -> Iterator[str]:
    """Notes on what a transform has of other cells as it was when its own cell ran."""
    dependencies, space = captured.dependencies, notebook.namespace
    changed = [
        (source.name, f"cell {now.cell}")
        for source in dependencies.sources
        if (now := notebook.definition(source.name)) is not None and now.text != source.text
    ]
    changed += [
        (name, "the notebook")
        for name, value in dependencies.constants.items()
        if name in space and repr(space[name]) != value and dependencies.constants.get(value) is None
    ]
    for name, where in changed:
        yield (
            f"{captured.name} has {name} as it was when its cell ran, and {where} has another one since: run cell"
            f" {captured.cell} again"
        )


def _captured(notebook: ExecutedNotebook, cell: Cell, packages: tuple[str, ...]) -> CapturedTransform:
    check_name(cell.name, "transform")
    _check_free(notebook, cell)
    check_transform(cell, notebook.namespace.__getitem__)
    names = read_names(_called(cell), notebook.star_names)
    options = Options(packages=packages)
    dependencies = trace(notebook, cell, names, options, before=cell.order)
    _check_dependencies(cell, names, dependencies)
    found, notes = _packages(dependencies, packages), tuple(_notes(notebook, cell, dependencies))
    return CapturedTransform(cell.name, cell, _text(notebook, cell, dependencies), dependencies, found, notes)


def _called(cell: Cell) -> ast.Module:
    """The cell's code with uses of its functions: so what they need counts."""
    uses = [
        ast.copy_location(ast.Expr(ast.Name(name, ast.Load())), function)
        for name, function in functions_of(cell).items()
    ]
    return ast.fix_missing_locations(ast.Module([*cell.tree.body, *uses], []))


def _check_free(notebook: ExecutedNotebook, cell: Cell) -> None:
    """Raise ``CaptureError`` if the transform's name stands for something else."""
    name = cell.name
    taken = ""
    known = notebook.definition(name)
    if name in notebook.components:
        taken = "a component"
    elif known is not None and known.sort is DefinitionKind.TRANSFORM:
        taken = f"the transform of cell {known.cell}" if notebook.linear else ""
    elif name in notebook.parameters:
        taken = f"a parameter, {notebook.parameters[name].place}"
    elif name in notebook.namespace and not isinstance(notebook.namespace[name], kfnb_Transform):
        by = f"defined by cell {known.cell}" if known is not None else "defined outside this notebook's cells"
        taken = f"{by} ({type(notebook.namespace[name]).__name__})"
    if taken:
        hint = "give the transform another name"
        raise CaptureError(
            f"cell {cell}: {name} is already {taken}:", code="invalid-name", hint=hint, ref=f"cell {cell}"
        )


def _check_dependencies(cell: Cell, names: Names, dependencies: Dependencies) -> None:
    """Raise ``CaptureError`` for what a server would not have."""
    learned = "return it from fit(df), as part of the state"
    refused = dict.fromkeys(
        dependencies.params, ("is a parameter of pipelines", f"make it a constant, or {learned}")
    )
    refused |= {
        name: (f"is a value that component {definition.cell.name} makes", learned)
        for name, definition in dependencies.inputs.items()
    }
    refused |= dict.fromkeys(
        dependencies.transforms, ("is another transform", "put what both need into a function")
    )
    for module in dependencies.needed:
        if module.partition(".")[0] in ("kfnb", "kfp"):
            refused[module] = ("a server does not have", "use it in the component that calls the transform")
    if dependencies.kf:
        refused["kf"] = ("reports the results of a component", "report in the component that calls it")
    for name, (what, hint) in refused.items():
        place = dependencies.needed.get(name) or str(cell.place(names.needs.get(name, 1)))
        raise CaptureError(f"{place}: a transform cannot use {name}, which {what}:", hint=hint, ref=place)


def _packages(dependencies: Dependencies, declared: tuple[str, ...]) -> dict[str, str]:
    """The packages of the modules that the code imports, by module; those that were ``declared`` by their own names."""
    found = {name_of(text): name_of(text) for text in declared}
    for module, place in dependencies.needed.items():
        try:
            requirement = requirement_for(module)
        except CaptureError as error:
            if declared:
                continue  # assume that one of the declared packages provides it
            raise CaptureError(f"{place}: {error}") from None
        if requirement is not None:
            found[module.partition(".")[0]] = name_of(requirement)
    return dict(sorted(found.items()))


def _notes(notebook: ExecutedNotebook, cell: Cell, dependencies: Dependencies) -> Iterator[str]:
    """Notes on files that ``transform`` names: only the notebook has them."""
    trees = [node for node in cell.tree.body if getattr(node, "name", "") != "fit"]
    trees += [source.node for source in dependencies.sources if source.node is not None]
    for file in sorted(files_named(notebook.folder, trees).reads):
        yield f"{cell.name} names {file}, which a server does not have: read it in fit(df), and return what it holds"


def _text(notebook: ExecutedNotebook, cell: Cell, dependencies: Dependencies) -> str:
    """The source of the transform's module, the same in each notebook that defines it so: no cell has its number."""
    used = all_names(cell.tree).union(
        *(all_names(source.node) for source in dependencies.sources if source.node is not None)
    )
    lines = sorted({one.text for one in dependencies.imports.values()})
    lines += ["display = print"] if "display" in dependencies.provided else []
    lines += [f"{name} = {value}" for name, value in dependencies.constants.items()]
    for source, _ in in_order(dependencies.sources, notebook.star_names):
        body = body_of(source.text, notebook.star_names, used, ())
        lines += [mark(CellLine(source.cell.name or f"of {source.name}", source.first)), body.text]
    first, text = trimmed(body_of(cell.code.text, notebook.star_names, used, ()).text)
    lines += [mark(CellLine(cell.name, first)), text]
    # KFP empties lines of blanks when it reads a step's program
    return re.sub(r"(?m)^[ \t]+$", "", "\n".join(lines)) + "\n"


def _run(made: kfnb_Transform, cell: Cell) -> None:
    """Run the code of a transform; what it raises is reported with its line."""
    try:
        made.load()
    except Exception as error:
        frames = [
            one for one in traceback.extract_tb(error.__traceback__) if one.filename.startswith("<cell ")
        ]
        place = f"{frames[-1].filename[1:-1]}, line {frames[-1].lineno}" if frames else f"cell {cell}"
        raise CaptureError(f"{place}: {type(error).__name__}: {error}", ref=place) from error
