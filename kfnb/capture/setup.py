"""Set-up cells: what may stand in one."""

from __future__ import annotations

import ast

from kfnb.capture.cell import Cell
from kfnb.errors import CaptureError

TAGS = frozenset({"imports", "functions"})
"""The tags of cells that are set-up cells without a magic; Kale has the same."""


def check_set_up(cell: Cell) -> None:
    """Raise ``CaptureError`` for what a step cannot run before its own code."""
    for line, magic in cell.code.refused.items():
        raise CaptureError(
            f"{cell.place(line)}: {magic} cannot travel with a set-up cell:",
            hint="move it to a cell of its own",
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
    """Whether a node stands in a function."""
    return any(
        node is inner
        for function in ast.walk(tree)
        if isinstance(function, ast.AsyncFunctionDef)
        for inner in ast.walk(function)
    )
