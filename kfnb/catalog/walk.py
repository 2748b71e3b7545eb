"""From a thing up to what it is made of, and down to where it is used: level by level through the index.

Artifacts with the same content are one node, whichever runs made and took them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

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
# an older record names a task in a loop without its iteration; where it names no task, it was one that made a model
_IS_MAKER = """(x.name = m.task or substr(x.name, -length(m.task) - 1) = '/' || m.task and not exists (
    select 1 from executions s where s.id >= u.executions and s.id < u.executions_end and s.name = m.task)
    or m.task = '' and exists (
    select 1 from events o join artifacts t on t.id = o.artifact
    where o.execution = x.id and o.output = 1 and t.type = 'system.Model'))"""
_MADE_BY = f"""
select a.content, x.id, '' from artifacts a join made m on m.artifact = a.id
join contexts c on c.run = m.run join units u on u.id = c.id
join executions x on x.id >= u.executions and x.id < u.executions_end and {_IS_MAKER}
where a.content in ({{marks}})
"""  # noqa: S608 - own words
_MADE = f"""
select x.id, a.content, '' from executions x join contexts c on c.id = x.context
join units u on u.id = c.id join made m on m.run = c.run and {_IS_MAKER} join artifacts a on a.id = m.artifact
where x.id in ({{marks}})
"""  # noqa: S608 - own words
# a reference alone names what this home's data store has under it; a digest names the content, wherever it is
_DERIVED_FROM = (
    """
select a.content, d.content from artifacts a join derived d on d.artifact = a.id
where a.content in ({marks}) and d.content is not null
""",
    """
select a.content, o.content from artifacts a join derived d on d.artifact = a.id
join names n on n.name = d.name join artifacts o on o.id = n.artifact
where a.content in ({marks}) and d.content is null and o.type = '{dataset}'
""",
)
_DERIVED = (
    """
select d.content, o.content from derived d join artifacts o on o.id = d.artifact where d.content in ({marks})
""",
    """
select a.content, o.content from artifacts a join names n on n.artifact = a.id
join derived d on d.name = n.name join artifacts o on o.id = d.artifact
where a.content in ({marks}) and d.content is null and a.type = '{dataset}'
""",
)


@dataclass
class Walked:
    """The executions and contents that a walk met.

    ``uses`` are an execution, a content, whether it was put out, and its name there; ``links`` a content that another
    was made of, without an execution between them. It is ``cut`` where there was more than ``MOST``.
    """

    executions: set[int] = field(default_factory=set)
    contents: set[bytes] = field(default_factory=set)
    uses: set[tuple[int, bytes, bool, str]] = field(default_factory=set)
    links: set[tuple[bytes, bytes]] = field(default_factory=set)
    cut: bool = False


def select(
    index: sqlite3.Connection, query: str, values: Iterable[Any], **words: Any
) -> Iterator[tuple[Any, ...]]:
    """The rows of a query for any number of values, which stand at its ``{marks}``."""
    waiting: Sequence[Any] = list(values)
    while waiting:
        some, waiting = waiting[:_MARKS], waiting[_MARKS:]
        yield from index.execute(query.format(marks=",".join("?" * len(some)), **words), some).fetchall()


class Same:
    """Contents that are the same by another digest: a version's manifest, and the bytes of its only file."""

    def __init__(self, index: sqlite3.Connection) -> None:
        self._index = index
        self._groups: dict[bytes, frozenset[bytes]] = {}
        self._any = index.execute("select 1 from same limit 1").fetchone() is not None

    def group(self, content: bytes) -> frozenset[bytes]:
        """All digests of a content."""
        if not self._any:
            return frozenset((content,))
        if content not in self._groups:
            found = self._closed({content})
            self._groups.update((one, found) for one in found)
        return self._groups[content]

    def representative(self, content: bytes) -> bytes:
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
    """One walk, up or down, of at most ``levels`` levels; an execution and an artifact are a level each."""

    def __init__(self, index: sqlite3.Connection, walked: Walked, same: Same) -> None:
        self._index, self._walked, self._same = index, walked, same
        self._executions: set[int] = set()
        self._contents: set[bytes] = set()

    def up(self, executions: Iterable[int], contents: Iterable[bytes], depth: int | None) -> None:
        """What these were made of."""
        waiting = set(executions)
        # by which artifacts a content was met: those that made them come before those that made the same elsewhere
        met: dict[bytes, set[int]] = {self._same.representative(one): set() for one in contents}
        for _ in _levels(depth):
            next_met = self._inputs_of(self._new_executions(waiting))
            new = self._new_contents(met)
            waiting = self._makers_of({one: met[one] for one in new})
            for content in self._linked(_DERIVED_FROM, new, up=True):
                next_met.setdefault(content, set())
            met = next_met
            if not (waiting or met) or self._full():
                break
        self._new_executions(waiting)
        self._new_contents(met)

    def down(self, executions: Iterable[int], contents: Iterable[bytes], depth: int | None) -> None:
        """What these were used for."""
        waiting, met = set(executions), {self._same.representative(one) for one in contents}
        for _ in _levels(depth):
            next_met = self._outputs_of(self._new_executions(waiting))
            new = self._new_contents(met)
            waiting = self._takers_of(new)
            met = next_met | self._linked(_DERIVED, new, up=False)
            if not (waiting or met) or self._full():
                break
        self._new_executions(waiting)
        self._new_contents(met)

    # one level

    def _inputs_of(self, executions: Collection[int]) -> dict[bytes, set[int]]:
        met: dict[bytes, set[int]] = {}
        for execution, content, name, artifact in select(self._index, _USES, executions, output=0):
            one = self._used(execution, content, name, output=False)
            met.setdefault(one, set()).add(artifact)
        return met

    def _outputs_of(self, executions: Collection[int]) -> set[bytes]:
        rows = [row[:3] for row in select(self._index, _USES, executions, output=1)]
        rows += select(self._index, _MADE, executions)
        return {self._used(execution, content, name, output=True) for execution, content, name in rows}

    def _makers_of(self, met: dict[bytes, set[int]]) -> set[int]:
        """The executions that made contents.

        What made the very artifact that was met comes before what made the same elsewhere, which counts if that had
        inputs and this had none. A task without inputs that put out a version of a data set has only fetched it.
        """
        own = list(select(self._index, _OWN_PRODUCERS, set().union(*met.values())))
        here = {self._same.representative(content) for content, _, _, _ in own}
        settled = {self._same.representative(content) for content, _, _, has_inputs in own if has_inputs}
        elsewhere = self._same.all(content for content in met if content not in settled)
        versions = self._versions(met)
        makers = list(select(self._index, _MADE_BY, self._same.all(met)))
        for content, execution, name, has_inputs in own:
            if has_inputs or self._same.representative(content) not in versions:
                makers.append((content, execution, name))
        for content, execution, name, has_inputs in select(self._index, _PRODUCERS, elsewhere):
            one = self._same.representative(content)
            if has_inputs or one not in here | versions:
                makers.append((content, execution, name))
        for content, execution, name in makers:
            self._used(execution, content, name, output=True)
        return {execution for _, execution, _ in makers}

    def _takers_of(self, contents: Collection[bytes]) -> set[int]:
        taken = set()
        for content, execution, name in select(self._index, _CONSUMERS, self._same.all(contents)):
            self._used(execution, content, name, output=False)
            taken.add(execution)
        return taken

    def _used(self, execution: int, content: bytes, name: str, *, output: bool) -> bytes:
        one = self._same.representative(content)
        self._walked.uses.add((execution, one, output, name))
        return one

    def _linked(self, queries: Iterable[str], contents: Collection[bytes], *, up: bool) -> set[bytes]:
        """What contents were made of, or what was made of them, without an execution that is known."""
        linked = set()
        keys = self._same.all(contents)
        for own, other in (
            row for query in queries for row in select(self._index, query, keys, dataset=DATASET)
        ):
            subject, found = self._same.representative(own), self._same.representative(other)
            self._walked.links.add((found, subject) if up else (subject, found))
            linked.add(found)
        return linked

    def _versions(self, contents: Collection[bytes]) -> set[bytes]:
        query = "select content from artifacts where content in ({marks}) and type = '{dataset}'"
        rows = select(self._index, query, self._same.all(contents), dataset=DATASET)
        return {self._same.representative(content) for (content,) in rows}

    # what was met for the first time

    def _new_executions(self, found: Collection[int]) -> set[int]:
        new = set(found) - self._executions
        self._executions |= new
        self._walked.executions |= new
        return new

    def _new_contents(self, found: Collection[bytes]) -> set[bytes]:
        new = set(found) - self._contents
        self._contents |= new
        self._walked.contents |= new
        return new

    def _full(self) -> bool:
        self._walked.cut |= len(self._walked.executions) + len(self._walked.contents) > MOST
        return self._walked.cut


def _levels(depth: int | None) -> Iterable[int]:
    return count() if depth is None else range(depth)
