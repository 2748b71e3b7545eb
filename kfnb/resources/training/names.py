"""The names that a training has written, back in the kernel."""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from kfnb.capture.component import Component
from kfnb.capture.embedded.values import kfnb_load


def take_back(
    folder: Path, component: Component, namespace: MutableMapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Give the names in the kernel the values that they had in rank 0; of each that did not come back, why.

    The folder is what the notebook's own run has written, so that its pickles are loaded.
    """
    index: dict[str, dict[str, str]] = json.loads((folder / "names.json").read_text(encoding="utf-8"))
    classes = {name: one for name, one in namespace.items() if isinstance(one, type)}
    for name in component.names.deletes.keys() - index.keys():
        namespace.pop(name, None)
    for name, facts in index.items():
        if "refused" in facts:
            yield name, facts["refused"]
            continue
        try:
            namespace[name] = _value(folder, facts, classes)
        except Exception as error:  # a class that only the training could import
            yield name, f"{type(error).__name__}: {error}"


def _value(folder: Path, facts: dict[str, str], classes: dict[str, Any]) -> Any:
    if "module" in facts:
        return import_module(facts["module"])
    path = str(folder / facts["file"])
    return kfnb_load(SimpleNamespace(path=path, uri=path, metadata=facts), classes)
