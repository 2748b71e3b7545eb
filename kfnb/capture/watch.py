"""Objects that a component's code can reach, looked at before its cell runs and after: what it changed in place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from kfnb.capture.component import Component
from kfnb.capture.ledger import Names
from kfnb.capture.notebook import Notebook
from kfnb.capture.syntax import mutated_names
from kfnb.capture.travel import Travel
from kfnb.capture.values import examine, is_mutable


@dataclass(frozen=True)
class Watch:
    """The watched names with a digest of each as it was before; None for a value that could not be read as a whole,
    or that was not there. ``calls`` are names on which methods are called by which containers are changed,
    ``states`` digests of what the notebook's classes and functions keep in themselves.
    """

    before: Mapping[str, bytes | None]
    calls: frozenset[str]
    states: Mapping[str, bytes | None]

    @classmethod
    def begin(
        cls, notebook: Notebook, component: Component, travel: Travel, known: Mapping[str, bytes | None]
    ) -> Watch:
        """Look at all that the component gets, and at what its helper functions assign; ``known`` was looked at."""
        space = notebook.namespace
        trees = [component.cell.tree, *(source.node for source in travel.sources if source.node is not None)]
        reached = {name for name in (*travel.constants, *travel.params) if is_mutable(space.get(name))}
        for source in travel.sources:
            reached |= set(source.reads(notebook.star_names).writes) - {source.name}
        before = {
            name: examine(space[name]).digest if name in space else None
            for name in sorted(reached - set(known))
        }
        states = {source.name: _state(space.get(source.name)) for source in travel.sources}
        return cls({**known, **before}, frozenset().union(*map(mutated_names, trees)), states)

    def changed(self, notebook: Notebook, names: Names) -> Iterator[str]:
        """The names whose objects were changed, or would be where the code went another way."""
        space = notebook.namespace
        for name, digest in self.before.items():
            if name not in space or name in names.writes:
                continue
            if (name in self.calls and is_mutable(space[name])) or examine(space[name]).digest != digest:
                yield name

    def notes(self, notebook: Notebook) -> Iterator[str]:
        """What was changed and cannot be an output."""
        for name, state in self.states.items():
            if _state(notebook.namespace.get(name)) != state:
                yield f"what {name} keeps in itself was changed here: other steps have it as its own cell made it"


def _state(value: Any) -> bytes | None:
    """A digest of the plain attributes of a class or function."""
    own = vars(value).items() if isinstance(value, type | FunctionType) else ()
    kept = {name: one for name, one in own if not name.startswith("__") and not _is_code(one)}
    return examine(kept).digest if kept else None


def _is_code(value: Any) -> bool:
    return callable(value) or hasattr(type(value), "__get__")
