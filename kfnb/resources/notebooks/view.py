"""``draw_notebooks``: the notebooks of a namespace; ``draw_notebook``: one; ``draw_dry_run``: one that might be."""

from __future__ import annotations

from collections.abc import Sequence

from kfnb.resources.cluster.model import Knowledge
from kfnb.resources.notebooks.model import DryRun, Notebook, NotebookList, NotebookState
from kfnb.ui import theme
from kfnb.ui.blocks import Alert, Block, CodeBlock, Text, Title, bundle
from kfnb.ui.states import StateStyle
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import TIMES, moment

_STYLES = {
    NotebookState.RUNNING: StateStyle("●", "running", theme.GREEN, ""),
    NotebookState.STARTING: StateStyle("○", "starting", theme.AMBER, ""),
    NotebookState.FAILING: StateStyle("✗", "failing", theme.RED, ""),
    NotebookState.STOPPING: StateStyle("◐", "stopping", theme.AMBER, ""),
    NotebookState.STOPPED: StateStyle("‖", "stopped", theme.GREY, ""),
    NotebookState.DELETING: StateStyle("◐", "being deleted", theme.AMBER, ""),
}
_GOOD = StateStyle("✓", "Accepted", theme.GREEN, "")
_REFUSED = StateStyle("✗", "Refused", theme.RED, "")

_KINDS = {"Notebook": "v1", "Workspace": "v2"}

COLUMNS = (
    Column("Name"),
    Column("State", whole=True),
    Column("Since", whole=True),
    Column("Image"),
    Column("CPU", number=True),
    Column("Memory", number=True),
    Column("GPUs", number=True),
    Column("Kind", whole=True),
    Column("Last activity", whole=True, aside=True),
    Column("Volumes", aside=True),
    Column("Created by", aside=True),
)


def draw_notebooks(found: NotebookList) -> dict[str, str]:
    """All notebooks of a namespace as a mimebundle, and why those that do not run yet do not."""
    blocks: list[Block] = [Title("Notebooks", aside=f"namespace {found.namespace}")]
    if len(found):
        blocks.append(Table("Notebooks", COLUMNS, [_row(one) for one in found]).without_empty_columns())
    elif found.notebooks.knowledge is found.workspaces.knowledge is Knowledge.ABSENT:
        blocks.append(Text("This cluster has no notebooks: that part of Kubeflow is not installed."))
    elif not found.unseen:
        blocks.append(Text("No notebooks yet: %kf_notebook create NAME --image IMAGE creates one."))
    blocks += [block for one in found for block in _why(one)]
    if found.sizeless:
        blocks.append(Text(f"CPU and memory of workspaces are not known: {found.sizeless}."))
    blocks += [Text(f"{name} {_UNSEEN[part.knowledge]}: {part.reason}.") for name, part in found.unseen]
    return bundle("Notebooks", blocks)


def draw_notebook(one: Notebook) -> dict[str, str]:
    """One notebook as a mimebundle."""
    facts = (
        f"{_STYLES[one.state].word} since {_minute(one.since)}" if one.since else "",
        one.image,
        f"CPU {one.cpu}" if one.cpu else "",
        f"memory {one.memory}" if one.memory else "",
        _gpus(one),
        _volumes(one),
        f"last activity {_minute(one.last_activity)}" if one.last_activity else "",
    )
    title = Title(one.name, _STYLES[one.state], f"{one.word} in namespace {one.namespace}", facts)
    return bundle(one.name, [title, *_why(one)])


def draw_dry_run(one: DryRun) -> dict[str, str]:
    """What would be created, and whether the server accepts it, as a mimebundle."""
    if one.accepted:
        return bundle("Dry run", [Title("Dry run", _GOOD, one.message), CodeBlock(one.yaml)])
    return bundle(
        "Dry run", [Alert(_REFUSED, "The server refuses it", [Text(one.message)]), CodeBlock(one.yaml)]
    )


_UNSEEN = {Knowledge.HIDDEN: "are hidden from you", Knowledge.UNKNOWN: "are not known"}


def _row(one: Notebook) -> Sequence[Value]:
    style = _STYLES[one.state]
    here = " (here)" if one.here else ""
    return [
        f"{one.name}{here}",
        TableCell(style.word, state_style=style),
        _minute(one.since),
        TableCell(one.image.rpartition("/")[2], hint=one.image),
        one.cpu,
        one.memory,
        TableCell(str(sum(count for count, _ in one.gpus) or ""), hint=_gpus(one)),
        _KINDS[one.kind],
        _minute(one.last_activity),
        TableCell(", ".join(mount.claim for mount in one.mounts), hint=_volumes(one)),
        one.creator,
    ]


def _why(one: Notebook) -> list[Block]:
    if not one.why:
        return []
    style = _STYLES[one.state]
    words = "does not start" if one.state is NotebookState.FAILING else "does not run yet"
    return [Alert(style, f"{one.name} {words}", [Text(one.why)])]


def _volumes(one: Notebook) -> str:
    return ", ".join(f"volume {mount.claim} at {mount.path}" for mount in one.mounts)


def _gpus(one: Notebook) -> str:
    return ", ".join(f"{count} {TIMES} {name}" for count, name in one.gpus)


def _minute(epoch: float | None) -> str:
    return moment(epoch)[:16]
