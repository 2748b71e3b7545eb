"""Parameters of notebooks: their declarations in cells, and the values that a user gives.

A notebook declares parameters in a cell tagged ``parameters`` (papermill's way), in a cell that begins with
``%%kf_parameters``, and by ``--param name:type=default`` of ``%%kf_component``.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from kfnb import compat
from kfnb.errors import NotebookError
from kfnb.text.literals import read_literal

_NAME = re.compile(r"[^\W\d]\w*")


class TypedText(str):
    """A value as typed: its type depends on the parameter."""

    __slots__ = ()


def parse_value(text: str, kind: str = "") -> Any:
    """Parse ``text`` as a literal; return the text itself if papermill could not write the value into a cell.

    For a parameter that is declared as a text (``kind`` is str), the text is not parsed.
    """
    value = str(text) if kind == "str" and not _is_quoted(text) else read_literal(text)
    return value if _is_plain(value) else str(text)


def _is_quoted(text: str) -> bool:
    """Whether a text is written as a literal string."""
    return isinstance(read_literal(text), str) and text.strip()[:1] in ("'", '"')


def typed(given: Mapping[str, Any], declared: Mapping[str, str]) -> dict[str, Any]:
    """The values of the ``declared`` parameters; typed values are parsed according to the parameter's type."""
    return {
        name: parse_value(value, declared[name]) if isinstance(value, TypedText) else value
        for name, value in given.items()
        if name in declared
    }


def read_file(path: Path) -> dict[str, Any]:
    """Read the parameters of a YAML or JSON file. Raises ``NotebookError``."""
    import yaml

    try:
        values = yaml.load(path.read_text(encoding="utf-8"), compat.yaml_loader())  # noqa: S506 (a safe loader)
    except (OSError, UnicodeDecodeError) as error:
        raise NotebookError(f"{path}: cannot read the parameters ({_reason(error)})") from None
    except yaml.YAMLError as error:
        raise NotebookError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise NotebookError(f"{path}: write parameters as lines of 'name: value'")
    return values


def find_declared(cells: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The parameters that the cells of a notebook declare, with the names of their types; empty if unknown."""
    found: dict[str, str] = {}
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        source = cell["source"].lstrip()
        first, body = _split(source)
        if first.startswith("%%kf_component"):
            found.update(_find_options(first))
        elif first.split()[:1] == ["%%kf_parameters"]:
            found.update(_find_assigned(body))
        elif "parameters" in cell["metadata"].get("tags", ()):
            found.update(_find_assigned(source))
    return found


def check_known(given: Iterable[str], declared: Mapping[Path, Collection[str]]) -> None:
    """Refuse a parameter that no cell of any of the notebooks declares."""
    known = sorted(set().union(*declared.values()))
    for name in given:
        if name not in known:
            raise NotebookError(
                f"no cell declares a parameter {name!r}; {_hint(name, known, list(declared))}"
            )


def _hint(name: str, known: list[str], paths: list[Path]) -> str:
    notebooks = paths[0].name if len(paths) == 1 else "the notebooks"
    close = get_close_matches(name, known, 1)
    if close:
        return f"did you mean {close[0]}?"
    if known:
        return f"parameters of {notebooks}: {', '.join(known)}"
    return (
        f"{notebooks} has no parameters: tag a cell 'parameters', begin it with %%kf_parameters, "
        "or use %%kf_component --param"
    )


def _split(source: str) -> tuple[str, str]:
    """The line of kfnb's magic with its continuation lines, and the rest; other cell magics may be above."""
    lines = source.split("\n")
    place = 0
    while place + 1 < len(lines) and lines[place].startswith("%%") and not lines[place].startswith("%%kf_"):
        place += 1
    end = place
    while lines[end].endswith("\\") and end + 1 < len(lines):
        end += 1
    return " ".join(line.removesuffix("\\") for line in lines[place : end + 1]), "\n".join(lines[end + 1 :])


def _find_options(line: str) -> Iterator[tuple[str, str]]:
    """The names after each ``--param`` of a magic's line, with their types."""
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    for index, word in enumerate(words):
        option, _, value = word.partition("=")
        if option == "--param":
            declaration = value or " ".join(words[index + 1 : index + 2])
            name = _NAME.match(declaration)
            if name:
                head, equals, default = declaration.partition("=")
                kind = head.partition(":")[2].strip()
                yield name.group(), kind or (type(read_literal(default)).__name__ if equals else "str")


def _find_assigned(source: str) -> Iterator[tuple[str, str]]:
    """The names that a cell assigns at its top level, with the types of those that are literals."""
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        body = ast.parse(TransformerManager().transform_cell(source)).body
    except (SyntaxError, ValueError):
        return  # the kernel reports the error and its line
    for statement in body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                kind = _type_of(statement.value) if isinstance(target, ast.Name) else ""
                yield from ((node.id, kind) for node in ast.walk(target) if isinstance(node, ast.Name))


def _type_of(value: ast.expr | None) -> str:
    """The type of a literal; empty for anything else."""
    try:
        return type(ast.literal_eval(value)).__name__ if value is not None else ""
    except (ValueError, SyntaxError):
        return ""


def _is_plain(value: Any) -> bool:
    """Whether papermill can write a value into a cell."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    return value is None or isinstance(value, (bool, int, float, str))


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
