"""Whole paths of the notebook's folder: in a step, which has a folder of its own, they mean what lies there."""

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
"""Items of a list or dict, and of those in it, that are looked at; and how deep one may lie."""


def holds_whole_path(value: Any, folder: Path) -> bool:
    """Whether a value is a path, or a list or dict of some, in the notebook's folder or beside it.

    No deeper than a person writes it, and no list that holds itself: its paths cannot be moved.
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


def whole_paths_told(cell: Cell, travel: Dependencies, folder: Path) -> Iterator[str]:
    """What to say of whole paths in the text of a cell, and of the functions that it calls."""
    code: list[tuple[Cell, ast.AST]] = [(cell, cell.tree)]
    code += [
        (one.cell, one.node)
        for one in travel.sources
        if isinstance(one.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    for where, tree in code:
        for node in ast.walk(tree):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            yield from _told(str(where.place(node.lineno)), node.value, folder)
    for param in travel.params.values():
        yield from _told(param.place, param.default, folder)


def _told(place: str, value: Any, folder: Path) -> Iterator[str]:
    name = _relative(value, folder) if isinstance(value, str) and len(value) < _LONGEST else None
    if name is not None:
        yield (
            f"{place}: {value} is the notebook's own: a run here reads and writes it in place, and a pod does not have"
            f" it. Write {name!r}, which a step has in a folder of its own"
        )


def _relative(text: str, folder: Path) -> str | None:
    """The path from the notebook's folder of a whole path there; None for any other text, and for what is a tool's."""
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
