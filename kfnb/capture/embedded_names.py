"""Names in texts that a library evaluates: SQL of DuckDB, ``pandas.eval``, formulas of statsmodels and patsy."""

from __future__ import annotations

import ast
import re

from kfnb.capture.syntax import all_names, root_name

_TABLE = re.compile(r"\b(?:from|join)\s+([a-z_]\w*)(?:\s*,\s*([a-z_]\w*))?", re.IGNORECASE)
_SQL = frozenset({"sql", "query", "execute"})
_FORMULA = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\s*[.(]")
_OF_PATSY = frozenset({"C", "Q", "I", "bs", "cr", "cc", "te", "center", "standardize", "scale"})


def names_in_text(call: ast.Call) -> list[str] | None:
    """The names that a call reads through its text argument; None where the text is not known.

    They may refer to something else: a table of a database, a column, a function of the library.
    """
    word = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    root = root_name(call.func)
    text = _text(call.args[0]) if call.args else ""
    if (root == "duckdb" and word in _SQL) or word == "sql":
        if text is None:
            return None if root == "duckdb" else []
        return [name for found in _TABLE.finditer(text) for name in found.groups() if name]
    if word == "eval" and root in ("pd", "pandas"):
        return None if text is None else _names_of_python(text)
    if text and "~" in text and (len(call.args) > 1 or any(one.arg == "data" for one in call.keywords)):
        return [name for name in _FORMULA.findall(text) if name not in _OF_PATSY]
    return []


def _text(node: ast.expr) -> str | None:
    """The value of a literal text; None for any other expression."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _names_of_python(text: str) -> list[str]:
    try:
        return sorted(all_names(ast.parse(text.strip())))
    except SyntaxError:
        return []
