"""The names that a cell reads, writes and changes, by which its step is wired.

``read_names(tree)`` follows a cell's top-level code statement by statement, the way Python would run it. A name is
*read* where it may be used before the cell itself has surely bound it; *written* where the cell binds it;
*changed* where the cell alters the object behind it (``x[0] = 1``, ``x.a = 1``, ``x += y``, ``del x[0]``).

The body of a function runs when the function is called, not where it is defined; so its reads count from the first
mention of its name, and a function that the cell only defines adds nothing.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kfnb.capture.embedded_names import names_in_text
from kfnb.capture.name_usage import Names, NameUsage
from kfnb.capture.scopes import Effects, function_effects
from kfnb.capture.syntax import (
    catches_name_error,
    declared_global,
    defaults,
    evaluated_annotations,
    generic_names,
    has_items,
    is_irrefutable,
    names_in_query,
    root_name,
    stored_names,
)

StarNames = Callable[[str], Iterable[str]]
"""Returns the names that ``from MODULE import *`` binds."""

_UNSEEN = {
    "exec": "code in a string",
    "eval": "code in a string",
    "globals": "names looked up by string",
    "locals": "names looked up by string",
    "vars": "names looked up by string",
}


def read_names(tree: ast.Module, star_names: StarNames = lambda _module: ()) -> Names:
    """The names that the code of one cell reads, writes and changes."""
    reader = _NameReader(star_names)
    reader.block(tree.body)
    return reader.usage.finish()


@dataclass
class _Exits:
    """The names that were bound where a loop's body was left before its end."""

    by_break: list[set[str]] = field(default_factory=list)
    by_continue: list[set[str]] = field(default_factory=list)

    def note(self, statement: ast.Break | ast.Continue, bound: set[str]) -> None:
        """Record that the body is left."""
        (self.by_break if isinstance(statement, ast.Break) else self.by_continue).append(set(bound))


class _NameReader(ast.NodeVisitor):
    """Walk the top level of a cell and keep its usage."""

    def __init__(self, star_names: StarNames, *, of_class: bool = False) -> None:
        self.usage = NameUsage(of_class=of_class)
        self.star_names = star_names
        self.loops: list[_Exits] = []  # around this point, the innermost last

    def block(self, body: Sequence[ast.stmt]) -> bool:
        """Walk statements in order; return whether the end may be reached."""
        for statement in body:
            self.visit(statement)
            if isinstance(statement, ast.Raise | ast.Return | ast.Continue | ast.Break):
                if self.loops and isinstance(statement, ast.Continue | ast.Break):
                    self.loops[-1].note(statement, self.usage.bound)
                return False
        return True

    # -- names ------------------------------------------------------------------------------------------------

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.usage.load(node.id, node.lineno)
        elif isinstance(node.ctx, ast.Store):
            self.usage.store(node.id, node.lineno)
        else:
            self.usage.delete(node.id, node.lineno)

    def visit_Attribute(self, node: ast.Attribute | ast.Subscript) -> None:
        """``x.a`` or ``x[i]``: a store or a ``del`` there changes the object behind ``x``."""
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            root = root_name(node)
            if root is not None:
                self.usage.change(root, node.lineno)

    visit_Subscript = visit_Attribute

    # -- statements that bind ---------------------------------------------------------------------------------

    def visit_Assign(self, node: ast.Assign) -> None:
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        if isinstance(node.value, ast.Lambda) and len(names) == len(node.targets):
            self._defaults(node.value.args)
            self._define(names, node.value)
            return
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.usage.load(node.target.id, node.lineno)
            self.visit(node.value)
            self.usage.change(node.target.id, node.lineno)
            self.usage.store(node.target.id, node.lineno)
        else:
            self.visit(node.value)
            self.visit(node.target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        # a walrus inside a comprehension binds in the cell, if the comprehension reaches it
        self.usage.store(node.target.id, node.lineno, sure=not self.usage.hidden)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.usage.store(alias.asname or alias.name.split(".")[0], node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name != "*":
                self.usage.store(alias.asname or alias.name, node.lineno)
                continue
            for name in self.star_names("." * node.level + (node.module or "")):
                self.usage.store(name, node.lineno)

    def visit_TypeAlias(self, node: ast.AST) -> None:
        name: ast.Name = node.name  # type: ignore[attr-defined]  # Python 3.12's
        with self.usage.hiding(generic_names(node)), self.usage.depth("loose"):
            self.visit(node.value)  # type: ignore[attr-defined]  # evaluated lazily
        self.usage.store(name.id, name.lineno)

    # -- functions and classes --------------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        effects = self._function(node)
        self._define([node.name], node)
        if node.decorator_list:  # which may call it, or store it for later calls
            with self.usage.depth("guarded"):
                self.usage.run(effects, node.lineno)

    visit_AsyncFunctionDef = visit_FunctionDef

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Effects:
        """Visit what a ``def`` does at once, and record what the function will do."""
        for decorator in node.decorator_list:
            self.visit(decorator)
        self._defaults(node.args)
        with self.usage.hiding(generic_names(node)):
            for part in evaluated_annotations(node):
                self.visit(part)
        return function_effects(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._defaults(node.args)
        self.usage.run(function_effects(node), node.lineno)

    def _defaults(self, arguments: ast.arguments) -> None:
        for default in defaults(arguments):
            self.visit(default)

    def _define(self, targets: list[str], node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        for name in targets:
            self.usage.store(name, node.lineno)
            self.usage.deferred[name] = function_effects(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        with self.usage.hiding(generic_names(node)):
            for part in (*node.bases, *node.keywords):
                self.visit(part)
            methods = self._class_body(node.body)
        self.usage.store(node.name, node.lineno)
        methods.reads -= {node.name, "__class__", *generic_names(node)}
        self.usage.deferred[node.name] = methods

    def _class_body(self, body: Sequence[ast.stmt]) -> Effects:
        """Visit a class body: it binds attributes, except ``global`` names. Return what its methods will do."""
        inner = _NameReader(self.star_names, of_class=True)
        inner.usage.bound = {"__module__", "__qualname__"}
        inner.block(body)
        methods = Effects()
        for effects in inner.usage.deferred.values():
            methods.add(effects)
        names = inner.usage.finish()
        declared = declared_global(body)
        with self.usage.depth("guarded"):
            for name in sorted(names.maybe):
                self.usage.load(name, names.reads[name])
        for name, line in names.reads.items():
            if name not in names.maybe:
                self.usage.load(name, line)
        for name, line in names.changes.items():
            if name not in names.writes:
                self.usage.change(name, line)
        for name in sorted(declared & {*names.writes, *names.deletes}):
            self.usage.store(name, {**names.deletes, **names.writes}[name], sure=name in inner.usage.bound)
        self.usage.names.unseen.update(names.unseen)
        return methods

    # -- comprehensions ---------------------------------------------------------------------------------------

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> None:
        self._comprehension(node.generators, [node.elt])

    visit_SetComp = visit_ListComp
    visit_GeneratorExp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node.generators, [node.key, node.value])

    def _comprehension(self, generators: list[ast.comprehension], elements: list[ast.expr]) -> None:
        self.visit(generators[0].iter)
        own = set().union(*(stored_names(one.target) for one in generators))
        with self.usage.hiding(own), self.usage.inner():
            for index, one in enumerate(generators):
                self.visit(one.target)  # the target may read: for x[i] in ...
                for part in ([one.iter] if index else []) + one.ifs:
                    self.visit(part)
            for element in elements:
                self.visit(element)

    # -- control flow -----------------------------------------------------------------------------------------

    def branches(self, *bodies: Callable[[], bool]) -> None:
        """Visit alternatives of which one runs: a name is bound if all alternatives that reach the end bind it."""
        usage = self.usage
        before, ends = set(usage.bound), []
        with usage.depth("conditions"):
            for body in bodies:
                usage.bound = set(before)
                if body():
                    ends.append(usage.bound)
        usage.bound = set.intersection(*ends) if ends else before

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self.branches(lambda: self.block(node.body), lambda: self.block(node.orelse))

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.visit(node.test)
        self._maybe(node.body)
        self._maybe(node.orelse)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.visit(node.values[0])
        self._maybe(*node.values[1:])

    def visit_Compare(self, node: ast.Compare) -> None:
        self.visit(node.left)
        self.visit(node.comparators[0])
        self._maybe(*node.comparators[1:])

    def visit_Assert(self, node: ast.Assert) -> None:
        self.visit(node.test)
        if node.msg is not None:
            self._maybe(node.msg)

    def _maybe(self, *nodes: ast.AST) -> None:
        """Visit expressions that may not run: they read and write, but bind nothing for sure."""
        before = set(self.usage.bound)
        with self.usage.depth("conditions"):
            for node in nodes:
                self.visit(node)
        self.usage.bound = before

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self._loop([node.target, *node.body], node.orelse, runs=has_items(node.iter))

    visit_AsyncFor = visit_For

    def visit_While(self, node: ast.While) -> None:
        with self.usage.depth("loose"):
            self.visit(node.test)
        endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        self._loop(node.body, node.orelse, runs=endless, endless=endless)

    def _loop(
        self, nodes: Sequence[ast.AST], otherwise: Sequence[ast.stmt], *, runs: bool, endless: bool = False
    ) -> None:
        """Visit a loop's body, which may run often, or never unless it surely ``runs``; its writes may come before its
        reads. An ``endless`` loop is left only by a ``break``.
        """
        usage, before, exits = self.usage, set(self.usage.bound), _Exits()
        self.loops.append(exits)
        with usage.depth("loose"):
            reached = self.block(nodes)  # type: ignore[arg-type]  # the first may be the target, which is visited likewise
        self.loops.pop()
        turns = [*exits.by_continue, *([usage.bound] if reached else [])]
        usage.bound = set.intersection(*turns) if runs and turns else set(before)
        over = self.block(otherwise) and not endless
        ends = [*exits.by_break, *([usage.bound] if over else [])]
        usage.bound = set.intersection(*ends) if runs and ends else before

    def visit_Try(self, node: ast.Try) -> None:
        guards = any(catches_name_error(handler) for handler in node.handlers)

        def attempt() -> bool:
            if not guards:
                return self.block(node.body) and self.block(node.orelse)
            with self.usage.depth("guarded"):
                reached = self.block(node.body)
            return reached and self.block(node.orelse)

        self.branches(attempt, *(functools.partial(self._handler, handler) for handler in node.handlers))
        self.block(node.finalbody)

    def visit_TryStar(self, node: Any) -> None:  # Python 3.11's, of the same fields
        self.visit_Try(node)

    def _handler(self, handler: ast.ExceptHandler) -> bool:
        if handler.type is not None:
            self.visit(handler.type)
        if handler.name is not None:
            self.usage.store(handler.name, handler.lineno)
        reached = self.block(handler.body)
        if handler.name is not None:
            self.usage.bound.discard(handler.name)  # Python deletes it at the handler's end
        return reached

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        cases = [functools.partial(self._case, case) for case in node.cases]
        rest = [] if is_irrefutable(node.cases[-1]) else [lambda: True]
        self.branches(*cases, *rest)

    def _case(self, case: ast.match_case) -> bool:
        self.visit(case.pattern)
        if case.guard is not None:
            self.visit(case.guard)
        return self.block(case.body)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        self.generic_visit(node)
        if node.name is not None:
            self.usage.store(node.name, node.lineno)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        if node.name is not None:
            self.usage.store(node.name, node.lineno)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.generic_visit(node)
        if node.rest is not None:
            self.usage.store(node.rest, node.lineno)

    # -- what is not known ------------------------------------------------------------------------------------

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        word = node.func.id if isinstance(node.func, ast.Name) else ""
        if word in _UNSEEN and word not in self.usage.bound and not (word == "vars" and node.args):
            self.usage.names.unseen[node.lineno] = f"{word}(): {_UNSEEN[word]}"
        for name in names_in_query(node):
            self.usage.load(name, node.lineno)
        self._texts(node)

    def _texts(self, node: ast.Call) -> None:
        """Record names in a text that a library evaluates: tables of SQL, functions of formulas."""
        found = names_in_text(node)
        if found is None:
            self.usage.names.unseen[node.lineno] = f"{ast.unparse(node.func)}(): names in a computed text"
            return
        with self.usage.depth("guarded"):
            for name in found:
                self.usage.load(name, node.lineno)
