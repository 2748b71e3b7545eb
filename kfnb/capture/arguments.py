"""Which of its arguments a function may change in place: ``def f(d): d["a"] = 1`` does, ``d = d.copy()`` before it not.

A function's names are followed from statement to statement. A name stands for an argument as long as it may be that
very object; a part of the object, or a value made from it, does not count. So this module finds what a function is
likely to change; comparing the values shows what it did change.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import Any

from kfnb.capture.scopes import parameters
from kfnb.capture.syntax import FILLERS, MUTATORS, chain_root

Function = ast.FunctionDef | ast.AsyncFunctionDef
Origins = dict[str, frozenset[str]]
"""For each name, the arguments that it may refer to."""

_NONE: frozenset[str] = frozenset()


def names_given_to_change(tree: ast.AST, functions: Mapping[str, ast.AST]) -> set[str]:
    """Names that a piece of code gives to one of ``functions`` as an argument that it may change in place."""
    known = {name: node for name, node in functions.items() if isinstance(node, Function)}
    return {
        argument.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for argument in _changed_arguments(node, known, ())
        if isinstance(argument, ast.Name)
    }


def _changed_arguments(
    call: ast.Call, functions: Mapping[str, Function], around: tuple[str, ...]
) -> Iterable[ast.expr]:
    """The arguments of a call that the called function may change; ``around`` are functions already being analyzed."""
    if _fills(call) and call.args:
        yield call.args[0]
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    function = functions.get(name)
    if function is None or name in around:
        return
    changed = changed_parameters(function, functions, (*around, name))
    positions = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    given = [*zip(positions, call.args, strict=False), *((one.arg, one.value) for one in call.keywords)]
    yield from (value for name, value in given if name in changed)


def _fills(call: ast.Call) -> bool:
    """Whether the call is of a library's function that changes its first argument (``random.shuffle``)."""
    return isinstance(call.func, ast.Attribute) and call.func.attr in FILLERS


def changed_parameters(
    function: Function, functions: Mapping[str, Function], around: tuple[str, ...] = ()
) -> set[str]:
    """The parameters of ``function`` whose objects it may change; ``functions`` are others that it may call."""
    flow = _Flow(functions, around)
    flow.origins = {name: frozenset({name}) for name in parameters(function.args)}
    flow.block(function.body)
    return flow.changed


class _Flow(ast.NodeVisitor):
    """Follow one function's names from statement to statement."""

    def __init__(self, functions: Mapping[str, Function], around: tuple[str, ...]) -> None:
        self.functions = functions
        self.around = around
        self.origins: Origins = {}
        self.changed: set[str] = set()

    def block(self, body: Iterable[ast.stmt]) -> None:
        for statement in body:
            self.visit(statement)

    def of(self, node: ast.AST | None) -> frozenset[str]:
        """The arguments that an expression's value may be."""
        if isinstance(node, ast.Name):
            return self.origins.get(node.id, _NONE)
        if isinstance(node, ast.IfExp):
            return self.of(node.body) | self.of(node.orelse)
        if isinstance(node, ast.BoolOp):
            return _NONE.union(*map(self.of, node.values))
        return self.of(node.value) if isinstance(node, ast.NamedExpr | ast.Starred | ast.Await) else _NONE

    def items_of(self, node: ast.AST) -> frozenset[str]:
        """The arguments that an item of an expression's value may be: of ``(a, b)``, both."""
        parts = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else ()
        return _NONE.union(*map(self.of, parts))

    def change(self, node: ast.AST) -> None:
        """Record a change of the object that the expression ``node`` begins with."""
        self.changed |= self.of(chain_root(node))

    # -- statements -------------------------------------------------------------------------------------------

    def bind(self, target: ast.AST, origins: frozenset[str]) -> None:
        if isinstance(target, ast.Name):
            self.origins[target.id] = origins
        elif isinstance(target, ast.Attribute | ast.Subscript):
            self.change(target)
        for part in target.elts if isinstance(target, ast.Tuple | ast.List) else ():
            self.bind(part.value if isinstance(part, ast.Starred) else part, origins)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            if isinstance(target, ast.Tuple | ast.List) and isinstance(node.value, ast.Tuple | ast.List):
                for part, value in zip(target.elts, node.value.elts, strict=False):
                    self.bind(part, self.of(value))
            else:
                self.bind(target, self.of(node.value))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self.bind(node.target, self.of(node.value))

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        self.change(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.bind(node.target, self.of(node.value))

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if not isinstance(target, ast.Name):
                self.change(target)

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
            self.change(node.func.value)
        for keyword in node.keywords:
            true = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
            if keyword.arg == "inplace" and true:
                self.change(node.func)
            elif keyword.arg == "out":
                self.change(keyword.value)
        for argument in _changed_arguments(node, self.functions, self.around):
            self.changed |= self.of(argument)

    def visit_FunctionDef(self, node: Function | ast.Lambda) -> None:
        """An inner function sees the names around it, except its own parameters."""
        outer = dict(self.origins)
        for name in parameters(node.args):
            self.origins.pop(name, None)
        if isinstance(node, ast.Lambda):
            self.visit(node.body)
        else:
            self.block(node.body)
        self.origins = outer

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef

    # -- control flow -----------------------------------------------------------------------------------------

    def alternatives(self, *bodies: Iterable[ast.AST]) -> None:
        """Merge what names may refer to after several bodies, of which one runs."""
        before, ends = self.origins, []
        for body in bodies:
            self.origins = dict(before)
            for node in body:
                self.visit(node)
            ends.append(self.origins)
        names = set().union(*ends)
        self.origins = {name: _NONE.union(*(end.get(name, _NONE) for end in ends)) for name in names}

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self.alternatives(node.body, node.orelse)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        for _ in range(2):  # the second iteration may change what the first one binds
            self.bind(node.target, self.items_of(node.iter))
            self.alternatives(node.body, ())
        self.block(node.orelse)

    visit_AsyncFor = visit_For

    def visit_While(self, node: ast.While) -> None:
        for _ in range(2):
            self.visit(node.test)
            self.alternatives(node.body, ())
        self.block(node.orelse)

    def visit_Try(self, node: ast.Try) -> None:
        self.alternatives([*node.body, *node.orelse], *(handler.body for handler in node.handlers))
        self.block(node.finalbody)

    def visit_TryStar(self, node: Any) -> None:  # Python 3.11, with the same fields
        self.visit_Try(node)

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        self.alternatives(*(case.body for case in node.cases), ())
