"""Parameters of notebooks: where cells declare them, and what a user gives for them.

A notebook declares parameters in a cell tagged ``parameters`` (papermill's way), in a cell that begins with
``%%kf_parameters``, and by ``--param name:type=default`` of ``%%kf_component``.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from kfnb.errors import NotebookError
from kfnb.literal import read_literal

_NAME = re.compile(r"[^\W\d]\w*")


def parse_value(text: str) -> Any:
    """The value that ``text`` is as a literal; the text itself where papermill could not write it into a cell."""
    value = read_literal(text)
    return value if _is_plain(value) else text


def read_file(path: Path) -> dict[str, Any]:
    """The parameters that a YAML or JSON file holds. Raises ``NotebookError``."""
    import yaml
    from papermill.iorw import NoDatesSafeLoader

    try:
        values = yaml.load(path.read_text(encoding="utf-8"), NoDatesSafeLoader)  # noqa: S506 (a safe loader)
    except (OSError, UnicodeDecodeError) as error:
        raise NotebookError(f"{path}: cannot read these parameters ({_reason(error)})") from None
    except yaml.YAMLError as error:
        raise NotebookError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise NotebookError(f"{path}: parameters are written as lines of 'name: value'")
    return values


def find_declared(cells: Iterable[Mapping[str, Any]]) -> set[str]:
    """The names of the parameters that the cells of a notebook declare."""
    found: set[str] = set()
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        source = cell["source"].lstrip()
        first, _, body = source.partition("\n")
        if first.startswith("%%kf_component"):
            found.update(_find_options(first))
        elif first.split()[:1] == ["%%kf_parameters"]:
            found.update(_find_assigned(body))
        elif "parameters" in cell["metadata"].get("tags", ()):
            found.update(_find_assigned(source))
    return found


def check_known(given: Iterable[str], declared: Mapping[Path, set[str]]) -> None:
    """Refuse a parameter that no cell of any of the notebooks declares."""
    known = sorted(set().union(*declared.values()))
    for name in given:
        if name not in known:
            raise NotebookError(f"no cell has a parameter {name!r}; {_hint(name, known, list(declared))}")


def _hint(name: str, known: list[str], paths: list[Path]) -> str:
    notebooks = paths[0].name if len(paths) == 1 else "the notebooks"
    close = get_close_matches(name, known, 1)
    if close:
        return f"did you mean {close[0]}?"
    if known:
        return f"{notebooks} has {', '.join(known)}" if len(paths) == 1 else f"they have {', '.join(known)}"
    return (
        f"none is declared in {notebooks}: tag a cell 'parameters', begin it with %%kf_parameters, "
        "or give %%kf_component a --param"
    )


def _find_options(line: str) -> Iterator[str]:
    """The names after each ``--param`` of a magic's line."""
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    for index, word in enumerate(words):
        option, _, value = word.partition("=")
        if option == "--param":
            name = _NAME.match(value or " ".join(words[index + 1 : index + 2]))
            if name:
                yield name.group()


def _find_assigned(source: str) -> Iterator[str]:
    """The names that a cell assigns at its top level."""
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        body = ast.parse(TransformerManager().transform_cell(source)).body
    except (SyntaxError, ValueError):
        return  # the kernel will say so, and where
    for statement in body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def _is_plain(value: Any) -> bool:
    """Whether a value is one that papermill can write into a cell."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    return value is None or isinstance(value, (bool, int, float, str))


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
