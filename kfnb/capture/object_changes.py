"""Changes in place: objects that a component's code can reach are examined before its cell runs and after.

A quick examination (``content.examine``) finds any change to values that are not large, and samples the others. For
those there are two more ways. A twin of a pandas object shares its memory: pandas then copies memory before writing to
it, so a new address shows any change. Arrays are compared byte by byte, up to ``MOST`` bytes a cell, and beyond that
where the code passes them to something that may write to them. What the text plainly changes is not examined.
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
from kfnb.capture.embedded.transforms import kfnb_Transform
from kfnb.capture.fingerprint import Thoroughness
from kfnb.capture.mutations import (
    mutated_names,
    names_changed_by_keyword,
    names_fitted,
    names_handed_on,
    names_with_methods_called,
)
from kfnb.capture.name_usage import Names
from kfnb.capture.notebook import ExecutedNotebook
from kfnb.capture.random_draws import Draws
from kfnb.capture.values import is_mutable

MOST = 256 * 2**20
"""Bytes of arrays that are compared completely before and after a cell, some 40 ms each time."""

MOST_OF_A_SUSPECT = 4 * MOST
"""Bytes of an array that the code passes to something that may write to it."""

_CODE = (type, FunctionType, BuiltinFunctionType, ModuleType)


@dataclass(frozen=True)
class Twin:
    """A pandas frame with another object that shares its memory; ``place`` is the memory's address."""

    frame: Any
    other: Any
    place: bytes | None

    @classmethod
    def of(cls, frame: Any) -> Twin:
        """Create a twin for a frame, which pandas keeps track of."""
        return cls(frame, frame.copy(deep=False), examine(frame, Thoroughness.PLACE).digest)

    def differs(self) -> bool:
        """Whether the frame was written to. If pandas moved its memory for another reason, all bytes are compared."""
        if examine(self.frame, Thoroughness.PLACE).digest == self.place:
            return False
        return (
            examine(self.frame, Thoroughness.WHOLE).digest != examine(self.other, Thoroughness.WHOLE).digest
        )


@dataclass(frozen=True)
class Before:
    """The state of a value before the cell ran; ``digest`` is None where it could not be read, or did not exist.

    ``whole`` is the digest of every byte, where that is compared too.
    """

    digest: bytes | None
    whole: bytes | None = None
    twins: tuple[Twin, ...] = ()

    def differs(self, value: Any) -> bool:
        """Whether the value has changed."""
        if examine(value).digest != self.digest or any(twin.differs() for twin in self.twins):
            return True
        return self.whole is not None and examine(value, Thoroughness.WHOLE).digest != self.whole


@dataclass(frozen=True)
class Suspects:
    """Names whose objects the code may change, according to its text.

    A branch that did not run here may run in a pipeline. So ``calls`` are names on which methods that change containers
    are called, ``methods`` those on which any method is, and ``given`` those that are changed by a keyword or passed to
    a function that changes its argument. ``handed`` are those that are passed to anything, ``fitted`` those whose
    ``fit`` or ``fit_transform`` is called.
    """

    calls: frozenset[str]
    methods: frozenset[str]
    given: frozenset[str]
    handed: frozenset[str]
    fitted: frozenset[str]

    @classmethod
    def of(cls, component: Component, dependencies: Dependencies) -> Suspects:
        """The suspects of a cell with the functions that it calls."""
        trees = [
            component.cell.tree,
            *(source.node for source in dependencies.sources if source.node is not None),
        ]
        functions = {source.name: source.node for source in dependencies.sources if source.node is not None}
        functions |= {node.name: node for node in component.cell.tree.body if hasattr(node, "name")}
        return cls(
            frozenset().union(*map(mutated_names, trees)),
            frozenset().union(*map(names_with_methods_called, trees)),
            frozenset().union(
                *map(names_changed_by_keyword, trees),
                *(names_given_to_change(tree, functions) for tree in trees),
            ),
            frozenset().union(*map(names_handed_on, trees)),
            frozenset().union(*map(names_fitted, trees)),
        )

    def include(self, name: str, value: Any) -> bool:
        """Whether the code would change the object in branches that did not run here."""
        ours = type(value).__module__ == "__main__"
        return (
            (name in self.given and not isinstance(value, int | float | str | bytes | tuple | None))
            or (name in self.calls and is_mutable(value))
            or (name in self.methods and ours)
            or (name in self.fitted and isinstance(value, kfnb_Transform))
        )


@dataclass(frozen=True)
class ObjectWatch:
    """The state of the watched names before. ``states`` are digests of the attributes of the notebook's classes and
    functions; ``shared`` are pairs of inputs that share an object; ``draws`` the states of the random generators;
    ``named`` the notebook's objects that are in inputs only by name.
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
        dependencies: Dependencies,
        known: Mapping[str, Examined],
    ) -> ObjectWatch:
        """Examine the inputs of the component, and what its helper functions assign; ``known`` is already examined."""
        space, suspects = notebook.namespace, Suspects.of(component, dependencies)
        reached = {
            name for name in (*dependencies.constants, *dependencies.params) if is_mutable(space.get(name))
        }
        reached |= {
            source.name for source in dependencies.sources if source.sort is DefinitionKind.EXPRESSION
        }
        reached |= {name for name in dependencies.given if not isinstance(space.get(name), _CODE)}
        for source in dependencies.sources:
            reached |= set(source.reads(notebook.star_names).writes) - {source.name}
        examined = {
            name: examine(space[name]) if name in space else Examined(None)
            for name in sorted(reached - set(known))
        }
        made = {name: examine(one.made()) for name, one in dependencies.transforms.items()}
        examined = {**known, **examined, **made}
        plain = {
            name
            for name in examined
            if name in component.names.touched or suspects.include(name, space.get(name))
        }
        guards = dict(
            _guards({name: examined[name] for name in examined if name not in plain}, space, suspects)
        )
        before = {name: guards.get(name, Before(one.digest)) for name, one in examined.items()}
        states = {source.name: _state(space.get(source.name)) for source in dependencies.sources}
        named = frozenset[str]().union(*(one.named for one in known.values()))
        return cls(before, suspects, states, tuple(_shared(known)), Draws.now(), named)

    def changed(self, notebook: ExecutedNotebook, names: Names) -> Iterator[str]:
        """The names whose objects were changed, or would be in branches that did not run."""
        space = notebook.namespace
        for name, before in self.before.items():
            if name not in space or name in names.writes:
                continue
            if self.suspects.include(name, space[name]) or before.differs(space[name]):
                yield name

    def notes(self, notebook: ExecutedNotebook, changed: Iterable[str]) -> Iterator[str]:
        """Notes on changes that cannot be an output, or do not reach everything that they reached here."""
        for name, state in self.states.items():
            if _state(notebook.namespace.get(name)) != state:
                yield f"attributes of {name} were changed here: other steps have {name} as its cell defines it"
        for one, other in self.shared:
            if {one, other} & set(changed):
                yield (
                    f"{one} and {other} share an object here, but not in the pipeline: a change through one does not"
                    " reach the other. Output one object that holds both"
                )


def _guards(
    examined: Mapping[str, Examined], space: Mapping[str, Any], suspects: Suspects
) -> Iterator[tuple[str, Before]]:
    """The states by which changes to sampled values are found; the smallest are compared first."""
    left = MOST
    for name, one in sorted(examined.items(), key=lambda item: item[1].unseen):
        if not one.sampled or one.digest is None:
            continue
        twins = tuple(map(Twin.of, one.frames)) if copies_on_write() else ()
        left -= one.unseen
        compared = left >= 0 or (name in suspects.handed and one.unseen <= MOST_OF_A_SUSPECT)
        whole = examine(space[name], Thoroughness.WHOLE).digest if one.unseen and compared else None
        yield name, Before(one.digest, whole, twins)


def _shared(examined: Mapping[str, Examined]) -> Iterator[tuple[str, str]]:
    names = list(examined)
    for index, name in enumerate(names):
        for other in names[:index]:
            if examined[other].shares_with(examined[name]):
                yield other, name


def _state(value: Any) -> bytes | None:
    """A digest of the plain attributes of a class or function."""
    own = vars(value).items() if isinstance(value, type | FunctionType) else ()
    plain = {name: one for name, one in own if not name.startswith("__") and not _is_code(one)}
    return examine(plain).digest if plain else None


def _is_code(value: Any) -> bool:
    return callable(value) or hasattr(type(value), "__get__")
