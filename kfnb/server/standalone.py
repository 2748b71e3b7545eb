"""Modules of kfnb as text, under other names: for programs that run where kfnb is not installed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path


def standalone_modules(entries: Iterable[str], places: Mapping[str, str]) -> dict[str, str]:
    """The modules ``entries`` and all of kfnb that they import, by their new names.

    ``places`` has new names by those of packages. A package that is imported itself is named ``PACKAGE.__init__``;
    others need none but an empty one.
    """
    found: dict[str, str] = {}
    waiting, seen = list(entries), set[str]()
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        spec = find_spec(module)
        assert spec is not None, module
        source = Path(str(spec.origin)).read_text(encoding="utf-8")
        place = _place_of(module, places)
        found[f"{place}.__init__" if spec.submodule_search_locations else place] = renamed(source, places)
        waiting += _imported(source)
    return found


def renamed(source: str, places: Mapping[str, str]) -> str:
    """The source of a module, in which the modules of kfnb have their new names."""
    return re.sub(r"\bkfnb(\.\w+)+", lambda name: _place_of(name[0], places), source)


def write_modules(modules: Mapping[str, str], target: Path) -> None:
    """Write modules below a folder, with an empty ``__init__.py`` in packages that have none. Raises ``OSError``."""
    for module, text in modules.items():
        file = target.joinpath(*module.split(".")).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        for folder in list(file.parents)[: module.count(".")]:
            (folder / "__init__.py").touch()


def _imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("kfnb."):
            yield node.module


def _place_of(module: str, places: Mapping[str, str]) -> str:
    for package, place in places.items():
        if module.startswith(f"{package}."):
            return place + module.removeprefix(package)
    return module
