"""From a thing up to what it is made of, and down to where it is used: level by level through the index.

Artifacts with the same content are one node, whichever runs made and took them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from kfnb.catalog.index import Index
from kfnb.catalog.records import DATASET

MOST = 20_000
"""Executions and artifacts that a walk meets before it stops."""
_MARKS = 500
"""Values in one query."""

_PRODUCERS = """
select a.content, e.execution, e.name,
    exists (select 1 from events i where i.execution = e.execution and i.output = 0)
from artifacts a join events e on e.artifact = a.id and e.output = 1 where a.content in ({marks})
"""
_OWN_PRODUCERS = """
select a.content, e.execution, e.name,
    exists (select 1 from events i where i.execution = e.execution and i.output = 0)
from events e join artifacts a on a.id = e.artifact where e.output = 1 and e.artifact in ({marks})
"""
_CONSUMERS = """
select a.content, e.execution, e.name
from artifacts a join events e on e.artifact = a.id and e.output = 0 where a.content in ({marks})
"""
_USES = """
select e.execution, a.content, e.name, a.id
from events e join artifacts a on a.id = e.artifact where e.output = {output} and e.execution in ({marks})
"""
_MADE_BY = """
select a.content, x.id, '' from artifacts a join made m on m.artifact = a.id
join contexts c on c.run = m.run join executions x on x.context = c.id and x.name = m.task
where a.content in ({marks})
"""
_MADE = """
select x.id, a.content, '' from executions x join contexts c on c.id = x.context
join made m on m.run = c.run and m.task = x.name join artifacts a on a.id = m.artifact
where x.id in ({marks})
"""
_DERIVED_FROM = """
select a.content, o.content from artifacts a join derived d on d.artifact = a.id
join names n on n.name = d.name join artifacts o on o.id = n.artifact
where a.content in ({marks}) and o.type = '{dataset}'
"""
_DERIVED = """
select a.content, o.content from artifacts a join names n on n.artifact = a.id
join derived d on d.name = n.name join artifacts o on o.id = d.artifact
where a.content in ({marks}) and a.type = '{dataset}'
"""


@dataclass
class Walked:
    """What a walk met.

    ``uses`` are an execution, a content, whether it was put out, and its name there; ``links`` a content that another
    was made of, without an execution between them. It is ``cut`` where there was more than ``MOST``.
    """

    executions: set[int] = field(default_factory=set)
    contents: set[bytes] = field(default_factory=set)
    uses: set[tuple[int, bytes, bool, str]] = field(default_factory=set)
    links: set[tuple[bytes, bytes]] = field(default_factory=set)
    cut: bool = False


def select(index: Index, query: str, values: Iterable[Any], **words: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of a query for any number of values, which stand at its ``{marks}``."""
    waiting: Sequence[Any] = list(values)
    while waiting:
        some, waiting = waiting[:_MARKS], waiting[_MARKS:]
        yield from index.rows(query.format(marks=",".join("?" * len(some)), **words), some)


class Same:
    """Contents that are the same by another digest: a version's manifest, and the bytes of its only file."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._groups: dict[bytes, frozenset[bytes]] = {}
        self._any = bool(index.rows("select 1 from same limit 1"))

    def group(self, content: bytes) -> frozenset[bytes]:
        """All digests of a content."""
        if not self._any:
            return frozenset((content,))
        if content not in self._groups:
            found = self._closed({content})
            self._groups.update((one, found) for one in found)
        return self._groups[content]

    def one(self, content: bytes) -> bytes:
        """The digest that stands for all of them."""
        return min(self.group(content))

    def all(self, contents: Iterable[bytes]) -> set[bytes]:
        """All digests of some contents."""
        return set().union(*map(self.group, contents))

    def _closed(self, found: set[bytes]) -> frozenset[bytes]:
        new = found
        while new:
            pairs = [
                *select(self._index, "select as_content from same where content in ({marks})", new),
                *select(self._index, "select content from same where as_content in ({marks})", new),
            ]
            new = {one for (one,) in pairs} - found
            found = found | new
        return frozenset(found)


class Walk:
    """One walk, up or down, for so many levels at most; an execution and an artifact are a level each."""

    def __init__(self, index: Index, walked: Walked, same: Same) -> None:
        self._index, self._walked, self._same = index, walked, same
        self._executions: set[int] = set()
        self._contents: set[bytes] = set()

    def up(self, executions: Iterable[int], contents: Iterable[bytes], depth: int | None) -> None:
        """What these were made of."""
        waiting = set(executions)
        # the artifacts by which a content was met: what made those goes before what made the same elsewhere
        met: dict[bytes, set[int]] = {self._same.one(one): set() for one in contents}
        for _ in _levels(depth):
            next_met = self._inputs_of(self._new_executions(waiting))
            waiting = self._makers_of(self._new_contents(met))
            met = next_met
            if not (waiting or met) or self._full():
                break
            linked = self._linked
            for content in linked:
                met.setdefault(content, set())
        self._new_executions(waiting)
        self._new_contents(met)

    def down(self, executions: Iterable[int], contents: Iterable[bytes], depth: int | None) -> None:
        """What these were used for."""
        waiting, met = set(executions), {self._same.one(one) for one in contents}
        for _ in _levels(depth):
            next_met = self._outputs_of(self._new_executions(waiting))
            waiting = self._takers_of(self._new_contents(dict.fromkeys(met, set())))
            met = next_met | self._linked
            if not (waiting or met) or self._full():
                break
        self._new_executions(waiting)
        self._new_contents(dict.fromkeys(met, set()))

    # one level

    def _inputs_of(self, executions: Collection[int]) -> dict[bytes, set[int]]:
        met: dict[bytes, set[int]] = {}
        for execution, content, name, artifact in select(self._index, _USES, executions, output=0):
            one = self._same.one(content)
            self._walked.uses.add((execution, one, False, name))
            met.setdefault(one, set()).add(artifact)
        return met

    def _outputs_of(self, executions: Collection[int]) -> set[bytes]:
        met = set()
        found = [row[:3] for row in select(self._index, _USES, executions, output=1)]
        for execution, content, name in (*found, *select(self._index, _MADE, executions)):
            one = self._same.one(content)
            self._walked.uses.add((execution, one, True, name))
            met.add(one)
        return met

    def _makers_of(self, contents: dict[bytes, set[int]]) -> set[int]:
        own = list(select(self._index, _OWN_PRODUCERS, set().union(*contents.values())))
        settled = {self._same.one(content) for content, _, _, takes in own if takes}
        others = self._same.all(content for content in contents if content not in settled)
        recorded = list(select(self._index, _MADE_BY, self._same.all(contents)))
        found = [(content, execution, name) for content, execution, name, takes in own if takes]
        versions = self._versions(self._same.all(contents))
        # what takes nothing and puts out a version of a data set has only fetched it
        found += [
            (content, execution, name)
            for content, execution, name, takes in (*own, *self._elsewhere(others, contents))
            if (takes or self._is_own(content, execution, own, contents))
            and (takes or self._same.one(content) not in versions)
        ]
        for content, execution, name in (*found, *recorded):
            self._walked.uses.add((execution, self._same.one(content), True, name))
        self._link(_DERIVED_FROM, self._same.all(contents), up=True)
        return {execution for _, execution, _ in (*found, *recorded)}

    def _elsewhere(self, contents: Collection[bytes], met: dict[bytes, set[int]]) -> Iterator[tuple[Any, ...]]:
        """The producers of contents that nothing with inputs made where they were met."""
        del met
        yield from select(self._index, _PRODUCERS, contents)

    def _is_own(
        self, content: bytes, execution: int, own: Sequence[tuple[Any, ...]], met: dict[bytes, set[int]]
    ) -> bool:
        """Whether an execution made the very artifact that was met, or the content was asked for as such."""
        return not met.get(self._same.one(content)) or any(row[1] == execution for row in own)

    def _takers_of(self, contents: Collection[bytes]) -> set[int]:
        taken = set()
        for content, execution, name in select(self._index, _CONSUMERS, self._same.all(contents)):
            self._walked.uses.add((execution, self._same.one(content), False, name))
            taken.add(execution)
        self._link(_DERIVED, self._same.all(contents), up=False)
        return taken

    def _link(self, query: str, contents: Collection[bytes], *, up: bool) -> None:
        """Note what was made of what without an execution that is known."""
        self._linked = set()
        for own, other in select(self._index, query, contents, dataset=DATASET):
            one, two = self._same.one(own), self._same.one(other)
            self._walked.links.add((two, one) if up else (one, two))
            self._linked.add(two)

    def _versions(self, contents: Collection[bytes]) -> set[bytes]:
        query = "select content from artifacts where content in ({marks}) and type = '{dataset}'"
        return {self._same.one(one) for (one,) in select(self._index, query, contents, dataset=DATASET)}

    # what was met for the first time

    def _new_executions(self, found: Collection[int]) -> set[int]:
        new = set(found) - self._executions
        self._executions |= new
        self._walked.executions |= new
        return new

    def _new_contents(self, found: dict[bytes, set[int]]) -> dict[bytes, set[int]]:
        new = {one: artifacts for one, artifacts in found.items() if one not in self._contents}
        self._contents |= new.keys()
        self._walked.contents |= new.keys()
        return new

    def _full(self) -> bool:
        self._walked.cut |= len(self._walked.executions) + len(self._walked.contents) > MOST
        return self._walked.cut


def _levels(depth: int | None) -> Iterable[int]:
    return iter(int, 1) if depth is None else range(depth)
