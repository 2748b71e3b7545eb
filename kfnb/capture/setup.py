"""The content that a set-up cell may have."""

from __future__ import annotations

import ast

from kfnb.capture.cell import Cell
from kfnb.errors import CaptureError

TAGS = frozenset({"imports", "functions"})
"""The tags that make a cell a set-up cell without a magic; Kale uses the same."""


def check_set_up(cell: Cell) -> None:
    """Check that a step can run the cell before its own code. Raises ``CaptureError``."""
    for line, magic in cell.code.refused.items():
        raise CaptureError(
            f"{cell.place(line)}: {magic} cannot be used in a set-up cell:",
            hint="move it to a separate cell",
            ref=str(cell.place(line)),
        )
    for node in ast.walk(cell.tree):
        if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith) and not _is_inside(cell.tree, node):
            raise CaptureError(
                f"{cell.place(node.lineno)}: a set-up cell cannot await:",
                hint="await in the component",
                ref=str(cell.place(node.lineno)),
            )


def _is_inside(tree: ast.Module, node: ast.AST) -> bool:
    """Whether a node is inside a function."""
    return any(
        node is inner
        for function in ast.walk(tree)
        if isinstance(function, ast.AsyncFunctionDef)
        for inner in ast.walk(function)
    )
