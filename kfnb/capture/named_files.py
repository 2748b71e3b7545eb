"""The files that a cell names in its text: what is known of those of a cell that does not run here."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from kfnb.capture.file_watch import counts
from kfnb.capture.files import Files

_LONGEST = 1000


def files_named(folder: Path, trees: Iterable[ast.AST]) -> Files:
    """The files below ``folder`` that texts in the code name, as read, and the folders, with those below, as listed."""
    reads: set[str] = set()
    listed: set[str] = set()
    for name in {name for tree in trees for name in _names(tree)}:
        if (folder / name).is_file() and counts(Path(name)):
            reads.add(name)
        elif (folder / name).is_dir() and counts(Path(name), folder=True):
            listed |= {Path(around).relative_to(folder).as_posix() for around, _, _ in os.walk(folder / name)}
    return Files(reads=frozenset(reads), listed=frozenset(listed))


def _names(tree: ast.AST) -> Iterator[str]:
    """The texts that may be relative paths."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and 0 < len(node.value) < _LONGEST:
            with suppress(ValueError, OSError):  # a text with a zero in it, or too long a name
                path = os.path.normpath(node.value)
                if path != "." and not path.startswith(("..", "/")):
                    yield Path(path).as_posix()
