"""Objects that a component's code can reach, looked at before its cell runs and after: what it changed in place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from kfnb.capture.component import Component
from kfnb.capture.definitions import Sort
from kfnb.capture.ledger import Names
from kfnb.capture.notebook import Notebook
from kfnb.capture.syntax import (
    mutated_names,
    names_changed_by_keyword,
    names_given_to_change,
    names_with_methods_called,
)
from kfnb.capture.travel import Travel
from kfnb.capture.values import examine, is_mutable

_CODE = (type, FunctionType, BuiltinFunctionType, ModuleType)


@dataclass(frozen=True)
class Watch:
    """The watched names with a digest of each as it was before; None for a value that could not be read as a whole,
    or that was not there.

    What a condition kept from happening here may happen in a run. So ``calls`` are names on which methods are called
    by which containers are changed, ``methods`` those on which any is, and ``given`` those that are changed by a
    keyword or handed to a function that changes its argument. ``states`` are digests of what the notebook's classes
    and functions keep in themselves.
    """

    before: Mapping[str, bytes | None]
    calls: frozenset[str]
    methods: frozenset[str]
    given: frozenset[str]
    states: Mapping[str, bytes | None]

    @classmethod
    def begin(
        cls, notebook: Notebook, component: Component, travel: Travel, known: Mapping[str, bytes | None]
    ) -> Watch:
        """Look at all that the component gets, and at what its helper functions assign; ``known`` was looked at."""
        space = notebook.namespace
        trees = [component.cell.tree, *(source.node for source in travel.sources if source.node is not None)]
        reached = {name for name in (*travel.constants, *travel.params) if is_mutable(space.get(name))}
        reached |= {source.name for source in travel.sources if source.sort is Sort.EXPRESSION}
        reached |= {name for name in travel.given if not isinstance(space.get(name), _CODE)}
        for source in travel.sources:
            reached |= set(source.reads(notebook.star_names).writes) - {source.name}
        before = {
            name: examine(space[name]).digest if name in space else None
            for name in sorted(reached - set(known))
        }
        states = {source.name: _state(space.get(source.name)) for source in travel.sources}
        functions = {source.name: source.node for source in travel.sources if source.node is not None}
        return cls(
            {**known, **before},
            frozenset().union(*map(mutated_names, trees)),
            frozenset().union(*map(names_with_methods_called, trees)),
            frozenset().union(
                *map(names_changed_by_keyword, trees),
                *(names_given_to_change(tree, functions) for tree in trees),
            ),
            states,
        )

    def changed(self, notebook: Notebook, names: Names) -> Iterator[str]:
        """The names whose objects were changed, or would be where the code went another way."""
        space = notebook.namespace
        for name, digest in self.before.items():
            if name not in space or name in names.writes:
                continue
            if self._may_change(name, space[name]) or examine(space[name]).digest != digest:
                yield name

    def _may_change(self, name: str, value: Any) -> bool:
        """Whether the code, going another way than it did here, would change the object."""
        ours = type(value).__module__ == "__main__"
        return (
            name in self.given
            or (name in self.calls and is_mutable(value))
            or (name in self.methods and ours)
        )

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
