"""Objects that a component's code can reach, looked at before its cell runs and after: what it changed in place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kfnb.capture.component import Component
from kfnb.capture.ledger import Names
from kfnb.capture.notebook import Notebook
from kfnb.capture.syntax import mutated_names
from kfnb.capture.travel import Travel
from kfnb.capture.values import examine, is_mutable


@dataclass(frozen=True)
class Watch:
    """The watched names with a digest of each as it was before; None for a value that could not be read as a whole,
    or that was not there.
    """

    before: Mapping[str, bytes | None]
    calls: frozenset[str]

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
        before = {name: examine(space[name]).digest if name in space else None for name in sorted(reached - set(known))}
        return cls({**known, **before}, frozenset().union(*map(mutated_names, trees)))

    def changed(self, notebook: Notebook, names: Names) -> Iterator[str]:
        """The names whose objects were changed, or would be where the code went another way."""
        space = notebook.namespace
        for name, digest in self.before.items():
            if name not in space or name in names.writes:
                continue
            if (name in self.calls and is_mutable(space[name])) or examine(space[name]).digest != digest:
                yield name
