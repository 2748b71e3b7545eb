"""The tables of a status: one for each kind of thing that was found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kfnb.resources.cluster.model import KubeflowWork, NotebookServer, Status
from kfnb.text.timestamps import seconds
from kfnb.ui import theme
from kfnb.ui.blocks import Block, Section, Text
from kfnb.ui.states import StateStyle, style_of
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import duration, file_size, moment, own_name, short

GOOD = StateStyle("✓", "Good", theme.GREEN, "")
BAD = StateStyle("✗", "Failing", theme.RED, "")
WAITS = StateStyle("○", "Waiting", theme.AMBER, "")
RUNS = StateStyle("●", "Running", theme.BLUE, "")
OFF = StateStyle("‖", "Stopped", theme.GREY, "")
DARK = StateStyle("?", "Hidden", theme.GREY, "")

MOST = 10
"""How many rows a table shows."""
_STATES = {
    "running": RUNS,
    "waiting": WAITS,
    "stopped": OFF,
    "failing": BAD,
    "Running": RUNS,
    "Created": WAITS,
    "Canceling": WAITS,
    "Canceled": OFF,
    "Suspended": OFF,
    "Succeeded": GOOD,
    "Complete": GOOD,
    "Ready": GOOD,
    "Failed": BAD,
    "Not ready": BAD,
    "Bound": GOOD,
    "Pending": WAITS,
    "Lost": BAD,
}

Rows = Sequence[Sequence[Value]]


def table(
    name: str,
    columns: tuple[Column, ...],
    found: Sequence[Any],
    row: Callable[[Any], Sequence[Value]],
    *,
    more: int | None = 0,
) -> list[Block]:
    """A section with the first of the things that were found; nothing where there are none."""
    if not found:
        return []
    hidden = max(0, len(found) - MOST)
    left = "and more" if more is None else f"and {hidden + more} more" if hidden + more else ""
    blocks: list[Block] = [Table(name, columns, [row(one) for one in found[:MOST]]).without_empty_columns()]
    return [Section(name, [*blocks, *([Text(left)] if left else [])])]


def quota(status: Status) -> list[Block]:
    """What the namespace may use."""
    columns = (Column("Resource"), Column("Used", number=True), Column("Of", number=True), Column("Share"))
    return table(
        "Quota",
        columns,
        status.quota.value or (),
        lambda one: [one.resource, one.used, one.hard, TableCell(f"{one.share:.0%}", bar=one.share)],
    )


def gpus(status: Status) -> list[Block]:
    """The GPUs by kind."""
    columns = (Column("Kind"), Column("Free", number=True), Column("Total", number=True))
    return table(
        "GPUs",
        columns,
        status.gpus.value or (),
        lambda one: [one.kind, "hidden" if one.free is None else str(one.free), str(one.total)],
        more=status.gpus.more,
    )


def nodes(status: Status) -> list[Block]:
    """The machines of the cluster."""
    columns = (
        Column("Node"),
        Column("State"),
        Column("Cores", number=True),
        Column("Memory", number=True),
        Column("GPUs", number=True),
        Column("Kubernetes", aside=True),
    )
    return table("Nodes", columns, status.nodes.value or (), _node, more=status.nodes.more)


def _node(one: Any) -> Sequence[Value]:
    state = TableCell("ready", state_style=GOOD) if one.ready else TableCell("not ready", state_style=BAD)
    if one.ready and not one.schedulable:
        state = TableCell("takes no pods", state_style=OFF)
    gpu = str(one.gpus) if one.gpus else ""
    return [one.name, state, f"{one.cpu:g}", file_size(one.memory), gpu, one.version]


def notebooks(status: Status) -> list[Block]:
    """Notebooks and workspaces."""
    columns = (
        Column("Name"),
        Column("State", whole=True),
        Column("Kind", aside=True),
        Column("Image"),
        Column("Last activity", whole=True, aside=True),
    )
    found = [*(status.notebooks.value or ()), *(status.workspaces.value or ())]
    return table(
        "Notebooks", columns, found, _notebook, more=_sum(status.notebooks.more, status.workspaces.more)
    )


def _sum(*counts: int | None) -> int | None:
    return None if None in counts else sum(filter(None, counts))


def _notebook(one: NotebookServer) -> Sequence[Value]:
    image = one.image.rpartition("/")[2]
    return [
        one.name,
        TableCell(one.state, state_style=_STATES[one.state]),
        one.kind,
        TableCell(image, hint=one.image),
        when(one.last_activity),
    ]


def volumes(status: Status) -> list[Block]:
    """The claims to storage."""
    columns = (
        Column("Volume"),
        Column("Size", number=True),
        Column("State"),
        Column("Class", aside=True),
        Column("Access", aside=True),
    )
    return table(
        "Volumes",
        columns,
        status.volumes.value or (),
        lambda one: [one.name, one.size, state_of(one.phase), one.kind, ", ".join(one.modes)],
        more=status.volumes.more,
    )


def pod_defaults(status: Status) -> list[Block]:
    """What pods are given."""
    columns = (Column("Configuration"), Column("What it does"), Column("Label"), Column("Here"))
    words = {
        True: TableCell("on", state_style=GOOD),
        False: TableCell("off", state_style=OFF),
        None: TableCell(""),
    }
    return table(
        "Configurations (PodDefaults)",
        columns,
        status.pod_defaults.value or (),
        lambda one: [one.name, one.description, TableCell(", ".join(one.labels), code=True), words[one.on]],
    )


def waiting(status: Status) -> list[Block]:
    """The pods that do not run yet."""
    columns = (Column("Pod"), Column("Why", whole=True), Column("Of"), Column("In words"))
    return table(
        "Pods that wait",
        columns,
        status.waiting.value or (),
        lambda one: [one.name, TableCell(one.reason, state_style=WAITS), one.owner, _short(one.message)],
        more=status.waiting.more,
    )


def work(name: str, found: Sequence[KubeflowWork], more: int | None) -> list[Block]:
    """Studies, services or training jobs."""
    columns = (Column("Name"), Column("State", whole=True), Column("Since", whole=True), Column("In words"))
    return table(
        name,
        columns,
        found,
        lambda one: [one.name, state_of(one.state), when(one.created), _short(one.message)],
        more=more,
    )


def runs(status: Status) -> list[Block]:
    """The newest runs."""
    columns = (
        Column("Run", whole=True),
        Column("Pipeline"),
        Column("Name"),
        Column("State", whole=True),
        Column("Started", whole=True),
        Column("Time", number=True),
    )
    return table("Newest runs", columns, status.runs.value or (), _run)


def _run(one: Any) -> Sequence[Value]:
    state = style_of(one.state)
    return [
        TableCell(one.id, code=True),
        one.pipeline,
        own_name(one),
        TableCell(state.word, state_style=state),
        moment(one.started or one.created),
        duration(one.seconds),
    ]


def state_of(word: str) -> TableCell:
    """A state in the cluster's own word."""
    return TableCell(word.lower(), state_style=_STATES.get(word, DARK))


def _short(message: str) -> str:
    return short(message, 120) if message else ""


def when(stamp: str) -> str:
    """Kubernetes' time (UTC) as ours: ``2026-11-24 06:37``."""
    found = seconds(stamp)
    return stamp if found is None else moment(found)[: len("2026-11-24 06:37")]
