"""``draw_task``: one task, its error first, then its inputs and outputs."""

from __future__ import annotations

import pprint
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from kfnb.entities import Artifact, Preview, RunState, Task
from kfnb.resources.runs.view.artifact import ArtifactPart, Card, artifact_card
from kfnb.resources.runs.view.artifacts import ArtifactBudget, TaskArtifact, arranged, output_blocks
from kfnb.resources.runs.view.failure import cause_block
from kfnb.resources.runs.view.metrics import metrics_table
from kfnb.resources.runs.view.ranks import rank_blocks
from kfnb.resources.runs.view.tasks import SHOWN_APART, elapsed
from kfnb.resources.runs.view.tree import Leaf
from kfnb.ui.blocks import Block, CodeBlock, Marked, Section, Text, Title, bundle
from kfnb.ui.states import shown, style_of
from kfnb.ui.table import Column, Table, Value
from kfnb.ui.words import duration, moment, short

LONGEST_LINE = 60
LONGEST_VALUE = 2000
MOST_ARTIFACTS = 40

PAGE = 88

_WITHOUT_FILE = ("system.Metrics", "system.ClassificationMetrics")
"""Types of artifacts that are fully described by their metadata, numbers first."""

Pair: TypeAlias = tuple[str, Any]

_NO_CONTENTS: Mapping[str, str] = {}
_NO_PREVIEWS: Mapping[str, Preview] = {}


def draw_task(
    task: Task,
    contents: Mapping[str, str] = _NO_CONTENTS,
    previews: Mapping[str, Preview] = _NO_PREVIEWS,
    *,
    now: float | None = None,
    titled: bool = True,
) -> dict[str, str]:
    """A task as a mimebundle of HTML and text.

    ``contents`` are the texts of its HTML and Markdown artifacts, ``previews`` the beginnings of the others, both by
    URI, as far as the caller read them: nothing is fetched here. ``now`` is the time for the duration of a running
    task. Unless ``titled``, the line with its name and state and the ranks of a training are left out, since the page
    shows them live.
    """
    leaf = _leaf(shown(task))
    now = time.time() if now is None else now
    blocks: list[Block] = [_title(leaf, now)] if titled else []
    if task.state is RunState.FAILED:
        blocks.append(cause_block(leaf))
    parts = [
        *(rank_blocks(task, now) if titled else ()),
        *_inputs(list(_pairs(task.inputs)), previews),
        *_outputs(leaf, list(_pairs(task.outputs)), contents, previews),
    ]
    yet = "" if task.state.finished else " yet"
    return bundle(f"Task {leaf.label}", [*blocks, *(parts or [Text(f"No inputs and outputs{yet}.")])])


def artifact_of(task: Task, mark: str) -> Artifact | None:
    """The artifact of a task by its mark (``data-kfnb-artifact``): ``outputs/model``, ``inputs/parts [2]``."""
    side, _, name = mark.partition("/")
    values = {"inputs": task.inputs, "outputs": task.outputs}.get(side, {})
    found = dict(_pairs(values)).get(name)
    return found if isinstance(found, Artifact) else None


def _leaf(task: Task) -> Leaf:
    """The task with its groups and iterations, as far as its id has them."""
    indices = (int(part) for part in task.id.split("/")[:-1] if part.isdecimal())
    return Leaf(task, (task.name,), tuple(indices))


def _title(leaf: Leaf, now: float) -> Title:
    task = leaf.task
    attempts = f"{task.attempts} attempts" if task.attempts > 1 else ""
    return Title(
        leaf.label,
        style_of(task.state),
        duration(elapsed(task.started, task.finished, now)),
        ("cached" if task.cached else "", attempts, task.doing, moment(task.started)),
    )


def _pairs(values: Mapping[str, Any]) -> Iterator[Pair]:
    """Names and values, with lists of artifacts item by item."""
    for name, value in values.items():
        if isinstance(value, list | tuple) and value and all(isinstance(item, Artifact) for item in value):
            yield from ((f"{name} [{index}]", item) for index, item in enumerate(value))
        else:
            yield name, value


def _inputs(pairs: Sequence[Pair], previews: Mapping[str, Preview]) -> Iterator[Block]:
    if pairs:
        artifacts = [(name, value) for name, value in pairs if isinstance(value, Artifact)]
        yield ArtifactPart(
            "Inputs", [*_values("Inputs", pairs), *_cards("inputs", artifacts, previews, folded=True)]
        )


def _outputs(
    leaf: Leaf, pairs: Sequence[Pair], contents: Mapping[str, str], previews: Mapping[str, Preview]
) -> Iterator[Block]:
    """The values; then artifacts with a view, numbers first; then all other artifacts."""
    found = [TaskArtifact(leaf, name, value, "") for name, value in pairs if isinstance(value, Artifact)]
    artifacts = {one.name: one.artifact for one in found}
    shown = {one.name: blocks for one in sorted(found, key=_order) if (blocks := _report(one, contents))}
    reports = [_section(name, artifacts[name], blocks) for name, blocks in shown.items()]
    others = [(one.title, one.artifact) for one in found if one.name not in shown]
    blocks = [
        *_values("Outputs", pairs),
        *arranged([*_metrics(leaf.task, found), *reports], loop=False),
        *_cards("outputs", others, previews),
    ]
    if blocks:
        yield ArtifactPart("Outputs", blocks)


def _section(name: str, artifact: Artifact, blocks: Sequence[Block]) -> Block:
    """The view of an artifact; complete for metrics, while others have a file to download."""
    section = Section(name.removeprefix("kf_"), blocks)
    return section if artifact.type in _WITHOUT_FILE else Marked("outputs", name, [section])


def _order(found: TaskArtifact) -> int:
    """Numbers first, then curves and matrices, then pages."""
    kinds = _WITHOUT_FILE
    return kinds.index(found.artifact.type) if found.artifact.type in kinds else len(kinds)


def _report(found: TaskArtifact, contents: Mapping[str, str]) -> list[Block]:
    """The view of an artifact: metrics, a curve, a page; empty for other types."""
    if found.artifact.type not in SHOWN_APART:
        return []
    return list(arranged(list(output_blocks([found], contents, ArtifactBudget())), loop=False))


def _metrics(task: Task, found: Sequence[TaskArtifact]) -> Iterator[Section]:
    """The metrics of a task without an artifact of them."""
    if task.metrics and all(one.artifact.type != "system.Metrics" for one in found):
        yield Section("metrics", [metrics_table(f"{task.name} · metrics", [("", task.metrics)])])


def _cards(
    side: str,
    artifacts: Sequence[tuple[str, Artifact]],
    previews: Mapping[str, Preview],
    *,
    folded: bool = False,
) -> Iterator[Block]:
    for name, artifact in artifacts[:MOST_ARTIFACTS]:
        yield Marked(side, name, [artifact_card(name, artifact, previews.get(artifact.uri), folded=folded)])
    if len(artifacts) > MOST_ARTIFACTS:
        yield Text(f"… {len(artifacts) - MOST_ARTIFACTS} more artifacts")


def _values(label: str, pairs: Sequence[Pair]) -> Iterator[Block]:
    """All values except artifacts: short values as a table, each longer value separately."""
    written = [(name, value, _written(value)) for name, value in pairs if not isinstance(value, Artifact)]
    rows: list[list[Value]] = [[name, text] for name, _, text in written if _fits(text)]
    if rows:
        yield Table(label, (Column("Name"), Column("Value")), rows)
    for name, value, text in written:
        if not _fits(text):
            more = "…" if len(text) > LONGEST_VALUE else ""
            yield Card(name, _extent(value), [CodeBlock(text[:LONGEST_VALUE] + more, value=True)])


def _written(value: Any) -> str:
    """A complete value, as a Python literal; strings without quotes."""
    if isinstance(value, str):
        return value if value.strip() else repr(value)
    if isinstance(value, dict | list | tuple):
        with suppress(Exception):  # a value's repr may raise anything
            return pprint.pformat(value, width=PAGE, sort_dicts=False, compact=True)
    return short(value, LONGEST_VALUE)


def _fits(text: str) -> bool:
    """Whether a value fits on a line of a table."""
    return len(text) <= LONGEST_LINE and "\n" not in text


def _extent(value: Any) -> str:
    if isinstance(value, str):
        return f"{len(value):,} characters"
    if isinstance(value, dict | list | tuple):
        return "1 item" if len(value) == 1 else f"{len(value):,} items"
    return type(value).__name__
