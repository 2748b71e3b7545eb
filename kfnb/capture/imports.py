"""Import statements: the statement that binds a name, and a statement that imports a given object."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from kfnb.capture.names import StarNames


@dataclass(frozen=True)
class Import:
    """One import statement for the top of a step; ``module`` is the module that must be installed for it."""

    name: str
    text: str
    module: str
    origin: str


def import_of(name: str, node: ast.Import | ast.ImportFrom, star_names: StarNames) -> tuple[str, str]:
    """The statement that binds just ``name``, and the module that it imports."""
    for alias in node.names:
        if bound_by(alias, node) != name and alias.name != "*":
            continue
        if isinstance(node, ast.Import):
            return ast.unparse(ast.Import([alias])), alias.name
        module = "." * node.level + (node.module or "")
        if alias.name == "*" and name in star_names(module):
            return f"from {module} import {name}", module
        if alias.name != "*":
            inner = f"{module}.{alias.name}"
            text = ast.unparse(ast.ImportFrom(node.module, [alias], node.level))
            return text, inner if inner in sys.modules else module
    raise AssertionError(name)  # the definition came from this very statement


def bound_by(alias: ast.alias, node: ast.Import | ast.ImportFrom) -> str:
    """The name that one part of an import statement binds."""
    return alias.asname or (alias.name.split(".")[0] if isinstance(node, ast.Import) else alias.name)


def submodules(name: str, node: ast.AST | None) -> Iterator[str]:
    """The modules that a statement imports *into* ``name``: ``a.b`` of ``import a.b``."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname is None and alias.name.partition(".")[0] == name:
                yield alias.name


def importable(name: str, value: Any) -> tuple[str, str]:
    """An import statement that binds ``value`` to ``name``, and its module; empty when there is none."""
    if isinstance(value, ModuleType):
        return f"import {value.__name__}" + ("" if value.__name__ == name else f" as {name}"), value.__name__
    module, own = getattr(value, "__module__", None), getattr(value, "__name__", None)
    known = isinstance(value, type) or inspect.isroutine(value)
    if not known or not module or module == "__main__" or not own:
        return "", ""
    if getattr(sys.modules.get(module), own, None) is not value:
        return "", ""
    return f"from {module} import {own}" + ("" if own == name else f" as {name}"), module


def imported_modules(tree: ast.AST) -> Iterator[tuple[str, ast.Import | ast.ImportFrom, bool]]:
    """The modules that the code itself imports, with the statement, and whether the import is optional."""
    tried = {
        node
        for attempt in ast.walk(tree)
        if isinstance(attempt, ast.Try) and attempt.handlers
        for statement in attempt.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node, node in tried
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node, node in tried
