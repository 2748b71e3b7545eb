"""What a function does to names outside it: Python's scoping rules, for one function body.

``symtable`` would tell the same but not what is *changed* in place, and needs source text.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass
class Effects:
    """Names outside a function that it reads, writes (through ``global``) and changes when it runs."""

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)

    def add(self, other: Effects, *, but: set[str] | frozenset[str] = frozenset()) -> None:
        """Take another function's effects in, without those on the names ``but``."""
        self.reads |= other.reads - but
        self.writes |= other.writes - but
        self.changes |= other.changes - but


def function_effects(node: Function) -> Effects:
    """What calling the function may read, write and change of the names around it."""
    body = [node.body] if isinstance(node, ast.Lambda) else node.body
    scope = _Scope(parameters(node.args) | {p.name for p in getattr(node, "type_params", ())})
    for part in body:
        scope.visit(part)
    return scope.effects()


def parameters(arguments: ast.arguments) -> set[str]:
    """The names of a function's parameters."""
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [arg for arg in (arguments.vararg, arguments.kwarg) if arg is not None]
    return {arg.arg for arg in every}


class _Scope(ast.NodeVisitor):
    """Collects what one function body binds and uses, whatever the order: locals are locals throughout."""

    def __init__(self, local: set[str]) -> None:
        self.local = set(local)
        self.outer: set[str] = set()  # declared global or nonlocal
        self.used: set[str] = set()
        self.changed: set[str] = set()
        self.inner = Effects()

    def effects(self) -> Effects:
        local = self.local - self.outer
        found = Effects(
            self.used - local,
            self.outer & self.local,
            self.changed - local,
        )
        found.add(self.inner, but=local)
        found.reads |= found.changes
        return found

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.used.add(node.id)
        else:
            self.local.add(node.id)

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        self.outer.update(node.names)

    visit_Nonlocal = visit_Global

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name):
            self.used.add(node.target.id)

    def visit_Attribute(self, node: ast.Attribute | ast.Subscript) -> None:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            root: ast.AST = node
            while isinstance(root, ast.Attribute | ast.Subscript):
                root = root.value
            if isinstance(root, ast.Name):
                self.changed.add(root.id)

    visit_Subscript = visit_Attribute

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.local.add(node.name)
        self._nested(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._nested(node)

    def _nested(self, node: Function) -> None:
        for part in [*node.args.defaults, *node.args.kw_defaults, *getattr(node, "decorator_list", [])]:
            if part is not None:
                self.visit(part)
        self.inner.add(function_effects(node))

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.local.add(node.name)
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        body = _Scope(set())
        for statement in node.body:
            body.visit(statement)
        # a class body's names are attributes: they hide nothing from the methods, and little from the body
        self.used |= body.used - body.local
        self.changed |= body.changed - body.local
        self.inner.add(body.inner)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        self.visit(node.generators[0].iter)
        inner = _Scope(set())
        for one in node.generators:
            inner.visit(one.target)
            for part in (*([] if one is node.generators[0] else [one.iter]), *one.ifs):
                inner.visit(part)
        own = set(inner.local)
        for element in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            inner.visit(element)
        walrus = {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}
        self.local |= walrus  # a walrus binds in the function
        self.used |= inner.used - own
        self.changed |= inner.changed - own
        self.inner.add(inner.inner, but=own)

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _comprehension

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.local.update(alias.asname or alias.name.split(".")[0] for alias in node.names)

    visit_ImportFrom = visit_Import

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name is not None:
            self.local.add(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        if node.name is not None:
            self.local.add(node.name)
        self.generic_visit(node)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest is not None:
            self.local.add(node.rest)
        self.generic_visit(node)
