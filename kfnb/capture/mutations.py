"""Names whose objects a piece of code may change, as far as the text shows.

Local names of functions do not count: ``def f(items): items.append(1)`` does not concern the cell's ``items``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from kfnb.capture.scopes import local_names
from kfnb.capture.syntax import MUTATORS, inside_functions, root_name, stored_names


def mutated_names(tree: ast.AST) -> set[str]:
    """Names on whose objects, or parts of them, a method that changes containers is called."""
    return {
        root
        for call, own in _calls(tree)
        if isinstance(call.func, ast.Attribute) and call.func.attr in MUTATORS
        for root in _outside(call.func.value, own)
    }


def names_with_methods_called(tree: ast.AST) -> set[str]:
    """Names on whose objects, or parts of them, any method is called."""
    methods = ((call.func, own) for call, own in _calls(tree) if isinstance(call.func, ast.Attribute))
    return {root for method, own in methods for root in _outside(method, own)}


def names_fitted(tree: ast.AST) -> set[str]:
    """Names on whose objects ``fit`` or ``fit_transform`` is called."""
    methods = ((call.func, own) for call, own in _calls(tree) if isinstance(call.func, ast.Attribute))
    return {
        root
        for method, own in methods
        if method.attr in ("fit", "fit_transform")
        for root in _outside(method.value, own)
    }


def names_changed_by_keyword(tree: ast.AST) -> set[str]:
    """Names on which a method is called with ``inplace=True``, or that are passed as ``out=``."""
    found: set[str] = set()
    for call, own in _calls(tree):
        for keyword in call.keywords:
            true = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
            if keyword.arg == "inplace" and true:
                found.update(_outside(call.func, own))
            elif keyword.arg == "out":
                found.update(_outside(keyword.value, own))
    return found


_VIEWS = frozenset({"ravel", "reshape", "squeeze", "swapaxes", "transpose", "view"})
"""Methods of arrays that return a view of the same memory."""


def names_handed_on(tree: ast.AST) -> set[str]:
    """Names that are passed on, or of which a view is: as an argument, a part of a list, another name."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    takers = (
        ast.Call | ast.keyword | ast.Starred | ast.Assign | ast.NamedExpr | ast.Return | ast.Yield | ast.For
    )
    holders = ast.Tuple | ast.List | ast.Set | ast.Dict | ast.IfExp | ast.comprehension
    return {
        root
        for node, parent in parents.items()
        if isinstance(parent, takers | holders) and not _only_reads(parent, node)
        for root in [root_name(_viewed(node))]
        if root is not None
    }


def _viewed(node: ast.AST) -> ast.AST:
    """The expression that another is a view of, or that expression itself."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _VIEWS:
        return node.func.value
    return node


_READERS = frozenset({
    "all", "any", "bool", "dir", "enumerate", "float", "getattr", "hasattr", "hash", "id", "int", "isinstance", "len",
    "max", "min", "print", "range", "repr", "round", "sorted", "str", "sum", "type",
})  # fmt: skip


def _only_reads(parent: ast.AST, node: ast.AST) -> bool:
    """Whether ``node`` is the called function, or an argument of a built-in function that only reads."""
    if not isinstance(parent, ast.Call):
        return False
    return node is parent.func or (isinstance(parent.func, ast.Name) and parent.func.id in _READERS)


def _outside(node: ast.AST, own: set[str]) -> Iterator[str]:
    """The name that an expression begins with, if it is a name of the cell."""
    root = root_name(node)
    if root is not None and root not in own:
        yield root


def _calls(tree: ast.AST) -> Iterator[tuple[ast.Call, set[str]]]:
    """The calls in a piece of code, each with the local names of the functions and comprehensions around it."""
    known: dict[ast.AST, set[str]] = {}
    comprehensions = {
        part: stored_names(one.target)
        for node in ast.walk(tree)
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp)
        for one in node.generators
        for part in ast.walk(node)
    }
    for node, around in inside_functions(tree):
        if not isinstance(node, ast.Call):
            continue
        own = set(comprehensions.get(node, ()))
        for function in around:
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                own |= known.setdefault(function, local_names(function))
        yield node, own
