"""A cell's text as lines inside a function: what was written at a notebook's level, made to mean the same there.

The text stays as it is, comments and all, but for the few statements that Python treats otherwise in a function:
``global`` becomes ``nonlocal``, ``import *`` names its names, ``await`` gets a coroutine around it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from kfnb.capture.commands import Edit, apply_edits
from kfnb.capture.names import StarNames

INDENT = "    "


@dataclass(frozen=True)
class Body:
    """Lines for inside a function (not yet indented); ``declared`` are names that functions in it assign."""

    text: str
    declared: frozenset[str] = frozenset()
    awaits: bool = False


def body_of(text: str, star_names: StarNames, used: Iterable[str]) -> Body:
    """``text``, Python as it stood in a cell, for the inside of a function. ``used`` are the names needed of it."""
    tree = ast.parse(text)
    edits, declared = [], set()
    inner = {id(node) for function in _functions(tree) for node in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            edits.append(Edit(node, f"nonlocal {', '.join(node.names)}" if id(node) in inner else "pass"))
            declared.update(node.names)
        elif isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            edits.append(Edit(node, _named(node, star_names, used)))
        elif isinstance(node, ast.ImportFrom) and node.module == "__future__":
            edits.append(Edit(node, "pass"))
        elif isinstance(node, ast.Constant) and _has_blank_line(node):
            edits.append(Edit(node, repr(node.value)))
    return Body(apply_edits(text, edits), frozenset(declared), _awaits(tree))


def indented(text: str, by: str = INDENT) -> str:
    """The text moved right, but for lines that are the inside of a string."""
    inside = _lines_in_strings(text)
    return "\n".join(
        line if number in inside or not line.strip() else by + line
        for number, line in enumerate(text.split("\n"), start=1)
    )


def _lines_in_strings(text: str) -> set[int]:
    """The numbers of lines that begin inside a string."""
    return {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
        for line in range(node.lineno + 1, (node.end_lineno or node.lineno) + 1)
    }


def _has_blank_line(node: ast.Constant) -> bool:
    """A string with a line of nothing but blanks, which KFP empties when it takes a function's source."""
    several_lines = node.end_lineno is not None and node.end_lineno > node.lineno
    return (
        isinstance(node.value, str)
        and several_lines
        and any(line and not line.strip() for line in node.value.split("\n"))
    )


def _named(node: ast.ImportFrom, star_names: StarNames, used: Iterable[str]) -> str:
    module = "." * node.level + (node.module or "")
    names = sorted(set(star_names(module)) & set(used))
    return f"from {module} import {', '.join(names)}" if names else f"import {module}"


def _functions(tree: ast.AST) -> list[ast.AST]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def _awaits(tree: ast.Module) -> bool:
    """Whether the text awaits outside of any function, which a notebook allows."""
    waiting: list[ast.AST] = [*tree.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
            return True
        if isinstance(node, ast.comprehension) and node.is_async:
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))
    return False


def all_names(tree: ast.AST) -> set[str]:
    """Every name that occurs in a piece of code."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
