"""Absolute paths of the notebook's folder: in a step, they refer to the step's own folder."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kfnb.capture.cell import Cell
from kfnb.capture.dependencies import Dependencies
from kfnb.capture.project import top_of

_LONGEST = 200
_MOST, _DEEPEST = 1000, 20
"""The maximum number of items of a list or dict, and of containers in it, that are examined; and their depth."""


def holds_whole_path(value: Any, folder: Path) -> bool:
    """Whether a value is a path, or a list or dict of paths, in the notebook's folder or beside it.

    The depth is limited, and a list that contains itself does not count: its paths cannot be moved.
    """
    waiting, found, left = [(value, 0)], False, _MOST
    while waiting and left:
        left -= 1
        one, depth = waiting.pop()
        if depth > _DEEPEST:
            return False
        if isinstance(one, str | Path):
            found = found or _relative(os.fspath(one), folder) is not None
        elif isinstance(one, dict):
            waiting += [(item, depth + 1) for item in (*list(one)[:left], *list(one.values())[:left])]
        elif isinstance(one, list | tuple | set | frozenset):
            waiting += [(item, depth + 1) for item in list(one)[:left]]
    return found


def notes_on_absolute_paths(cell: Cell, dependencies: Dependencies, folder: Path) -> Iterator[str]:
    """Notes on absolute paths in the text of a cell, and of the functions that it calls."""
    code: list[tuple[Cell, ast.AST]] = [(cell, cell.tree)]
    code += [
        (one.cell, one.node)
        for one in dependencies.sources
        if isinstance(one.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    for where, tree in code:
        for node in ast.walk(tree):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            yield from _note(str(where.place(node.lineno)), node.value, folder)
    for param in dependencies.params.values():
        yield from _note(param.place, param.default, folder)


def _note(place: str, value: Any, folder: Path) -> Iterator[str]:
    name = _relative(value, folder) if isinstance(value, str) and len(value) < _LONGEST else None
    if name is not None:
        yield (
            f"{place}: {value} is in the notebook's folder: a run here reads and writes it in place, and a pod does not"
            f" have it. Write {name!r}, which each step has in its own folder"
        )


def _relative(text: str, folder: Path) -> str | None:
    """An absolute path relative to the notebook's folder; None for other text, and for files of tools."""
    if not text.startswith("/"):
        return None
    path, home = Path(os.path.normpath(text)), Path(os.path.realpath(folder))
    for own in (folder, home):
        if path.is_relative_to(top_of(own)):
            around = [one for one in path.parents if one.is_relative_to(top_of(own))]
            tool = any(part.startswith(".") for part in path.relative_to(top_of(own)).parts)
            tool = tool or any((one / "pyvenv.cfg").exists() for one in around)
            return None if tool else os.path.relpath(path, own)
    return None
