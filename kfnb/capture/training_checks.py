"""What of a cell tells, before it trains, that it would not train as it is meant to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from kfnb.capture.component import Component
from kfnb.capture.dependencies import Dependencies
from kfnb.errors import CaptureError

_BY_RANK = {"rank", "local_rank", "world_size", "shard"}
_SPLITS = re.compile(
    r"get_rank|\bRANK\b|process_index|process_count|DistributedSampler|Strategy|Trainer|Accelerator"
)
"""Code by which the processes of a cell that does not use ``kf.rank`` differ."""


def check_training(component: Component) -> None:
    """Check that the cell does something. Raises ``CaptureError``."""
    if component.function is not None:
        raise CaptureError(
            f"cell {component.cell} is a single function, which KFP calls: a training is plain code",
            hint="write the function's body as the cell",
            ref=f"cell {component.cell}",
        )
    defined = [
        node for node in component.cell.tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    idle = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
    if defined and all(isinstance(node, idle) or _is_docstring(node) for node in component.cell.tree.body):
        name = defined[-1].name
        raise CaptureError(
            f"cell {component.cell} defines {name}() and never calls it, so nothing would be trained:",
            hint=f"call it at the end of the cell, {name}()",
            ref=f"cell {component.cell}",
        )


def training_notes(component: Component, dependencies: Dependencies) -> Iterator[str]:
    """Notes on a training before it begins."""
    training = component.options.training
    if training is None or training.size == 1 or dependencies.kf & _BY_RANK:
        return
    trees = [component.cell.tree, *(one.node for one in dependencies.sources if one.node is not None)]
    if not any(_SPLITS.search(ast.unparse(tree)) for tree in trees):
        yield (
            f"the cell uses neither kf.rank nor kf.shard: each of the {training.size} processes of {component.name}"
            " does the same with all of the data"
        )


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
