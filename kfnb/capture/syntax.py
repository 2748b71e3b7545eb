"""Small queries on Python's syntax tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator


def root_name(node: ast.AST) -> str | None:
    """``x`` of ``x.a[0].b``; None when the expression does not begin with a name."""
    root = chain_root(node)
    return root.id if isinstance(root, ast.Name) else None


def chain_root(node: ast.AST) -> ast.AST:
    """``x`` of ``x.a[0].b``, of any kind."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node


def all_names(tree: ast.AST) -> set[str]:
    """Every name that occurs in a piece of code."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def stored_names(tree: ast.AST) -> set[str]:
    """Every name that a piece of code assigns, at any level."""
    return {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def names_in_query(call: ast.Call) -> list[str]:
    """The Python names that pandas' ``query`` and ``eval`` read from the caller (``@name``)."""
    if not (isinstance(call.func, ast.Attribute) and call.func.attr in {"query", "eval"}):
        return []
    parts = [part for arg in call.args for part in ast.walk(arg)]  # the texts of an f-string are its parts
    texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return [name for text in texts for name in re.findall(r"@([^\W\d]\w*)", text)]


def evaluated_annotations(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    """The annotations of a function that Python evaluates where it is defined."""
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [arg for arg in (arguments.vararg, arguments.kwarg) if arg is not None]
    found = [arg.annotation for arg in every if arg.annotation is not None]
    found += [node.returns] if node.returns is not None else []
    return found


def defaults(arguments: ast.arguments) -> list[ast.expr]:
    """The default values of a function's parameters."""
    return [one for one in (*arguments.defaults, *arguments.kw_defaults) if one is not None]


MUTATORS = frozenset({
    "add", "append", "appendleft", "clear", "difference_update", "discard", "extend", "extendleft", "insert",
    "intersection_update", "pop", "popitem", "popleft", "remove", "reverse", "setdefault", "sort",
    "symmetric_difference_update", "update",
})  # fmt: skip
"""Methods that change Python's containers."""

FILLERS = frozenset({
    "copyto", "fill_diagonal", "heapify", "heappop", "heappush", "insort", "insort_left", "insort_right", "place",
    "put", "put_along_axis", "putmask", "shuffle",
})  # fmt: skip
"""Functions of libraries that change their first argument."""


def generic_names(node: ast.AST) -> set[str]:
    """The type parameters of ``def f[T]`` and ``class A[T]`` (Python 3.12's)."""
    return {parameter.name for parameter in getattr(node, "type_params", ())}


def catches_name_error(handler: ast.ExceptHandler) -> bool:
    """Whether an ``except`` catches a missing name."""
    if handler.type is None:
        return True
    caught = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
    return bool(caught & {"NameError", "Exception", "BaseException"})


_AS_MANY = {"enumerate", "list", "reversed", "set", "sorted", "tqdm", "tuple"}
"""Functions that return as many items as they get."""


def has_items(node: ast.expr) -> bool:
    """Whether a loop over the expression surely runs at least once."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return any(not isinstance(item, ast.Starred) for item in node.elts)
    if isinstance(node, ast.Dict):
        return any(key is not None for key in node.keys)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str | bytes) and bool(node.value)
    called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
    arguments = node.args if isinstance(node, ast.Call) else []
    if called == "range":
        bounds = [arg.value if isinstance(arg, ast.Constant) else None for arg in arguments]
        return all(type(bound) is int for bound in bounds) and bool(range(*bounds))  # type: ignore[arg-type]
    if called == "zip":
        return bool(arguments) and all(map(has_items, arguments))
    return called in _AS_MANY and bool(arguments) and has_items(arguments[0])


def is_irrefutable(case: ast.match_case) -> bool:
    """Whether a ``case`` matches everything."""
    return case.guard is None and isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None


def declared_global(body: Iterable[ast.AST]) -> set[str]:
    """Names that the body of a function or class declares ``global``."""
    waiting = list(body)
    found: set[str] = set()
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.Global):
            found.update(part.names)
        if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(part))
    return found


def inside_functions(tree: ast.AST) -> Iterator[tuple[ast.AST, list[ast.AST]]]:
    """Each node with the functions and classes around it, outermost first."""
    waiting: list[tuple[ast.AST, list[ast.AST]]] = [(tree, [])]
    while waiting:
        node, around = waiting.pop()
        yield node, around
        scope = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef)
        inner = [*around, node] if scope else around
        waiting.extend((child, inner) for child in ast.iter_child_nodes(node))
