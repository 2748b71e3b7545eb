"""Which names a cell reads, writes and changes: what decides how its step is wired.

``read_names(tree)`` follows a cell's top-level code statement by statement, the way Python would run it. A name is
*read* where it may be used before the cell itself has surely bound it; *written* where the cell binds it;
*changed* where the cell alters the object behind it (``x[0] = 1``, ``x.a = 1``, ``x += y``, ``del x[0]``).

The body of a function runs when the function is called, not where it is defined; so what it reads counts from the
first mention of its name on, and a function that the cell only defines adds nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from kfnb.capture.scopes import Effects, function_effects

StarNames = Callable[[str], Iterable[str]]
"""Gives the names that ``from MODULE import *`` binds."""

_UNSEEN = {
    "exec": "code in a string",
    "eval": "code in a string",
    "globals": "names looked up by string",
    "locals": "names looked up by string",
    "vars": "names looked up by string",
}


@dataclass
class Names:
    """What a cell does with names; each maps a name to the line (from 1) where it first does so.

    ``maybe`` are reads that the cell guards with ``except NameError``: it is no error when nothing makes them.
    ``unseen`` tells, by line, what this analysis cannot know.
    """

    reads: dict[str, int] = field(default_factory=dict)
    writes: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    deletes: dict[str, int] = field(default_factory=dict)
    maybe: set[str] = field(default_factory=set)
    unseen: dict[int, str] = field(default_factory=dict)


def read_names(tree: ast.Module, star_names: StarNames = lambda _module: ()) -> Names:
    """The names that the code of one cell reads, writes and changes."""
    reader = _Reader(star_names)
    reader.block(tree.body)
    return reader.names


class _Reader(ast.NodeVisitor):
    """Walks a cell's own level; ``bound`` are the names surely bound at this point."""

    def __init__(self, star_names: StarNames) -> None:
        self.names = Names()
        self.bound: set[str] = set()
        self.hidden: list[set[str]] = []  # names of comprehensions and class bodies around this point
        self.deferred: dict[str, Effects] = {}
        self.guarded = 0
        self.star_names = star_names

    def block(self, body: Sequence[ast.stmt]) -> bool:
        """Walk statements in order; whether the end may be reached."""
        for statement in body:
            self.visit(statement)
            if isinstance(statement, ast.Raise | ast.Return | ast.Continue | ast.Break):
                return False
        return True

    # -- names ------------------------------------------------------------------------------------------------

    def load(self, name: str, line: int) -> None:
        if any(name in names for names in self.hidden):
            return
        if name not in self.bound:
            self.names.reads.setdefault(name, line)
            if self.guarded:
                self.names.maybe.add(name)
        if name in self.deferred:
            self.run(self.deferred.pop(name), line)

    def run(self, effects: Effects, line: int) -> None:
        """What happens when a function defined earlier may be called here."""
        for name in effects.reads:
            self.load(name, line)
        for name in effects.writes:
            self.store(name, line, sure=False)
        for name in effects.changes:
            self.change(name, line)

    def store(self, name: str, line: int, *, sure: bool = True) -> None:
        if self.hidden and name in self.hidden[-1]:
            return
        self.names.writes.setdefault(name, line)
        self.names.deletes.pop(name, None)
        self.deferred.pop(name, None)
        if sure:
            self.bound.add(name)

    def change(self, name: str, line: int) -> None:
        if not any(name in names for names in self.hidden):
            self.names.changes.setdefault(name, line)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.load(node.id, node.lineno)
        elif isinstance(node.ctx, ast.Store):
            self.store(node.id, node.lineno)
        else:
            self.delete(node.id, node.lineno)

    def delete(self, name: str, line: int) -> None:
        self.load(name, line)
        self.bound.discard(name)
        self.names.writes.pop(name, None)
        self.names.deletes.setdefault(name, line)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._part(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self._part(node)

    def _part(self, node: ast.Attribute | ast.Subscript) -> None:
        """``x.a`` or ``x[i]``: a store or a ``del`` there changes the object behind ``x``."""
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            root = root_name(node)
            if root is not None:
                self.change(root, node.lineno)

    # -- statements that bind ---------------------------------------------------------------------------------

    def visit_Assign(self, node: ast.Assign) -> None:
        if isinstance(node.value, ast.Lambda) and all(isinstance(t, ast.Name) for t in node.targets):
            self._define([t.id for t in node.targets if isinstance(t, ast.Name)], node.value)
            return
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self.load(node.target.id, node.lineno)
            self.change(node.target.id, node.lineno)
            self.store(node.target.id, node.lineno)
        else:
            self.visit(node.target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        # a walrus inside a comprehension binds in the cell
        self.names.writes.setdefault(node.target.id, node.lineno)
        self.bound.add(node.target.id)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.store(alias.asname or alias.name.split(".")[0], node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name != "*":
                self.store(alias.asname or alias.name, node.lineno)
                continue
            for name in self.star_names("." * node.level + (node.module or "")):
                self.store(name, node.lineno)

    def visit_TypeAlias(self, node: ast.AST) -> None:
        name: ast.Name = node.name  # type: ignore[attr-defined]  # Python 3.12's
        self.store(name.id, name.lineno)

    # -- functions and classes --------------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._defaults(node.args)
        for part in (*node.decorator_list, *_annotations(node)):
            self.visit(part)
        self._define([node.name], node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._defaults(node.args)
        self.run(function_effects(node), node.lineno)

    def _defaults(self, arguments: ast.arguments) -> None:
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                self.visit(default)

    def _define(self, targets: list[str], node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        if isinstance(node, ast.Lambda):
            self._defaults(node.args)
        for name in targets:
            self.store(name, node.lineno)
            self.deferred[name] = function_effects(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        attributes: set[str] = set()
        methods = Effects()
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                self.hidden.append(attributes)
                self._defaults(statement.args)
                for part in (*statement.decorator_list, *_annotations(statement)):
                    self.visit(part)
                self.hidden.pop()
                methods.add(function_effects(statement))
                attributes.add(statement.name)
            else:
                self._class_statement(statement, attributes)
        self.store(node.name, node.lineno)
        methods.reads.discard(node.name)
        self.deferred[node.name] = methods

    def _class_statement(self, statement: ast.stmt, attributes: set[str]) -> None:
        """A statement of a class body: what it binds are attributes, not names of the cell."""
        inner = _Reader(self.star_names)
        inner.bound = set(attributes)
        inner.visit(statement)
        for name, line in inner.names.reads.items():
            self.load(name, line)
        for name, line in inner.names.changes.items():
            if name not in attributes:
                self.change(name, line)
        attributes.update(inner.names.writes)

    # -- comprehensions ---------------------------------------------------------------------------------------

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> None:
        self._comprehension(node.generators, [node.elt])

    visit_SetComp = visit_ListComp
    visit_GeneratorExp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node.generators, [node.key, node.value])

    def _comprehension(self, generators: list[ast.comprehension], elements: list[ast.expr]) -> None:
        self.visit(generators[0].iter)
        own = {
            part.id for one in generators for part in ast.walk(one.target) if isinstance(part, ast.Name)
        }
        self.hidden.append(own)
        for index, one in enumerate(generators):
            if index:
                self.visit(one.iter)
            for condition in one.ifs:
                self.visit(condition)
        for element in elements:
            self.visit(element)
        self.hidden.pop()

    # -- control flow -----------------------------------------------------------------------------------------

    def branches(self, *bodies: Sequence[ast.stmt]) -> None:
        """Alternatives of which one runs: what all that go on have bound is bound."""
        before, ends = set(self.bound), []
        for body in bodies:
            self.bound = set(before)
            if self.block(body):
                ends.append(self.bound)
        self.bound = set.intersection(*ends) if ends else before

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self.branches(node.body, node.orelse)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.visit(node.test)
        self._maybe(node.body)
        self._maybe(node.orelse)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.visit(node.values[0])
        for value in node.values[1:]:
            self._maybe(value)

    def _maybe(self, *nodes: ast.AST) -> None:
        """Parts that may not run: they read and write, but bind nothing for sure."""
        before = set(self.bound)
        for node in nodes:
            self.visit(node)
        self.bound = before

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self._maybe(node.target, *node.body)
        self._maybe(*node.orelse)

    visit_AsyncFor = visit_For

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        self._maybe(*node.body)
        self._maybe(*node.orelse)

    def visit_Try(self, node: ast.Try) -> None:
        before = set(self.bound)
        self.guarded += any(_catches_name_error(handler) for handler in node.handlers)
        ends = [self.bound] if self.block([*node.body]) and self.block(node.orelse) else []
        self.guarded -= any(_catches_name_error(handler) for handler in node.handlers)
        for handler in node.handlers:
            self.bound = set(before)
            if self._handler(handler):
                ends.append(self.bound)
        self.bound = set.intersection(*ends) if ends else before
        self.block(node.finalbody)

    visit_TryStar = visit_Try

    def _handler(self, handler: ast.ExceptHandler) -> bool:
        if handler.type is not None:
            self.visit(handler.type)
        if handler.name is None:
            return self.block(handler.body)
        # Python binds the name for the handler alone and deletes it at its end
        self.hidden.append({handler.name})
        reached = self.block(handler.body)
        self.hidden.pop()
        return reached

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        before = set(self.bound)
        for case in node.cases:
            self.bound = set(before)
            self.visit(case.pattern)
            if case.guard is not None:
                self.visit(case.guard)
            self.block(case.body)
        self.bound = before

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        self.generic_visit(node)
        if node.name is not None:
            self.store(node.name, node.lineno)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        if node.name is not None:
            self.store(node.name, node.lineno)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.generic_visit(node)
        if node.rest is not None:
            self.store(node.rest, node.lineno)

    # -- what cannot be seen ----------------------------------------------------------------------------------

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in _UNSEEN and node.func.id not in self.bound:
            self.names.unseen[node.lineno] = f"{node.func.id}(): {_UNSEEN[node.func.id]}"
        for name in names_in_query(node):
            self.load(name, node.lineno)


def names_in_query(call: ast.Call) -> list[str]:
    """The Python names that pandas' ``query`` and ``eval`` take from around the call (``@name``)."""
    if not (isinstance(call.func, ast.Attribute) and call.func.attr in {"query", "eval"}):
        return []
    texts = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    return [name for text in texts for name in re.findall(r"@([^\W\d]\w*)", text)]


def root_name(node: ast.AST) -> str | None:
    """``x`` of ``x.a[0].b``; None when it begins with something else than a name."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _annotations(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [arg for arg in (arguments.vararg, arguments.kwarg) if arg is not None]
    found = [arg.annotation for arg in every if arg.annotation is not None]
    generic = {parameter.name for parameter in getattr(node, "type_params", ())}
    found += [node.returns] if node.returns is not None else []
    return [one for one in found if not any(isinstance(n, ast.Name) and n.id in generic for n in ast.walk(one))]


def _catches_name_error(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
    return bool(caught & {"NameError", "Exception", "BaseException"})
