"""What travels with a component, and why: every name that its code needs, traced to what made it.

``trace`` follows the names that a cell reads, and those that the functions it uses read in turn, until each is an
input, a parameter, an import, a piece of source or a constant; or it raises a ``CaptureError`` that says which cell
made the name and what to do.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from kfnb.capture import modules, packages
from kfnb.capture.cell import Cell
from kfnb.capture.component import Options, is_builtin, live_object, unknown_name
from kfnb.capture.definitions import Definition, Sort
from kfnb.capture.embedded import KF_OUTPUTS
from kfnb.capture.names import Names
from kfnb.capture.notebook import Notebook, Parameter
from kfnb.errors import CaptureError


@dataclass(frozen=True)
class Import:
    """One import statement for the top of a step; ``module`` is what must be installed for it."""

    name: str
    text: str
    module: str
    origin: str


@dataclass
class Travel:
    """All that a component needs from around it, each thing once, in the order in which it must be there.

    ``files`` are modules that lie beside the notebook, ``needed`` modules that must be installed with the place
    that imports each, ``reasons`` say which name asked for which.
    """

    inputs: dict[str, Definition] = field(default_factory=dict)
    params: dict[str, Parameter] = field(default_factory=dict)
    imports: dict[str, Import] = field(default_factory=dict)
    sources: list[Definition] = field(default_factory=list)
    constants: dict[str, str] = field(default_factory=dict)
    origins: dict[str, Cell] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    needed: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    kf: set[str] = field(default_factory=set)
    provided: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def trace(
    notebook: Notebook,
    cell: Cell,
    names: Names,
    options: Options,
    *,
    constants: Mapping[str, str] | None = None,
    before: int | None = None,
) -> Travel:
    """Everything that the code of ``cell`` needs.

    ``before`` is the order of the cell as of which names are looked up, ``constants`` the values (as source) that
    constants had then; both as the component was captured, or None for now.
    """
    tracer = _Tracer(notebook, options, constants or {}, before)
    for name, line in names.reads.items():
        soft = name in names.maybe or name in names.writes
        tracer.need(name, line, cell, soft=soft, reason="the cell")
    tracer.imports_inside(cell.tree, cell)
    tracer.kf_calls(cell.tree)
    for module in cell.code.modules:
        tracer.travel.imports[module] = Import(module, f"import {module}", module, f"cell {cell}")
    found = tracer.travel
    found.sources.sort(key=lambda one: (one.cell.order, one.first))
    return found


class _Tracer:
    def __init__(
        self, notebook: Notebook, options: Options, constants: Mapping[str, str], before: int | None
    ) -> None:
        self.notebook = notebook
        self.options = options
        self.constants = constants
        self.before = before
        self.seen: set[str] = set()
        self.travel = Travel()

    def need(self, name: str, line: int, cell: Cell, *, soft: bool, reason: str) -> None:
        """Find what makes ``name``. ``soft``: the code may well make it itself, so it may also be absent."""
        if name in self.seen:
            return
        self.seen.add(name)
        self.travel.reasons[name] = reason
        declared = next((param for param in self.options.params if param.name == name), None)
        if declared is not None:
            self.travel.params[name] = declared
            return
        definition = self.notebook.definition(name, self.before)
        if definition is None:
            self._undefined(name, line, cell, soft=soft)
            return
        take = {
            Sort.IMPORT: self._import,
            Sort.SOURCE: self._source,
            Sort.LITERAL: self._constant,
            Sort.PARAMETER: self._parameter,
            Sort.STEP: self._input,
        }.get(definition.sort)
        if take is not None:
            self.travel.origins[name] = definition.cell
            take(definition)
        elif definition.sort is Sort.LIVE:
            self._live(name, line, cell, f"by cell {definition.cell}", soft=soft)
        elif not soft:
            raise CaptureError(f"{cell.place(line)}: {name} was deleted by cell {definition.cell}")

    # -- the sorts of definitions -----------------------------------------------------------------------------

    def _input(self, definition: Definition) -> None:
        self.travel.inputs[definition.name] = definition

    def _parameter(self, definition: Definition) -> None:
        self.travel.params[definition.name] = self.notebook.parameters[definition.name]

    def _constant(self, definition: Definition) -> None:
        name = definition.name
        value = self.notebook.namespace.get(name)
        text = self.constants.get(name) or repr(value)
        try:
            same = ast.literal_eval(text) == value or name in self.constants
        except (ValueError, SyntaxError):
            same = False
        if not same:
            place = definition.cell.place(definition.first)
            raise CaptureError(f"{place}: {name} is no longer the constant that this line made it")
        self.travel.constants[name] = text

    def _source(self, definition: Definition) -> None:
        if definition not in self.travel.sources:
            self.travel.sources.append(definition)
        self.kf_calls(ast.Module([definition.node] if definition.node else [], []))
        if definition.node is not None:
            self.imports_inside(definition.node, definition.cell)
        names = definition.reads(self.notebook.star_names)
        outer = self.before
        if outer is not None and definition.cell.order >= outer:
            self.before = None  # an edited function is taken as of now, and so is what it needs
        for name, line in names.reads.items():
            soft = name in names.maybe or name in names.writes
            self.need(name, line, definition.cell, soft=soft, reason=definition.name)
        self.before = outer

    def _import(self, definition: Definition) -> None:
        node = definition.node
        assert isinstance(node, ast.Import | ast.ImportFrom)
        text, module = _import_of(definition.name, node, self.notebook)
        place = str(definition.cell.place(definition.first))
        self.travel.imports[definition.name] = Import(definition.name, text, module, place)
        self.module(module, place)

    # -- names without a definition that travels --------------------------------------------------------------

    def _undefined(self, name: str, line: int, cell: Cell, *, soft: bool) -> None:
        if name == "kf":
            return  # what of it is used, ``kf_calls`` finds out
        if name == "get_ipython":
            raise CaptureError(f"{cell.place(line)}: get_ipython() is the notebook's; a step has no IPython")
        if name in self.notebook.namespace and name != "display":
            self._live(name, line, cell, "outside this notebook's cells", soft=soft)
        elif is_builtin(name):
            self.travel.provided.add(name)
        elif not soft:
            raise unknown_name(name, line, cell, [*self.notebook.names(), *self.notebook.namespace])

    def _live(self, name: str, line: int, cell: Cell, maker: str, *, soft: bool) -> None:
        value = self.notebook.namespace.get(name)
        text, module = _importable(name, value)
        if text:
            self.travel.imports[name] = Import(name, text, module, str(cell.place(line)))
            self.module(module, str(cell.place(line)))
        elif not soft:
            raise live_object(name, line, cell, maker, value)
        else:
            self.travel.notes.append(f"{name} is taken to be made by the component itself, not {maker}")

    # -- modules ----------------------------------------------------------------------------------------------

    def imports_inside(self, tree: ast.AST, cell: Cell) -> None:
        """The imports that stand in the code itself: what they name must be there too."""
        tried = _tried_imports(tree)
        for node in ast.walk(tree):
            found = []
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                found = [node.module]
            for module in found:
                if node not in tried or packages.is_installed(module):
                    self.module(module, str(cell.place(getattr(node, "lineno", 1))))

    def module(self, module: str, place: str) -> None:
        """Note that ``module`` must be importable: beside the notebook, or from a package."""
        if packages.is_standard(module) or module in self.travel.needed:
            return
        if packages.beside(module, self.notebook.folder) is None:
            self.travel.needed[module] = place
            return
        files = modules.collect(module, self.notebook.folder)
        new = {name: source for name, source in files.items() if name not in self.travel.files}
        self.travel.files.update(new)
        for name, source in new.items():
            for inner in modules.imported(source, name):
                self.module(inner, name)

    def kf_calls(self, tree: ast.AST) -> None:
        """Which of ``kf``'s functions the code uses: those decide which artifacts the step has."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "kf":
                if node.attr in KF_OUTPUTS:
                    self.travel.kf.add(node.attr)


def _import_of(name: str, node: ast.Import | ast.ImportFrom, notebook: Notebook) -> tuple[str, str]:
    """The statement that binds just ``name``, and the module that it imports."""
    for alias in node.names:
        bound = alias.asname or (alias.name.split(".")[0] if isinstance(node, ast.Import) else alias.name)
        if bound != name and alias.name != "*":
            continue
        if isinstance(node, ast.Import):
            return ast.unparse(ast.Import([alias])), alias.name
        module = "." * node.level + (node.module or "")
        if alias.name == "*" and name in notebook.star_names(module):
            return f"from {module} import {name}", module
        if alias.name != "*":
            inner = f"{module}.{alias.name}"
            text = ast.unparse(ast.ImportFrom(node.module, [alias], node.level))
            return text, inner if inner in sys.modules else module
    raise AssertionError(name)  # the definition came from this very statement


def _importable(name: str, value: Any) -> tuple[str, str]:
    """An import statement that gives ``value`` under ``name`` elsewhere, and its module; empty when there is none."""
    if isinstance(value, ModuleType):
        return f"import {value.__name__}" + ("" if value.__name__ == name else f" as {name}"), value.__name__
    module, own = getattr(value, "__module__", None), getattr(value, "__name__", None)
    known = isinstance(value, type) or inspect.isroutine(value)
    if not known or not module or module == "__main__" or not own:
        return "", ""
    if getattr(sys.modules.get(module), own, None) is not value:
        return "", ""
    return f"from {module} import {own}" + ("" if own == name else f" as {name}"), module


def _tried_imports(tree: ast.AST) -> set[ast.AST]:
    """Imports under a ``try`` that go without when the package is missing."""
    return {
        node
        for attempt in ast.walk(tree)
        if isinstance(attempt, ast.Try) and attempt.handlers
        for statement in attempt.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
