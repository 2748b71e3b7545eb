"""Objects that a component's code can reach, looked at before its cell runs and after: what it changed in place.

A quick look (``content.examine``) finds a change to whatever is not large. Of what is, it sees samples; there it has
help. pandas' own objects are held by a twin that shares their memory: pandas copies what it would write to then, so
that the memory's place tells of any change. Arrays are compared byte by byte, up to ``MOST`` bytes a cell, and beyond
that where the code hands them on to something that may write to them. What the code plainly changes needs no look.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from kfnb.capture.arguments import names_given_to_change
from kfnb.capture.component import Component
from kfnb.capture.content import Examined, copies_on_write, examine
from kfnb.capture.definitions import DefinitionKind
from kfnb.capture.dependencies import Dependencies
from kfnb.capture.fingerprint import Thoroughness
from kfnb.capture.mutations import (
    mutated_names,
    names_changed_by_keyword,
    names_handed_on,
    names_with_methods_called,
)
from kfnb.capture.name_usage import Names
from kfnb.capture.notebook import ExecutedNotebook
from kfnb.capture.random_draws import Draws
from kfnb.capture.values import is_mutable

MOST = 256 * 2**20
"""Bytes of arrays that are looked at whole before and after a cell, some 40 ms each time."""

MOST_OF_A_SUSPECT = 4 * MOST
"""Bytes of one that the code hands on to something that may write to it."""

_CODE = (type, FunctionType, BuiltinFunctionType, ModuleType)


@dataclass(frozen=True)
class Twin:
    """A frame of pandas' with another object that shares its memory; ``place`` is where that was."""

    frame: Any
    other: Any
    place: bytes | None

    @classmethod
    def of(cls, frame: Any) -> Twin:
        """A twin for a frame, which pandas knows of."""
        return cls(frame, frame.copy(deep=False), examine(frame, Thoroughness.PLACE).digest)

    def differs(self) -> bool:
        """Whether the frame was written to. pandas may have moved its memory for another reason: then all is read."""
        if examine(self.frame, Thoroughness.PLACE).digest == self.place:
            return False
        return (
            examine(self.frame, Thoroughness.WHOLE).digest != examine(self.other, Thoroughness.WHOLE).digest
        )


@dataclass(frozen=True)
class Before:
    """How a value looked before the cell ran; ``digest`` is None where it could not be read, or was not there.

    ``whole`` is the digest of every byte, where that is to be compared too.
    """

    digest: bytes | None
    whole: bytes | None = None
    twins: tuple[Twin, ...] = ()

    def differs(self, value: Any) -> bool:
        """Whether the value looks otherwise now."""
        if examine(value).digest != self.digest or any(twin.differs() for twin in self.twins):
            return True
        return self.whole is not None and examine(value, Thoroughness.WHOLE).digest != self.whole


@dataclass(frozen=True)
class Suspects:
    """Names whose objects the code may change, told by its text.

    What a condition kept from happening here may happen in a run. So ``calls`` are names on which methods are called
    by which containers are changed, ``methods`` those on which any is, and ``given`` those that are changed by a
    keyword or handed to a function that changes its argument. ``handed`` are those that are handed on to anything.
    """

    calls: frozenset[str]
    methods: frozenset[str]
    given: frozenset[str]
    handed: frozenset[str]

    @classmethod
    def of(cls, component: Component, travel: Dependencies) -> Suspects:
        """The suspects of a cell with the functions that it calls."""
        trees = [component.cell.tree, *(source.node for source in travel.sources if source.node is not None)]
        functions = {source.name: source.node for source in travel.sources if source.node is not None}
        functions |= {node.name: node for node in component.cell.tree.body if hasattr(node, "name")}
        return cls(
            frozenset().union(*map(mutated_names, trees)),
            frozenset().union(*map(names_with_methods_called, trees)),
            frozenset().union(
                *map(names_changed_by_keyword, trees),
                *(names_given_to_change(tree, functions) for tree in trees),
            ),
            frozenset().union(*map(names_handed_on, trees)),
        )

    def include(self, name: str, value: Any) -> bool:
        """Whether the code, going another way than it did here, would change the object."""
        ours = type(value).__module__ == "__main__"
        return (
            (name in self.given and not isinstance(value, int | float | str | bytes | tuple | None))
            or (name in self.calls and is_mutable(value))
            or (name in self.methods and ours)
        )


@dataclass(frozen=True)
class ObjectWatch:
    """How the watched names looked before. ``states`` are digests of what the notebook's classes and functions keep in
    themselves; ``shared`` are pairs of inputs that share an object; ``draws`` where the random generators stood;
    ``named`` are the notebook's objects that are in inputs by name alone.
    """

    before: Mapping[str, Before]
    suspects: Suspects
    states: Mapping[str, bytes | None]
    shared: tuple[tuple[str, str], ...]
    draws: Draws
    named: frozenset[str]

    @classmethod
    def begin(
        cls,
        notebook: ExecutedNotebook,
        component: Component,
        travel: Dependencies,
        known: Mapping[str, Examined],
    ) -> ObjectWatch:
        """Look at all that the component gets, and at what its helper functions assign; ``known`` was looked at."""
        space, suspects = notebook.namespace, Suspects.of(component, travel)
        reached = {name for name in (*travel.constants, *travel.params) if is_mutable(space.get(name))}
        reached |= {source.name for source in travel.sources if source.sort is DefinitionKind.EXPRESSION}
        reached |= {name for name in travel.given if not isinstance(space.get(name), _CODE)}
        for source in travel.sources:
            reached |= set(source.reads(notebook.star_names).writes) - {source.name}
        looks = {
            name: examine(space[name]) if name in space else Examined(None)
            for name in sorted(reached - set(known))
        }
        looks = {**known, **looks}
        plain = {
            name
            for name in looks
            if name in component.names.touched or suspects.include(name, space.get(name))
        }
        guards = dict(_guards({name: looks[name] for name in looks if name not in plain}, space, suspects))
        before = {name: guards.get(name, Before(look.digest)) for name, look in looks.items()}
        states = {source.name: _state(space.get(source.name)) for source in travel.sources}
        named = frozenset[str]().union(*(look.named for look in known.values()))
        return cls(before, suspects, states, tuple(_shared(known)), Draws.now(), named)

    def changed(self, notebook: ExecutedNotebook, names: Names) -> Iterator[str]:
        """The names whose objects were changed, or would be where the code went another way."""
        space = notebook.namespace
        for name, before in self.before.items():
            if name not in space or name in names.writes:
                continue
            if self.suspects.include(name, space[name]) or before.differs(space[name]):
                yield name

    def notes(self, notebook: ExecutedNotebook, changed: Iterable[str]) -> Iterator[str]:
        """What was changed and cannot be an output, or cannot reach all that it reached here."""
        for name, state in self.states.items():
            if _state(notebook.namespace.get(name)) != state:
                yield f"what {name} keeps in itself was changed here: other steps have it as its own cell made it"
        for one, other in self.shared:
            if {one, other} & set(changed):
                yield (
                    f"{one} and {other} share an object here, and are apart in the pipeline: a change through one does"
                    " not reach the other. Put out one object that holds both"
                )


def _guards(
    looks: Mapping[str, Examined], space: Mapping[str, Any], suspects: Suspects
) -> Iterator[tuple[str, Before]]:
    """What tells of changes to values of which the quick look saw samples; the smallest are compared first."""
    left = MOST
    for name, look in sorted(looks.items(), key=lambda item: item[1].unseen):
        if not look.sampled or look.digest is None:
            continue
        twins = tuple(map(Twin.of, look.frames)) if copies_on_write() else ()
        left -= look.unseen
        compared = left >= 0 or (name in suspects.handed and look.unseen <= MOST_OF_A_SUSPECT)
        whole = examine(space[name], Thoroughness.WHOLE).digest if look.unseen and compared else None
        yield name, Before(look.digest, whole, twins)


def _shared(looks: Mapping[str, Examined]) -> Iterator[tuple[str, str]]:
    names = list(looks)
    for index, name in enumerate(names):
        for other in names[:index]:
            if looks[other].shares_with(looks[name]):
                yield other, name


def _state(value: Any) -> bytes | None:
    """A digest of the plain attributes of a class or function."""
    own = vars(value).items() if isinstance(value, type | FunctionType) else ()
    kept = {name: one for name, one in own if not name.startswith("__") and not _is_code(one)}
    return examine(kept).digest if kept else None


def _is_code(value: Any) -> bool:
    return callable(value) or hasattr(type(value), "__get__")
