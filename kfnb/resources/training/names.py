"""The names that a training has written, back in the kernel."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from kfnb.capture.component import Component
from kfnb.capture.content import examine
from kfnb.capture.embedded.values import kfnb_load
from kfnb.capture.notebook import ExecutedNotebook


def take_back(
    folder: Path, component: Component, namespace: MutableMapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Give the names in the kernel the values that they had in rank 0; of each that did not come back, why.

    The folder is what the notebook's own run has written, so that its pickles are loaded.
    """
    index = index_of(folder)
    reader = _NamesReader(folder, {name: one for name, one in namespace.items() if isinstance(one, type)})
    for name in component.names.deletes.keys() - index.keys():
        namespace.pop(name, None)
    for name, facts in index.items():
        if "refused" in facts:
            yield name, facts["refused"]
            continue
        try:
            namespace[name] = reader.value(name, facts)
        except Exception as error:  # a class that only the training could import
            yield name, f"{type(error).__name__}: {error}"


def index_of(folder: Path) -> dict[str, dict[str, str]]:
    """What rank 0 has left in the folder: by name, how its value was written."""
    index: dict[str, dict[str, str]] = json.loads((folder / "names.json").read_text(encoding="utf-8"))
    return index


class _NamesReader:
    """Reads values; those that were written together at once, so that they share what they shared."""

    def __init__(self, folder: Path, classes: dict[str, Any]) -> None:
        self._folder, self._classes = folder, classes
        self._together: dict[str, Any] = {}

    def value(self, name: str, facts: dict[str, str]) -> Any:
        """The value of a name."""
        if "module" in facts:
            return import_module(facts["module"])
        if "together" not in facts:
            return self._loaded(facts)
        if facts["file"] not in self._together:
            self._together[facts["file"]] = self._loaded(facts)
        return self._together[facts["file"]][name]

    def _loaded(self, facts: dict[str, str]) -> Any:
        path = str(self._folder / facts["file"])
        return kfnb_load(SimpleNamespace(path=path, uri=path, metadata=facts), self._classes)


def partings(
    index: Mapping[str, Mapping[str, str]], component: Component, notebook: ExecutedNotebook
) -> Iterator[str]:
    """Notes on objects that two names had, before the names come back: now each has its own."""
    space = notebook.namespace
    for name, facts in index.items():
        if "memory" in facts:
            yield f"{name} and {facts['memory']} share memory in the training: here they are two arrays"
    changed = [one for one in index if one in space and one not in component.names.writes]
    seen = {name: examine(space[name]) for name in changed}
    others = [name for name in notebook.names() if name in space and name not in index] if seen else []
    for name, mine in seen.items():
        sharing = [other for other in others if mine.shares_with(examine(space[other]))]
        if sharing:
            old = ", ".join(sharing)
            several = len(sharing) > 1
            yield f"{name} has come back as a new object: {old} still {'have' if several else 'has'} the old one"
