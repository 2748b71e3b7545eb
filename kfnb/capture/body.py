"""A cell's text as lines inside a function, with the meaning that it has at the top level of a notebook.

The text is unchanged, comments included, except for the statements that Python treats differently in a function:
``import *`` lists its names, ``x: int = 1`` loses its annotation (a global name has none), ``await`` is put in a
coroutine, and ``global`` becomes ``nonlocal`` for the few names that are local to the function.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from kfnb.capture.names import StarNames
from kfnb.capture.shell_syntax import Edit, apply_edits
from kfnb.capture.syntax import inside_functions

INDENT = "    "


@dataclass(frozen=True)
class Body:
    """Lines for inside a function (not yet indented)."""

    text: str
    awaits: bool = False


def body_of(text: str, star_names: StarNames, used: Iterable[str], local: Collection[str]) -> Body:
    """Convert ``text``, the Python of a cell, for the inside of a function.

    ``used`` are the names that are needed from it, ``local`` those local to the function: all others are global.
    """
    tree = ast.parse(text)
    edits = list(_blank_lines(tree))
    edits += [_without_annotation(node) for node in _annotated(tree)]
    for node, around in inside_functions(tree):
        if isinstance(node, ast.Global):
            edits.append(Edit(node, _scoped(node.names, local) if around else "pass"))
        elif isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            edits.append(Edit(node, _named(node, star_names, used)))
        elif isinstance(node, ast.ImportFrom) and node.module == "__future__":
            edits.append(Edit(node, "pass"))
    return Body(apply_edits(text, edits), _awaits(tree))


def literal(text: str) -> str:
    """A text as the source of a string, as it reads where Python allows that."""
    plain = "'''" not in text and not text.endswith(("\\", "'")) and "\r" not in text
    return f"r'''{text}'''" if plain else repr(text)


def trimmed(text: str) -> tuple[int, str]:
    """The text without empty lines around it, and the number of its first line."""
    lines = text.split("\n")
    first = next(index for index, line in enumerate(lines) if line.strip())
    return first + 1, "\n".join(lines[first:]).rstrip()


def _scoped(names: Sequence[str], local: Collection[str]) -> str:
    """A ``global`` statement for the inside of a function in which the names ``local`` are not global."""
    own = [name for name in names if name in local]
    others = [name for name in names if name not in local]
    parts = [f"nonlocal {', '.join(own)}" if own else "", f"global {', '.join(others)}" if others else ""]
    return "; ".join(filter(None, parts))


def _annotated(tree: ast.AST) -> Iterator[ast.AnnAssign]:
    """The annotated names of the cell's own level."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name):
            yield child
        elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _annotated(child)


def _without_annotation(node: ast.AnnAssign) -> Edit:
    if node.value is None:
        return Edit(node, "pass")
    assert isinstance(node.target, ast.Name)
    # from the name to the end of its annotation: the value is unchanged
    head = ast.copy_location(ast.Name(node.target.id), node)
    head.end_lineno, head.end_col_offset = node.annotation.end_lineno, node.annotation.end_col_offset
    return Edit(head, node.target.id)


def exact(text: str) -> str:
    """Rewrite strings so that KFP, which empties blank lines, does not change their values."""
    return apply_edits(text, list(_blank_lines(ast.parse(text))))


def _blank_lines(tree: ast.AST) -> Iterator[Edit]:
    """Strings with a line of only blanks, which KFP empties when it reads a function's source."""
    for node in _strings(tree):
        line_breaks = (node.end_lineno or node.lineno) - node.lineno
        if line_breaks and _has_blank_line(node):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            yield Edit(node, f"({' '.join(map(_one_line, parts))}" + "\n" * line_breaks + ")")


def _one_line(part: ast.expr) -> str:
    """A string, or a field of an f-string, on one line."""
    return repr(part.value) if isinstance(part, ast.Constant) else ast.unparse(ast.JoinedStr([part]))


def _has_blank_line(node: ast.expr) -> bool:
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    values = [part.value for part in parts if isinstance(part, ast.Constant)]
    texts = [value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in values]
    return any(line and not line.strip() for text in texts for line in text.split("\n"))


def _strings(tree: ast.AST) -> Iterator[ast.JoinedStr | ast.Constant]:
    """The outermost strings: before Python 3.12, the parts of an f-string have no positions."""
    if isinstance(tree, ast.JoinedStr) or (
        isinstance(tree, ast.Constant) and isinstance(tree.value, str | bytes)
    ):
        yield tree
        return
    for child in ast.iter_child_nodes(tree):
        yield from _strings(child)


def indented(text: str, by: str = INDENT) -> str:
    """Indent the text, except for lines inside a string."""
    inside = _lines_in_strings(text)
    return "\n".join(
        line if number in inside or not line.strip() else by + line
        for number, line in enumerate(text.split("\n"), start=1)
    )


def outdented(text: str, by: str = INDENT) -> str:
    """The lines of ``text`` without that indentation, except for lines inside a string: what ``indented`` had added."""
    inside = _lines_in_strings(text)
    return "\n".join(
        line if number in inside else line.removeprefix(by)
        for number, line in enumerate(text.split("\n"), start=1)
    )


def _lines_in_strings(text: str) -> set[int]:
    """The numbers of lines that begin inside a string."""
    return {
        line
        for node in _strings(ast.parse(text))
        for line in range(node.lineno + 1, (node.end_lineno or node.lineno) + 1)
    }


def _named(node: ast.ImportFrom, star_names: StarNames, used: Iterable[str]) -> str:
    module = "." * node.level + (node.module or "")
    names = sorted(set(star_names(module)) & set(used))
    return f"from {module} import {', '.join(names)}" if names else f"import {module}"


def _awaits(tree: ast.Module) -> bool:
    """Whether the text uses ``await`` outside of functions, which a notebook allows."""
    waiting: list[ast.AST] = [*tree.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
            return True
        if isinstance(node, ast.comprehension) and node.is_async:
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))
    return False
