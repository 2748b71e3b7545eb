"""The lineage of a home as events of OpenLineage (https://openlineage.io), for catalogs and tools that read them.

A run and each of its tasks have a START event and, once they have ended, one of COMPLETE, FAIL and ABORT. Content is a
data set of OpenLineage by its digest, so that the events of several homes meet; a version of a data set or a model is
one by its name, with its number as version.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from itertools import islice
from typing import Any

from kfnb.catalog.walk import Same, select
from kfnb.entities import RunState
from kfnb.resources.lineage.graph import artifacts_of, tasks_of
from kfnb.resources.lineage.model import LineageNode, NodeKind

SPEC = "https://openlineage.io/spec"
_EVENT = f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_PRODUCER = "https://pypi.org/project/kfnb"
_NAMESPACE = "kfnb"
_ENDS = {RunState.SUCCEEDED: "COMPLETE", RunState.FAILED: "FAIL", RunState.CANCELED: "ABORT"}
_BATCH = 500
_RUNS = (
    """select run, pipeline, state, created, finished from contexts where created is not null order by run"""
)
_EXECUTIONS = """select x.id, c.created from executions x join contexts c on c.id = x.context
    where c.created is not null order by c.run, x.id"""
_USES = """select e.execution, a.content, e.output from events e join artifacts a on a.id = e.artifact
    where e.execution in ({marks}) order by e.execution, e.output, e.name"""

Event = Mapping[str, Any]


def events(index: sqlite3.Connection) -> Iterator[Event]:
    """The events of all runs, then those of their tasks. What has no time, as a run that cannot be read, has none."""
    for run, pipeline, state, created, finished in index.execute(_RUNS).fetchall():
        known = RunState(state) if state in RunState.__members__ else None
        event = {"run": _run(run), "job": _job(pipeline or run, "DAG"), "inputs": [], "outputs": []}
        yield from _life(event, known, created, finished)
    same = Same(index)
    executions = iter(index.execute(_EXECUTIONS).fetchall())
    while batch := dict(islice(executions, _BATCH)):
        yield from _of_tasks(index, batch, same)


def _of_tasks(index: sqlite3.Connection, created: Mapping[int, float], same: Same) -> Iterator[Event]:
    """The events of executions, each with the time at which its run was created."""
    uses: dict[tuple[int, bool], dict[bytes, None]] = defaultdict(
        dict
    )  # each content once, in the order of names
    for execution, content, output in select(index, _USES, created):
        uses[execution, bool(output)][same.representative(content)] = None
    nodes = dict(artifacts_of(index, set().union(*uses.values()), same))
    tasks = dict(tasks_of(index, created))
    for id, run_created in created.items():
        task = tasks[id]
        event = {
            "run": {"runId": _run_id(task.id), "facets": _run_facets(task)},
            "job": _job(_job_name(task), "TASK"),
            "inputs": [_dataset(nodes[content]) for content in uses[id, False]],
            "outputs": [_dataset(nodes[content]) for content in uses[id, True]],
        }
        yield from _life(event, task.state, task.started or task.finished or run_created, task.finished)


def _life(event: Event, state: RunState | None, started: float, finished: float | None) -> Iterator[Event]:
    frame = {"producer": _PRODUCER, "schemaURL": _EVENT}
    yield {"eventType": "START", "eventTime": _time(started), **event, "outputs": [], **frame}
    if state in _ENDS:
        yield {"eventType": _ENDS[state], "eventTime": _time(finished or started), **event, **frame}


def _run(run: str) -> Event:
    return {"runId": _run_id(run), "facets": {"processing_engine": _engine()}}


def _run_facets(task: LineageNode) -> Event:
    parent = {
        "run": {"runId": _run_id(task.run)},
        "job": {"namespace": _NAMESPACE, "name": task.pipeline or task.run},
    }
    facets = {"processing_engine": _engine(), "parent": _facet("1-2-0", "ParentRunFacet", parent)}
    if task.parameters:
        values = [{"key": name, "value": _text(value)} for name, value in sorted(task.parameters.items())]
        facets["executionParameters"] = _facet("1-0-0", "ExecutionParametersRunFacet", {"parameters": values})
    if task.error:
        error = {"message": task.error, "programmingLanguage": "Python"}
        facets["errorMessage"] = _facet("1-0-1", "ErrorMessageRunFacet", error)
    return facets


def _engine() -> Event:
    from kfnb import __version__

    return _facet("1-1-1", "ProcessingEngineRunFacet", {"name": "kfnb", "version": __version__})


def _job(name: str, kind: str) -> Event:
    facet = {"processingType": "BATCH", "integration": "KFNB", "jobType": kind}
    return {
        "namespace": _NAMESPACE,
        "name": name,
        "facets": {"jobType": _facet("2-0-4", "JobTypeJobFacet", facet)},
    }


def _job_name(task: LineageNode) -> str:
    """``churn.train``; a task in a loop is one job, whichever iteration it is."""
    parts = [part for part in task.name.split("/") if not part.isdigit()]
    return ".".join([task.pipeline or task.run, *parts])


def _dataset(node: LineageNode) -> Event:
    kind = {NodeKind.MODEL: "MODEL"}.get(node.kind, "MODEL" if node.type == "system.Model" else "FILE")
    facets = {"datasetType": _facet("1-0-1", "DatasetTypeDatasetFacet", {"datasetType": kind})}
    if node.uri:
        address = {"namespace": _NAMESPACE, "name": node.uri, "type": "LOCATION"}
        facets["symlinks"] = _facet("1-0-1", "SymlinksDatasetFacet", {"identifiers": [address]})
    if not node.refs:
        return {"namespace": f"{_NAMESPACE}.artifacts", "name": node.id, "facets": facets}
    name, _, number = node.refs[0].rpartition("@")
    facets["version"] = _facet("1-0-1", "DatasetVersionDatasetFacet", {"datasetVersion": number})
    namespace = f"{_NAMESPACE}.{'models' if node.kind is NodeKind.MODEL else 'data'}"
    return {"namespace": namespace, "name": name, "facets": facets}


def _facet(version: str, name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    schema = f"{SPEC}/facets/{version}/{name}.json#/$defs/{name}"
    return {"_producer": _PRODUCER, "_schemaURL": schema, **fields}


def _run_id(text: str) -> str:
    """A UUID, as OpenLineage wants it: the same for the same run or task."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"kfnb:{text}"))


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def lines(found: Iterable[Event]) -> Iterator[str]:
    """Events as lines of JSON."""
    return (json.dumps(event) + "\n" for event in found)
