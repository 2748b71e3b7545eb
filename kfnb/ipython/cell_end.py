"""How a cell ends: with something to be seen, or with a call that was made for what it does."""

from __future__ import annotations

import ast

_ORDERS = frozenset({"wait", "retry"})
"""Methods of handles that give back the handle, for more to be called on it."""


def ends_in_an_order(code: str) -> bool:
    """Whether the last line of a cell only waits for a run or a study, or has it tried again: ``r.wait()``.

    ``code`` is Python, without IPython's syntax.
    """
    try:
        statements = ast.parse(code).body
    except SyntaxError:
        return False
    last = statements[-1] if statements else None
    return (
        isinstance(last, ast.Expr)
        and isinstance(last.value, ast.Call)
        and isinstance(last.value.func, ast.Attribute)
        and last.value.func.attr in _ORDERS
    )
