"""From the index to a lineage: the executions and contents that a walk met, as sorted nodes and edges.

Nothing here depends on the numbers of rows, so that an index that was built again gives the same lineage.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kfnb.catalog.records import DATASET, MODEL
from kfnb.catalog.schema import content_text
from kfnb.catalog.walk import MOST, Same, Walk, Walked, select
from kfnb.entities import RunState
from kfnb.resources.lineage.model import Lineage, LineageEdge, LineageNode, NodeKind, by_number

_EXECUTIONS = """
select x.id, c.run, c.name, c.pipeline, c.backend,
    x.name, x.state, x.started, x.finished, x.cached, x.error, x.parameters
from executions x join contexts c on c.id = x.context where x.id in ({marks})
"""
_ARTIFACTS = (
    "select id, content, name, type, uri, digest, properties from artifacts where content in ({marks})"
)
_NAMES = "select artifact, name from names where artifact in ({marks})"
_LOST = """
select m.run from artifacts a join made m on m.artifact = a.id
where a.content in ({marks}) and not exists (select 1 from contexts c where c.run = m.run)
"""
_KINDS = {DATASET: NodeKind.DATA, MODEL: NodeKind.MODEL}
_LEVELS = 2
"""Levels of a walk in a step: a task, and its artifacts."""


@dataclass(frozen=True)
class StartingPoint:
    """Where a lineage begins: executions by their numbers in the index, or contents."""

    ref: str
    executions: frozenset[int] = frozenset()
    contents: frozenset[bytes] = frozenset()
    notes: tuple[str, ...] = ()


def lineage_of(
    index: sqlite3.Connection,
    start: StartingPoint,
    *,
    up: bool = True,
    down: bool = True,
    depth: int | None = None,
) -> Lineage:
    """The lineage from a start, at most ``depth`` tasks away."""
    walked, same = Walked(), Same(index)
    levels = None if depth is None else _LEVELS * depth
    if up:
        Walk(index, walked, same).up(start.executions, start.contents, levels)
    if down:
        Walk(index, walked, same).down(start.executions, start.contents, levels)
    contents = walked.contents | {same.representative(content) for content in start.contents}
    tasks = dict(tasks_of(index, walked.executions | start.executions))
    artifacts = dict(artifacts_of(index, contents, same))
    edges = set()
    for execution, content, output, name in walked.uses:
        if execution in tasks and content in artifacts:
            artifact, task = artifacts[content].id, tasks[execution].id
            edges.add(LineageEdge(task, artifact, name) if output else LineageEdge(artifact, task, name))
    for source, target in walked.links:
        if source in artifacts and target in artifacts:
            edges.add(LineageEdge(artifacts[source].id, artifacts[target].id))
    subjects = [tasks[one].id for one in start.executions if one in tasks]
    subjects += [artifacts[one].id for one in map(same.representative, start.contents) if one in artifacts]
    return Lineage(
        start.ref,
        tuple(sorted(set(subjects))),
        tuple(sorted((*tasks.values(), *artifacts.values()), key=lambda node: node.id)),
        tuple(sorted(_without_shortcuts(edges), key=lambda edge: (edge.source, edge.target, edge.name))),
        (*start.notes, *_notes(index, same.all(contents), cut=walked.cut)),
    )


def _without_shortcuts(edges: set[LineageEdge]) -> Iterator[LineageEdge]:
    """The edges without those that have no name where the same two have one with a name."""
    named = {(edge.source, edge.target) for edge in edges if edge.name}
    return (edge for edge in edges if edge.name or (edge.source, edge.target) not in named)


def tasks_of(index: sqlite3.Connection, executions: Iterable[int]) -> Iterator[tuple[int, LineageNode]]:
    """Executions by their numbers, as nodes."""
    for (
        id,
        run,
        run_name,
        pipeline,
        backend,
        name,
        state,
        started,
        finished,
        cached,
        error,
        parameters,
    ) in select(index, _EXECUTIONS, executions):
        yield (
            id,
            LineageNode(
                f"{run}/{name}",
                NodeKind.TASK,
                name,
                run=run,
                run_name=run_name,
                pipeline=pipeline,
                backend=backend,
                state=RunState(state) if state in RunState.__members__ else None,
                started=started,
                finished=finished,
                cached=bool(cached),
                error=error,
                parameters=json.loads(parameters),
            ),
        )


def artifacts_of(
    index: sqlite3.Connection, contents: Iterable[bytes], same: Same
) -> Iterator[tuple[bytes, LineageNode]]:
    """Contents as nodes, each by the digest that stands for it."""
    found: dict[bytes, list[tuple[Any, ...]]] = defaultdict(list)
    for id, content, *facts in select(index, _ARTIFACTS, same.all(contents)):
        found[same.representative(content)].append((id, content, *facts))
    refs: dict[int, list[str]] = defaultdict(list)
    for artifact, name in select(index, _NAMES, (row[0] for rows in found.values() for row in rows)):
        refs[artifact].append(name)
    for content, rows in found.items():
        yield content, _artifact(content, rows, refs)


def _artifact(content: bytes, rows: list[tuple[Any, ...]], refs: dict[int, list[str]]) -> LineageNode:
    """One node for all artifacts with the same content; a version speaks for those that have no reference."""
    ordered = sorted(rows, key=lambda row: (_rank(row[3]), row[2], row[4], row[1]))
    _, _, name, type, uri, digest, properties = ordered[0]
    own = [ref for row in ordered if row[3] == type for ref in sorted(refs[row[0]], key=by_number)]
    return LineageNode(
        content_text(content),
        _KINDS.get(type, NodeKind.ARTIFACT),
        own[0] if own else name,
        refs=tuple(dict.fromkeys(own)),
        type=type,
        uri=uri,
        digest=digest,
        properties=json.loads(properties),
    )


def _rank(type: str) -> int:
    return {MODEL: 0, DATASET: 1}.get(type, 2)


def _notes(index: sqlite3.Connection, contents: Iterable[bytes], *, cut: bool) -> Iterator[str]:
    for run in sorted({run for (run,) in select(index, _LOST, contents)}):
        yield f"run {run} is not in this home: it was deleted, or ran elsewhere"
    if cut:
        yield f"there is more than is shown ({MOST:,} tasks and artifacts); limit it with a depth"
