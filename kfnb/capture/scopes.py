"""The effects of a function on names outside it: Python's scoping rules, for one function body.

``symtable`` gives the same except what is *changed* in place, and needs source text.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from kfnb.capture.syntax import (
    declared_global,
    defaults,
    evaluated_annotations,
    generic_names,
    names_in_query,
    root_name,
    stored_names,
)

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass
class Effects:
    """Names outside a function that it reads, writes (through ``global``) and changes when it runs."""

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)

    def add(self, other: Effects, *, but: set[str] | frozenset[str] = frozenset()) -> None:
        """Add another function's effects, without those on the names ``but``."""
        self.reads |= other.reads - but
        self.writes |= other.writes - but
        self.changes |= other.changes - but

    def only(self, names: set[str]) -> Effects:
        """The effects on ``names``."""
        return Effects(self.reads & names, self.writes & names, self.changes & names)


def function_effects(node: Function) -> Effects:
    """The names around a function that a call of it may read, write and change."""
    near, beyond = _effects(node)
    near.add(beyond)
    return near


def _effects(node: Function) -> tuple[Effects, Effects]:
    """The effects on the names around a function; and those on global names, whatever the functions around bind."""
    scope = _FunctionScope(parameters(node.args) | generic_names(node))
    for part in [node.body] if isinstance(node, ast.Lambda) else node.body:
        scope.visit(part)
    near = scope.effects()
    declared = set() if isinstance(node, ast.Lambda) else declared_global(node.body)
    beyond = near.only(declared)
    beyond.add(scope.beyond)
    return Effects(near.reads - declared, near.writes - declared, near.changes - declared), beyond


def local_names(node: Function) -> set[str]:
    """The names that are local to the function."""
    scope = _FunctionScope(parameters(node.args))
    for part in [node.body] if isinstance(node, ast.Lambda) else node.body:
        scope.visit(part)
    return (scope.local | scope.bare) - scope.declared


def parameters(arguments: ast.arguments) -> set[str]:
    """The names of a function's parameters."""
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [arg for arg in (arguments.vararg, arguments.kwarg) if arg is not None]
    return {arg.arg for arg in every}


class _FunctionScope(ast.NodeVisitor):
    """Collect what one function body binds and uses, in any order: a local name is local throughout.

    Names that an inner function declares ``global`` are the cell's, whatever the functions around it bind.
    """

    def __init__(self, local: set[str]) -> None:
        self.local = set(local)
        self.bare: set[str] = set()  # annotated only: local to a function, but not an attribute of a class
        self.declared: set[str] = set()  # global or nonlocal
        self.used: set[str] = set()
        self.changed: set[str] = set()
        self.inner = Effects()
        self.beyond = Effects()  # on names that inner scopes declare global

    def effects(self) -> Effects:
        """The effects without those on local names."""
        own = (self.local | self.bare) - self.declared
        found = Effects(self.used - own, self.declared & self.local, self.changed - own)
        found.add(self.inner, but=own)
        found.reads |= found.changes
        return found

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.used.add(node.id)
        else:
            self.local.add(node.id)
            if isinstance(node.ctx, ast.Del):
                self.used.add(node.id)

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        self.declared.update(node.names)

    visit_Nonlocal = visit_Global

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name):
            self.used.add(node.target.id)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if not node.simple:  # Python does not evaluate the annotation of a local name
            self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
        elif isinstance(node.target, ast.Name):
            self.bare.add(node.target.id)
            return
        self.visit(node.target)

    def visit_Attribute(self, node: ast.Attribute | ast.Subscript) -> None:
        self.generic_visit(node)
        root = root_name(node)
        if root is not None and not isinstance(node.ctx, ast.Load):
            self.changed.add(root)

    visit_Subscript = visit_Attribute

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        self.used.update(names_in_query(node))

    # -- scopes inside ----------------------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.local.add(node.name)
        for part in (*node.decorator_list, *defaults(node.args)):
            self.visit(part)
        generic = generic_names(node)
        for part in evaluated_annotations(node):
            inner = _FunctionScope(set())
            inner.visit(part)
            self.used |= inner.used - generic
        self._nested(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for part in defaults(node.args):
            self.visit(part)
        self._nested(node)

    def _nested(self, node: Function) -> None:
        near, beyond = _effects(node)
        self.inner.add(near)
        self.beyond.add(beyond)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.local.add(node.name)
        for decorator in node.decorator_list:
            self.visit(decorator)
        body = _FunctionScope(generic_names(node))
        for part in (*node.bases, *node.keywords, *node.body):
            body.visit(part)
        # a class body's names are attributes: they hide nothing from the methods, and little from the body
        own = body.local - body.declared
        self.used |= body.used - own
        self.changed |= body.changed - own
        self.inner.add(body.inner, but={"__class__", *generic_names(node)})
        self.beyond.add(body.beyond)
        self.beyond.add(Effects(body.used, body.local, body.changed).only(declared_global(node.body)))

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        self.visit(node.generators[0].iter)
        own = set().union(*(stored_names(one.target) for one in node.generators))
        inner = _FunctionScope(set())
        for one in node.generators:
            inner.visit(one.target)
            for part in (*([] if one is node.generators[0] else [one.iter]), *one.ifs):
                inner.visit(part)
        for element in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            inner.visit(element)
        self.local |= inner.local - own  # a walrus binds in the function
        self.inner.add(Effects(inner.used, set(), inner.changed), but=own)
        self.inner.add(inner.inner, but=own)
        self.beyond.add(inner.beyond)

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _comprehension

    # -- other statements that bind ---------------------------------------------------------------------------

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
