"""The code of a cell of another tool, as kfnb will read it."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from kfnb.capture.component import component_function
from kfnb.capture.name_usage import Names
from kfnb.capture.names import read_names
from kfnb.capture.shell_syntax import translate
from kfnb.errors import NotebookError


@dataclass(frozen=True)
class SplitCell:
    """A cell's text, apart from the magics that a component cannot have (``outside``)."""

    text: str
    outside: str = ""


def split_magics(text: str) -> SplitCell:
    """A cell's text without the magics that stay in the notebook; a cell of such a cell magic stays there whole."""
    refused = translate(text).refused
    if any(magic.startswith("%%") for magic in refused.values()):
        return SplitCell("", text)
    lines = text.split("\n")
    outside = [lines[number - 1] for number in sorted(refused)]
    inside = [line for number, line in enumerate(lines, start=1) if number not in refused]
    return SplitCell("\n".join(inside).strip("\n"), "\n".join(outside))


def tree_of(text: str, place: str) -> ast.Module:
    """The syntax tree of a cell. Raises ``NotebookError`` with its ``place`` where it is not Python."""
    try:
        return ast.parse(translate(text).text)
    except SyntaxError as error:
        raise NotebookError(f"{place}, line {error.lineno}: not Python 3: {error.msg}", ref=place) from None


def names_of(text: str, place: str) -> Names:
    """What the code reads, writes and changes."""
    return read_names(tree_of(text, place))


def values_of(text: str, place: str) -> set[str]:
    """The names to which the code gives values: what it imports and the functions and classes it defines are none."""
    tree = tree_of(text, place)
    made = {
        alias.asname or alias.name.partition(".")[0] for node in ast.walk(tree) for alias in _imported(node)
    }
    made |= {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    return set(read_names(tree).writes) - made


def as_code(text: str, place: str) -> str:
    """The text of a component's cell that is to run: an annotated function alone would be a component itself."""
    return f"{text}\npass" if component_function(tree_of(text, place)) is not None else text


def _imported(node: ast.AST) -> list[ast.alias]:
    return node.names if isinstance(node, ast.Import | ast.ImportFrom) else []
