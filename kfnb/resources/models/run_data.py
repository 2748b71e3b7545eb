"""The data versions behind a task of a run: those that it takes, and those that the tasks before it take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from kfnb.entities import RunSnapshot, Task, data_digest_of, data_of


def data_behind(run: RunSnapshot, task: Task) -> Mapping[str, str]:
    """The digests of the data versions behind a task, by reference; empty where the run does not record the digest."""
    found = {
        data_of(made.metadata): data_digest_of(made.metadata)
        for one in _TasksBefore(run).of(task)
        for made in one.artifacts.values()
    }
    return {ref: found[ref] for ref in sorted(found) if ref}


def data_of_saved(saved: Mapping[str, Any], behind: Mapping[str, str]) -> Mapping[str, str]:
    """The data versions ``behind`` the task, and the one that ``kf.save`` was given, whose digest may be unknown."""
    ref = str(saved.get("data") or "")
    return {**behind, ref: behind.get(ref, "")} if ref else behind


class _TasksBefore:
    """The tasks of a run by what they are looked up by, so that each is visited once."""

    def __init__(self, run: RunSnapshot) -> None:
        self._by_id = {one.id: one for one in run.tasks}
        self._siblings = {(one.parent, one.name): one for one in run.tasks}
        self._within: dict[str, list[Task]] = defaultdict(list)
        for one in run.tasks:
            self._within[self._group_around(one.id)].append(one)

    def of(self, task: Task) -> Iterator[Task]:
        """A task and all before it: what it needs, what is within that, and what the groups around it need."""
        seen: set[tuple[str, bool]] = set()
        pending = [(task, False)]  # whether all that is within a task belongs to it
        while pending:
            one, whole = pending.pop()
            if (one.id, whole) in seen:
                continue
            seen.add((one.id, whole))
            yield one
            pending += [(needed, True) for needed in self._needed(one)]
            if whole:
                pending += [(inner, True) for inner in self._within[one.id]]
            if one.parent in self._by_id:
                pending.append((self._by_id[one.parent], False))

    def _group_around(self, id: str) -> str:
        """The id of the nearest group around a task; an iteration's index is a segment of the id too."""
        above = id.rpartition("/")[0]
        while above and above not in self._by_id:
            above = above.rpartition("/")[0]
        return above

    def _needed(self, task: Task) -> Iterator[Task]:
        for name in {*task.needs, *(name for several in task.takes.values() for name in several)}:
            needed = self._siblings.get((task.parent, name))
            if needed is not None:
                yield needed
