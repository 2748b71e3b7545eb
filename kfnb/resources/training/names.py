"""The names that a training has written, back in the kernel."""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from kfnb.capture.embedded.values import kfnb_load
from kfnb.capture.mutations import mutated_names
from kfnb.capture.component import Component


def names_of(component: Component) -> list[str]:
    """The names whose values a training hands back: those that its cell writes, and inputs that it changes."""
    names = component.names
    changed = {*names.changes, *(mutated_names(component.cell.tree) & component.inputs.keys())}
    return sorted({*names.writes, *changed} - {"kf"})


def take_back(
    folder: Path, component: Component, namespace: MutableMapping[str, Any]
) -> Iterator[str]:
    """Give the names in the kernel the values that they had in rank 0; a note for each that did not come back.

    The folder was written by the notebook's own run, so that its pickles are loaded.
    """
    index: dict[str, dict[str, str]] = json.loads((folder / "names.json").read_text(encoding="utf-8"))
    classes = {name: one for name, one in namespace.items() if isinstance(one, type)}
    for name in component.names.deletes.keys() - index.keys():
        namespace.pop(name, None)
    for name, facts in index.items():
        if "refused" in facts:
            yield f"{name} stays in the training: {facts['refused']}"
            continue
        try:
            namespace[name] = _value(folder, facts, classes)
        except Exception as error:  # a class that only the training could import
            yield f"{name} stays in the training: {type(error).__name__}: {error}"


def _value(folder: Path, facts: dict[str, str], classes: dict[str, Any]) -> Any:
    if "module" in facts:
        return import_module(facts["module"])
    path = str(folder / facts["file"])
    return kfnb_load(SimpleNamespace(path=path, uri=path, metadata=facts), classes)
