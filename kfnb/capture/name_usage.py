"""The use of names up to one point of a cell: those surely bound, those used so far, and what functions will do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from kfnb.capture.scopes import Effects


@dataclass
class Names:
    """What a cell does with names; each maps a name to the line (from 1) where it first does so.

    ``maybe`` are optional reads: the code guards them with ``except NameError``, or may have bound the name itself by
    then. ``conditional`` are writes under a condition: where it does not hold, the name keeps its value. ``unseen`` is,
    by line, what this analysis cannot know.
    """

    reads: dict[str, int] = field(default_factory=dict)
    writes: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    deletes: dict[str, int] = field(default_factory=dict)
    maybe: set[str] = field(default_factory=set)
    conditional: dict[str, int] = field(default_factory=dict)
    unseen: dict[int, str] = field(default_factory=dict)

    @property
    def needs(self) -> dict[str, int]:
        """All names that the code may read from outside, by line."""
        return {**self.conditional, **self.reads}

    @property
    def touched(self) -> set[str]:
        """All names that the code itself binds, unbinds or changes."""
        return {*self.writes, *self.deletes, *self.changes}


class NameUsage:
    """The state of the analysis of a cell, statement by statement."""

    def __init__(self, *, of_class: bool = False) -> None:
        self.names = Names()
        self.of_class = of_class  # a class body: scopes inside it do not see what it binds
        self.bound: set[str] = set()
        self.hidden: list[set[str]] = []  # names of comprehensions and class bodies around this point
        self.deferred: dict[str, Effects] = {}  # what functions will do when they are called
        self.running: set[str] = set()
        self.guarded = 0  # depth of ``try`` blocks that catch a missing name
        self.loose = 0  # depth of code that may run later or again: a later write may come before it
        self.conditions = 0
        self._sure: set[str] = set()
        self._guards: set[str] = set()
        self._conditional: dict[str, int] = {}

    def finish(self) -> Names:
        """The names, at the end of the cell."""
        names = self.names
        names.maybe = {
            name
            for name in names.reads
            if name not in self._sure and (name in self._guards or name in names.writes)
        }
        names.conditional = {
            name: line
            for name, line in self._conditional.items()
            if name not in self.bound and name not in names.reads
        }
        return names

    def load(self, name: str, line: int) -> None:
        """Record that the name is read."""
        if any(name in names for names in self.hidden):
            return
        if name not in self.bound:
            self.names.reads.setdefault(name, line)
            if self.guarded:
                self._guards.add(name)
            elif not self.loose and name not in self.names.writes:
                self._sure.add(name)
        if name in self.deferred and name not in self.running:
            self.running.add(name)
            self.run(self.deferred[name], line)
            self.running.discard(name)

    def run(self, effects: Effects, line: int) -> None:
        """Record what a function defined earlier does, as it may be called here."""
        with self.depth("loose"), self.inner():
            for name in sorted(effects.reads):
                self.load(name, line)
            for name in sorted(effects.writes):
                self.store(name, line, sure=False)
            for name in sorted(effects.changes):
                self.change(name, line)

    def store(self, name: str, line: int, *, sure: bool = True) -> None:
        """Record that the name is bound."""
        if self.hidden and name in self.hidden[-1]:
            return  # local to a comprehension
        self.names.writes.setdefault(name, line)
        self.names.deletes.pop(name, None)
        self.deferred.pop(name, None)
        if sure:
            if self.conditions and name not in self.bound:
                self._conditional.setdefault(name, line)
            self.bound.add(name)

    def change(self, name: str, line: int) -> None:
        """Record that the object of the name is changed in place."""
        if not any(name in names for names in self.hidden):
            self.names.changes.setdefault(name, line)

    def delete(self, name: str, line: int) -> None:
        """Record that the name is unbound."""
        self.load(name, line)
        self.bound.discard(name)
        self.names.deletes.setdefault(name, line)
        if not (self.conditions or self.loose):
            self.names.writes.pop(name, None)

    @contextmanager
    def depth(self, counter: str) -> Iterator[None]:
        """Increase ``counter`` (``guarded``, ``loose`` or ``conditions``) for a block."""
        setattr(self, counter, getattr(self, counter) + 1)
        yield
        setattr(self, counter, getattr(self, counter) - 1)

    @contextmanager
    def inner(self) -> Iterator[None]:
        """Create the state of an inner scope."""
        if not self.of_class:
            yield
            return
        own, self.bound = self.bound, set()
        yield
        self.bound = own

    @contextmanager
    def hiding(self, names: set[str]) -> Iterator[None]:
        """Make ``names`` local for a block."""
        self.hidden.append(names)
        yield
        self.hidden.pop()
