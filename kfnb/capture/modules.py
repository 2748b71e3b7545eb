"""Modules of the notebook, beside it or on ``sys.path``: a step includes their source, with what it imports."""

from __future__ import annotations

import ast
from pathlib import Path

from kfnb.capture.packages import beside, root_of
from kfnb.errors import CaptureError


def collect(module: str, folder: Path) -> dict[str, str]:
    """The files of a module of the notebook and of those that it imports: the path as imported -> its source."""
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        current = waiting.pop()
        path, root = beside(current, folder), root_of(current, folder)
        if path is None or root is None:
            continue
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            name = file.relative_to(root).as_posix()
            if name not in found:
                found[name] = file.read_text(encoding="utf-8")
                waiting += imported(found[name], name)
    return found


def imported(source: str, name: str = "module") -> list[str]:
    """The modules that a source imports, by absolute name, anywhere in it."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise CaptureError(f"{name}, line {error.lineno}: {error.msg}") from None
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append(node.module)
    return list(dict.fromkeys(found))
