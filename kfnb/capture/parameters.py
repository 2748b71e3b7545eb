"""The content that a cell of parameters may have."""

from __future__ import annotations

import ast

from kfnb.capture.cell import Cell
from kfnb.errors import CaptureError


def check_parameters(cell: Cell) -> None:
    """Check that a ``%%kf_parameters`` cell has only assignments to names. Raises ``CaptureError``."""
    for node in cell.tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        plain = isinstance(node, ast.Assign | ast.AnnAssign) and all(isinstance(t, ast.Name) for t in targets)
        if not plain and not isinstance(node, ast.Import | ast.ImportFrom):
            raise CaptureError(
                f"{cell.place(node.lineno)}: a parameters cell may only have assignments (name = value) and imports",
                ref=str(cell.place(node.lineno)),
            )
