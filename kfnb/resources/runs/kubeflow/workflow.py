"""The Argo Workflow of a run in Kubernetes: which of the pipeline's tasks it has reached, and their states."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kfnb.entities import RunState
from kfnb.resources.runs.kubeflow.argo_nodes import is_attempt, name_of, place_of, task_of
from kfnb.text.timestamps import seconds

Json = Mapping[str, Any]

_STATES = {
    "Pending": RunState.PENDING,
    "Running": RunState.RUNNING,
    "Succeeded": RunState.SUCCEEDED,
    "Skipped": RunState.SKIPPED,
    "Omitted": RunState.SKIPPED,
    "Failed": RunState.FAILED,
    "Error": RunState.FAILED,
}
_OF_POD = re.compile(r"[A-Z][A-Za-z]+(?::|$)")
"""The start of Argo's message on a node with a waiting pod: Kubernetes' reason (PodInitializing)."""
_MOST = 256 * 2**20
"""Maximum bytes of a workflow's decompressed nodes: Argo's own limit is far below."""


@dataclass(frozen=True)
class WorkflowNode:
    """A task or a group in a workflow. ``attempts`` is the number of pods of its program, 0 for a group."""

    state: RunState
    started: float | None = None
    finished: float | None = None
    attempts: int = 0


@dataclass(frozen=True)
class Workflow:
    """A workflow's tasks and groups by their ids; ``refused``: why pods could not be created, and ``failed``: the
    messages of failed pods, both by task.

    ``queued`` is Argo's message on a workflow that it has not started, possibly empty; None if it has started.
    ``ended`` is how and when it ended, None while it has not. If Argo stores the nodes in a database
    (``nodeStatusOffLoad``), the tasks are unknown.
    """

    tasks: Mapping[str, WorkflowNode] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    queued: str | None = None
    ended: WorkflowNode | None = None


def parse(item: Json) -> Workflow:
    """A workflow from its Kubernetes object, whose nodes Argo compresses if they exceed 1 MiB."""
    status = item.get("status") or {}
    nodes = _nodes(status)
    # the state of a node takes precedence over those of its attempts
    places = {
        place_of(node["name"]): node for node in sorted(nodes, key=lambda one: not is_attempt(one["name"]))
    }
    pods = _pods(nodes)
    return Workflow(
        tasks={task: _node(node, pods.get(task, 0)) for task, node in places.items() if task},
        refused={
            task: message
            for task, message in _messages(nodes, "Pending", "").items()
            if not _OF_POD.match(message)
        },
        failed=_messages(nodes, "Failed", "Error"),
        queued=str(status.get("message") or "") if status.get("phase", "") in ("", "Pending") else None,
        ended=_ended(status),
    )


def _ended(status: Json) -> WorkflowNode | None:
    """How a workflow ended: Argo records the phase and the time once its last pod has ended."""
    finished = seconds(status.get("finishedAt"))
    state = _STATES.get(status.get("phase") or "", RunState.RUNNING)
    return (
        WorkflowNode(state, seconds(status.get("startedAt")), finished)
        if finished and state.finished
        else None
    )


def _messages(nodes: Iterable[Json], *phases: str) -> dict[str, str]:
    """The messages of pods in these phases, by their tasks."""
    return {
        task_of(node["name"]): str(node["message"])
        for node in nodes
        if node.get("message") and node.get("type") == "Pod" and node.get("phase") in phases
    }


def _nodes(status: Json) -> list[Json]:
    packed = status.get("compressedNodes")
    if not packed:
        return list((status.get("nodes") or {}).values())
    with gzip.GzipFile(fileobj=io.BytesIO(base64.b64decode(packed))) as file:
        return list(json.loads(file.read(_MOST)).values())


def _pods(nodes: Iterable[Json]) -> dict[str, int]:
    """The number of pods of each task's program."""
    found: dict[str, int] = {}
    for node in nodes:
        if node.get("type") == "Pod" and name_of(node["name"]) == "executor":
            task = task_of(node["name"])
            found[task] = found.get(task, 0) + 1
    return found


def _node(node: Json, attempts: int) -> WorkflowNode:
    state = _STATES.get(node.get("phase") or "Pending", RunState.RUNNING)
    return WorkflowNode(state, seconds(node.get("startedAt")), seconds(node.get("finishedAt")), attempts)
