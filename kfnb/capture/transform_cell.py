"""What a transform's cell may hold: ``def transform``, where it learns ``def fit``, and definitions that these use."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from kfnb.capture.cell import Cell
from kfnb.capture.pure import is_pure
from kfnb.capture.syntax import all_names
from kfnb.errors import CaptureError, did_you_mean

Function = ast.FunctionDef | ast.AsyncFunctionDef

_SIGNATURE = "def transform(df, state): return df"


def check_transform(cell: Cell, lookup: Callable[[str], Any]) -> None:
    """Check that a cell defines a transform and does nothing else. Raises ``CaptureError`` with the line.

    ``lookup`` returns the value of a name in the notebook, or raises ``KeyError``.
    """
    for line, magic in cell.code.refused.items():
        raise _refused(cell, line, f"{magic} cannot be used in a transform:", "move it to another cell")
    for node in cell.tree.body:
        if not _only_defines(node, lookup):
            text = cell.raw.split("\n")[node.lineno - 1].strip()
            what = f"`{text}` does something, and a transform's cell only defines:"
            hint = "move it to another cell; what is learned from data is what fit(df) returns"
            raise _refused(cell, node.lineno, what, hint)
    functions = functions_of(cell)
    if "transform" not in functions:
        named = [node.name for node in cell.tree.body if isinstance(node, Function)]
        hint = did_you_mean("transform", named, _SIGNATURE)
        raise _refused(cell, 1, "the cell has no function transform:", hint)
    _check_functions(cell, functions["transform"], functions.get("fit"))


def functions_of(cell: Cell) -> dict[str, Function]:
    """The functions ``fit`` and ``transform`` of a cell, as far as it has them."""
    found = {node.name: node for node in cell.tree.body if isinstance(node, Function)}
    return {name: found[name] for name in ("fit", "transform") if name in found}


def _check_functions(cell: Cell, transform: Function, fit: Function | None) -> None:
    for function in filter(None, (transform, fit)):
        if isinstance(function, ast.AsyncFunctionDef):
            raise _refused(cell, function.lineno, f"{function.name} cannot be async:", f"def {function.name}")
    taken = _parameters(transform)
    if taken is None or not 1 <= len(taken) <= 2:  # noqa: PLR2004 - df and state
        what = f"transform({ast.unparse(transform.args)}) takes neither (df, state) nor (df):"
        raise _refused(cell, transform.lineno, what, _SIGNATURE)
    if fit is not None and len(_parameters(fit) or ()) != 1:
        what = f"fit({ast.unparse(fit.args)}) does not take (df) alone:"
        raise _refused(cell, fit.lineno, what, "def fit(df): return what transform needs as its state")
    if fit is not None and len(taken) == 1:
        raise _refused(
            cell, transform.lineno, "transform does not take the state that fit returns:", _SIGNATURE
        )
    if fit is None and len(taken) > 1 and taken[1] in all_names(ast.Module(transform.body, [])):
        what = f"transform reads {taken[1]}, and there is no fit(df) that returns it:"
        raise _refused(cell, transform.lineno, what, "define fit(df), or leave it out: def transform(df)")


def _parameters(function: Function) -> list[str] | None:
    """The parameters of a function; None where it has others than plain ones."""
    arguments = function.args
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs:
        return None
    return [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]


def _only_defines(node: ast.stmt, lookup: Callable[[str], Any]) -> bool:
    """Whether a statement only defines names, and would do so again elsewhere."""
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Pass | Function | ast.ClassDef):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.If | ast.Try):
        return all(_only_defines(one, lookup) for one in _inside(node))
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        named = all(isinstance(target, ast.Name | ast.Tuple | ast.List) for target in targets)
        return named and (node.value is None or is_pure(node.value, lookup))
    return False


def _inside(node: ast.If | ast.Try) -> Iterator[ast.stmt]:
    yield from (*node.body, *node.orelse)
    if isinstance(node, ast.Try):
        yield from (*(one for handler in node.handlers for one in handler.body), *node.finalbody)


def _refused(cell: Cell, line: int, what: str, hint: str) -> CaptureError:
    place = cell.place(line)
    return CaptureError(f"{place}: {what}", hint=hint, ref=str(place))
