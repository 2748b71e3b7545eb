"""The files beside the notebook: which of them a step gets without having read them, and which have changed since."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from glob import escape
from pathlib import Path

from kfnb.capture.component import Component
from kfnb.capture.file_watch import any_hidden, counts

_MOST, _LARGEST = 1000, 64 * 1024 * 1024
"""The maximum number of files that a step gets without having read them, and their bytes."""


def seen_beside(folder: Path, component: Component, components: Iterable[Component]) -> list[str]:
    """The files in the folders that a cell listed, those that it would read with another value of a parameter, and
    those that were missing when it looked for them and exist now.

    Without those that it read, or that a component writes.
    """
    listed = (name for name in component.files.listed if not name.startswith("/"))
    found = {name for one in listed for name in _files_in(folder, one)}
    found |= {name for pattern in _patterns(component) for name in _matching(folder, pattern)}
    found |= {name for name in component.files.missed if (folder / name).is_file()}
    found -= {name for one in components for name in one.files.writes}
    return sorted(found - component.files.writes - component.files.reads)


def _patterns(component: Component) -> Iterator[str]:
    """``data/*.csv`` where the cell read ``data/one.csv`` and has a parameter that is ``one``."""
    for param in component.options.params:
        value = str(param.default)
        for name in component.files.reads:
            if value and value in name and not name.startswith("/"):
                yield "*".join(escape(part) for part in name.split(value))


def _matching(folder: Path, pattern: str) -> Iterator[str]:
    for path in folder.glob(pattern):
        name = path.relative_to(folder).as_posix()
        if counts(name) and path.is_file():
            yield name


def _files_in(folder: Path, listed: str) -> Iterator[str]:
    if not (folder / listed).is_dir():
        return
    for entry in os.scandir(folder / listed):
        name = os.path.normpath(f"{listed}/{entry.name}")
        if counts(name) and not entry.name.startswith(".") and entry.is_file():
            yield name


def is_hidden(name: str) -> bool:
    """Whether a file is hidden, or in a hidden folder: it may hold secrets (``.env``), and stays on this machine."""
    return any_hidden(name.split("/"))


def fitting(folder: Path, names: Iterable[str]) -> list[str]:
    """The files that a step gets without having read them: the small ones, up to a limit."""
    found, left = [], _LARGEST
    for size, name in sorted(((folder / name).stat().st_size, name) for name in names)[:_MOST]:
        left -= size
        if left < 0:
            break
        found.append(name)
    return sorted(found)


def changed_since(
    component: Component, beside: Iterable[str], components: Iterable[Component]
) -> Iterator[str]:
    """Notes on files beside the notebook that a component read and a cell has changed."""
    for name in sorted(beside):
        if name in component.files.writes:
            yield (
                f"{component.name} reads {name} and changes it: a run begins with {name} as this cell left it here. To"
                f" begin with the original, restore it, or write it in a component before {component.name}"
            )
            continue
        for other in components:
            if other.cell.order > component.cell.order and name in other.files.writes:
                yield (
                    f"{component.name} reads {name}, which {other.name} has overwritten since: a run begins with {name}"
                    f" as {other.name} left it here. Restore it, or let {other.name} write another file"
                )
