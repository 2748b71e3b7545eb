"""The files that lie beside the notebook: which of them a step sees in a folder that it lists, and which have changed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from kfnb.capture.component import Component
from kfnb.capture.file_watch import counts
from kfnb.capture.files import Files

_MOST, _LARGEST = 1000, 64 * 1024 * 1024
"""Files, and their bytes, that a step gets in its own folder because its cell listed theirs."""


def listed_beside(folder: Path, files: Files, components: Iterable[Component]) -> list[str]:
    """The files in the folders that a cell listed, but for those that it read, or that a component writes."""
    left_by_cells = {name for one in components for name in one.files.writes} | files.writes | files.reads
    return sorted(
        name
        for listed in files.listed
        if not listed.startswith("/")
        for name in _files_in(folder, listed)
        if name not in left_by_cells
    )


def _files_in(folder: Path, listed: str) -> Iterator[str]:
    if not (folder / listed).is_dir():
        return
    for entry in os.scandir(folder / listed):
        path = Path(os.path.normpath(Path(listed) / entry.name))
        if counts(path) and entry.is_file():
            yield path.as_posix()


def fitting(folder: Path, names: Iterable[str]) -> list[str]:
    """Those of the files that a step gets: the small ones, up to a limit."""
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
    """What to say of files that a component read beside the notebook, and that a cell has changed."""
    for name in sorted(beside):
        if name in component.files.writes:
            yield (
                f"{component.name} reads {name} and changes it: a run begins with {name} as this cell left it here. To"
                f" begin with it as it was, restore it, or write it in a component before {component.name}"
            )
            continue
        for other in components:
            if other.cell.order > component.cell.order and name in other.files.writes:
                yield (
                    f"{component.name} reads {name}, which {other.name} has overwritten since: a run begins with it as"
                    f" {other.name} left it here. Restore it, or let {other.name} write another file"
                )
