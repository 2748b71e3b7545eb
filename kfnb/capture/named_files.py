"""The files that a cell names in its text: inputs of a cell that does not run here, and folders to watch for others."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.capture.file_watch import counts
from kfnb.capture.files import Files
from kfnb.capture.project import levels, top_of

_LONGEST = 1000
_UPWARDS = frozenset({"parent", "parents", "dirname", "pardir"})
"""Attributes by which code gets a parent folder."""
_MODULE = re.compile(r"[\w./-]+\.py\b")


@dataclass(frozen=True)
class Named:
    """What code reveals about files: whether it may go ``above`` the notebook's folder; Python files that it names."""

    above: bool = False
    code: frozenset[str] = frozenset()


def named_in(folder: Path, trees: Iterable[ast.AST], values: Iterable[Any]) -> Named:
    """Find what code reveals about files, with the ``values`` of the names that it reads."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    texts |= {os.fsdecode(value) for value in values if isinstance(value, str | os.PathLike)}
    top = os.fspath(top_of(folder))
    above = any(isinstance(node, ast.Attribute) and node.attr in _UPWARDS for node in nodes)
    above |= any(
        ".." in text or (text.startswith(top) and not text.startswith(f"{folder}/")) for text in texts
    )
    code = {os.path.normpath(name) for text in texts for name in _MODULE.findall(text)}
    return Named(above, frozenset(code))


def files_named(folder: Path, trees: Iterable[ast.AST]) -> Files:
    """The files below ``folder`` and beside it that are named in the code, as read, and the folders, with their
    subfolders, as listed.
    """
    reads: set[str] = set()
    listed: set[str] = set()
    up = len(folder.parts) - len(top_of(folder).parts)
    for name in {name for tree in trees for name in _names(tree) if levels(name) <= up}:
        if (folder / name).is_file() and counts(name):
            reads.add(name)
        elif (folder / name).is_dir() and counts(name, folder=True):
            listed |= {os.path.relpath(around, folder) for around, _, _ in os.walk(folder / name)}
    return Files(reads=frozenset(reads), listed=frozenset(listed))


def _names(tree: ast.AST) -> Iterator[str]:
    """The texts that may be relative paths."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and 0 < len(node.value) < _LONGEST:
            with suppress(ValueError, OSError):  # a text with a null byte, or too long a name
                path = os.path.normpath(node.value)
                if path not in (".", "..") and not path.startswith("/"):
                    yield Path(path).as_posix()
