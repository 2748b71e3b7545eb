"""Cells of parameters: what may stand in one."""

from __future__ import annotations

import ast

from kfnb.capture.cell import Cell
from kfnb.errors import CaptureError


def check_parameters(cell: Cell) -> None:
    """A ``%%kf_parameters`` cell holds assignments to names. Raises ``CaptureError`` for anything else."""
    for node in cell.tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        plain = isinstance(node, ast.Assign | ast.AnnAssign) and all(isinstance(t, ast.Name) for t in targets)
        if not plain and not isinstance(node, ast.Import | ast.ImportFrom):
            raise CaptureError(
                f"{cell.place(node.lineno)}: a cell of parameters holds assignments (name = value) and imports",
                ref=str(cell.place(node.lineno)),
            )
