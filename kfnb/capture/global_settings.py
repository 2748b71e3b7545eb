"""Calls by which a plain cell changes a library for the whole kernel: steps have that only from ``%%kf_setup``."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from kfnb.capture.cell import Cell

_CHANGING = {
    "pandas.set_option": "pandas",
    "pandas.options.*": "pandas",
    "numpy.random.seed": "numpy",
    "numpy.set_printoptions": "numpy",
    "numpy.seterr": "numpy",
    "random.seed": "random",
    "torch.*manual_seed*": "torch",
    "torch.set_*": "torch",
    "tensorflow.random.set_seed": "tensorflow",
    "sklearn.set_config": "sklearn",
    "matplotlib.*style.use": "matplotlib",
    "matplotlib.*rcParams*": "matplotlib",
    "matplotlib.*rc": "matplotlib",
    "seaborn.set*": "matplotlib seaborn",
    "tqdm.*.pandas": "progress_apply progress_map progress_aggregate progress_transform",
    "decimal.setcontext": "decimal",
    "os.chdir": "",
    "warnings.filterwarnings": "",
    "warnings.simplefilter": "",
    "logging.basicConfig": "",
    "locale.setlocale": "",
    "sys.setrecursionlimit": "",
}
"""The pattern of such a call's name, and the modules whose users it concerns; empty for all steps."""


@dataclass(frozen=True)
class Change:
    """A change of a library by a line of a cell: its text, and the modules whose users it concerns."""

    cell: Cell
    line: int
    text: str
    concerns: tuple[str, ...]

    def __str__(self) -> str:
        """The note: which line, and what to do."""
        return (
            f"{self.cell.place(self.line)}: {self.text} has no effect in the step: put it in a cell that begins with"
            " %%kf_setup"
        )


def changes_of(cell: Cell, namespace: Mapping[str, Any]) -> Iterator[Change]:
    """The changes that the top level of the cell makes."""
    for statement in cell.tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for node in ast.walk(statement):
            written = _written(node)
            name = full_name(written, namespace) if written is not None else ""
            found = next((names for pattern, names in _CHANGING.items() if fnmatchcase(name, pattern)), None)
            if written is not None and found is not None:
                text = f"{ast.unparse(written)}()" if isinstance(node, ast.Call) else ast.unparse(written)
                yield Change(cell, written.lineno, text, tuple(found.split()))


def _written(node: ast.AST) -> ast.expr | None:
    """The function that a call calls, or the object that an assignment sets a part of."""
    if isinstance(node, ast.Call):
        return node.func
    if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
        return node.value if isinstance(node, ast.Subscript) else node
    return None


def full_name(node: ast.expr, namespace: Mapping[str, Any]) -> str:
    """A dotted name with its first part resolved; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    owner = namespace.get(node.id)
    module = getattr(owner, "__module__", None)
    first = f"{module}.{getattr(owner, '__qualname__', '')}" if module else getattr(owner, "__name__", "")
    return ".".join([str(first), *parts])
