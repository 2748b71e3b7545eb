"""Definitions: the statements of executed cells that bind names, and the kind of each."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from kfnb.capture.cell import Cell
from kfnb.capture.cell_magics import COMPONENTS
from kfnb.capture.imports import bound_by
from kfnb.capture.name_usage import Names
from kfnb.capture.names import StarNames, read_names
from kfnb.capture.syntax import root_name

_LITERAL = (
    ast.Constant,
    ast.Tuple,
    ast.List,
    ast.Set,
    ast.Dict,
    ast.UnaryOp,
    ast.BinOp,
    ast.operator,
    ast.unaryop,
    ast.expr_context,
)
_PURE = (
    *_LITERAL,
    ast.Name,
    ast.JoinedStr,
    ast.FormattedValue,
    ast.Subscript,
    ast.Slice,
    ast.Compare,
    ast.cmpop,
    ast.BoolOp,
    ast.boolop,
    ast.IfExp,
)
"""Nodes of an expression over constants: its value is a constant where all its names are."""

_SOURCE = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class DefinitionKind(Enum):
    """The kind of statement that defined a name, and so how the name reaches a step."""

    IMPORT = "import"
    SOURCE = "source"  # a function, class, lambda or partial: its text is embedded
    LITERAL = "constant"
    EXPRESSION = "expression"  # a constant that is not a literal: its text is embedded
    PARAMETER = "parameter"
    STEP = "step"  # written by a component cell
    TRANSFORM = "transform"  # the object of a ``%%kf_transform`` cell
    DELETED = "deleted"
    LIVE = "live"  # any other object


@dataclass(frozen=True)
class Definition:
    """A definition of ``name`` by the statement of ``cell`` on the lines ``first`` to ``last`` (from 1).

    ``only_changes``: the statement alters the object behind the name, and does not bind it.
    """

    name: str
    sort: DefinitionKind
    cell: Cell
    first: int
    last: int
    node: ast.stmt | None = None
    only_changes: bool = False

    @property
    def text(self) -> str:
        """The statement as written in the cell, without other statements on the same lines."""
        shared = [
            other
            for other in self.cell.tree.body
            if other is not self.node and other.lineno <= self.last and (other.end_lineno or 0) >= self.first
        ]
        if shared and self.node is not None:
            return ast.get_source_segment(self.cell.code.text, self.node) or ast.unparse(self.node)
        return self.cell.lines(self.first, self.last)

    @property
    def makes_type(self) -> bool:
        """Whether the statement makes a class."""
        value = self.node.value if isinstance(self.node, ast.Assign) else None
        return isinstance(self.node, ast.ClassDef) or (value is not None and _is_type(value))

    def reads(self, star_names: StarNames) -> Names:
        """What the statement needs, now or when what it defines is called."""
        assert self.node is not None
        mention = ast.Expr(ast.Name(self.name, ast.Load(), lineno=self.last, col_offset=0))
        ast.copy_location(mention, self.node)
        return read_names(ast.Module([self.node, mention], []), star_names)


def definitions_of(cell: Cell, star_names: StarNames) -> Iterator[Definition]:
    """The definitions and deletions of a cell, in order; a name that it binds twice is there twice."""
    for node in cell.tree.body:
        names = read_names(ast.Module([node], []), star_names)
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        last = node.end_lineno or node.lineno
        for name in names.writes:
            yield Definition(name, _sort(node, name, cell), cell, first, last, node)
        for name in (name for name in names.changes if name not in names.writes):
            yield Definition(name, _sort(node, name, cell), cell, first, last, node, only_changes=True)
        for name in names.deletes:
            yield Definition(name, DefinitionKind.DELETED, cell, first, last, node)


def _sort(node: ast.stmt, name: str, cell: Cell) -> DefinitionKind:
    if cell.head == "%%kf_parameters" and isinstance(node, ast.Assign | ast.AnnAssign):
        return DefinitionKind.PARAMETER
    if isinstance(node, ast.Import | ast.ImportFrom):
        return DefinitionKind.IMPORT
    component = cell.head in COMPONENTS
    if _defines(node, name) or (not component and _is_fallback(node)):
        return DefinitionKind.SOURCE
    if component:
        return DefinitionKind.STEP
    return value_sort(node, name)


def _defines(node: ast.stmt, name: str) -> bool:
    """Whether the statement's text, run elsewhere, defines ``name`` as the same function, class or import."""
    return _is_definition(node) and any(_binds(child, name) for child in ast.walk(node))


def _binds(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return any(bound_by(alias, node) in (name, "*") for alias in node.names)
    if isinstance(node, _SOURCE):
        return node.name == name
    if not isinstance(node, ast.Assign | ast.AnnAssign) or not _is_definition(node):
        return False
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def _is_fallback(node: ast.stmt) -> bool:
    """Whether a ``try`` is a guarded import (``try: import x; HAS_X = True``), whose constants go with the imports."""
    return isinstance(node, ast.Try) and _is_definition(node) and any(map(_is_import, ast.walk(node)))


def _is_import(node: ast.AST) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _is_definition(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Pass | _SOURCE):
        return True
    if isinstance(node, ast.If | ast.Try):
        return all(_is_definition(child) for child in _statements(node))
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    return value is not None and (isinstance(value, ast.Lambda) or _is_partial(value) or _is_type(value))


def _statements(node: ast.If | ast.Try) -> list[ast.stmt]:
    handlers = node.handlers if isinstance(node, ast.Try) else []
    final = node.finalbody if isinstance(node, ast.Try) else []
    inside = [*node.body, *(s for handler in handlers for s in handler.body), *node.orelse, *final]
    # a fallback such as ``except ImportError: x = None`` is part of the definition
    return [s for s in inside if not (isinstance(s, ast.Assign) and _is_literal(s.value))]


def _is_partial(value: ast.expr) -> bool:
    if not isinstance(value, ast.Call):
        return False
    called = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
    return called == "partial"


def _is_type(value: ast.expr) -> bool:
    """Whether an assignment creates a class, as ``Point = namedtuple(...)`` does."""
    if not isinstance(value, ast.Call):
        return False
    called = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
    return called in {"namedtuple", "NamedTuple", "TypedDict", "NewType", "TypeVar", "make_dataclass"}


def value_sort(node: ast.stmt | None, name: str) -> DefinitionKind:
    """Whether a statement assigns a constant, in any kind of cell."""
    return (
        DefinitionKind.LITERAL if node is not None and _assigns_constant(node, name) else DefinitionKind.LIVE
    )


def assigned_literal(node: ast.stmt | None, otherwise: Any) -> Any:
    """The value that a statement assigns, if it is a literal; else ``otherwise``."""
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return otherwise
    try:
        return ast.literal_eval(node.value)
    except (ValueError, SyntaxError):
        return otherwise


def _assigns_constant(node: ast.stmt, name: str) -> bool:
    if isinstance(node, ast.AnnAssign):
        return node.value is not None and _is_pure(node.value) and root_name(node.target) == name
    return isinstance(node, ast.Assign) and _is_pure(node.value) and all(is_name(t) for t in node.targets)


def is_name(target: ast.expr) -> bool:
    """Whether an assignment's target is a name, or names."""
    return isinstance(target, ast.Name) or (
        isinstance(target, ast.Tuple | ast.List) and all(isinstance(part, ast.Name) for part in target.elts)
    )


def _is_pure(value: ast.expr) -> bool:
    return all(isinstance(part, _PURE) for part in ast.walk(value))


def _is_literal(value: ast.expr) -> bool:
    return all(isinstance(part, _LITERAL) for part in ast.walk(value))
