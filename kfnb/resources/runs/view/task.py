"""``draw_task``: one task, its error first, what it took and what it made."""

from __future__ import annotations

import pprint
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from kfnb.model import Artifact, Preview, RunState, Task
from kfnb.resources.runs.view.artifact import Card, Part, artifact_card
from kfnb.resources.runs.view.artifacts import Found, Room, arranged, output_blocks
from kfnb.resources.runs.view.failure import cause_block
from kfnb.resources.runs.view.metrics import metrics_table
from kfnb.resources.runs.view.tasks import SHOWN_APART, elapsed
from kfnb.resources.runs.view.tree import Leaf
from kfnb.ui.blocks import Block, CodeBlock, Marked, Section, Text, Title, bundle
from kfnb.ui.states import look, shown
from kfnb.ui.table import Column, Table, Value
from kfnb.ui.words import duration, moment, short

LONGEST_LINE = 60
LONGEST_VALUE = 2000
MOST_ARTIFACTS = 40

PAGE = 88

_WITHOUT_FILE = ("system.Metrics", "system.ClassificationMetrics")
"""Artifacts that are their metadata, numbers first."""

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
    URI, where the caller read them: nothing is fetched here. ``now`` is the moment until which a running task is
    counted. Not ``titled``, it has no line with its name and state: what is around it shows them live.
    """
    leaf = _leaf(shown(task))
    blocks: list[Block] = [_title(leaf, time.time() if now is None else now)] if titled else []
    if task.state is RunState.FAILED:
        blocks.append(cause_block(leaf))
    parts = [
        *_inputs(list(_pairs(task.inputs)), previews),
        *_outputs(leaf, list(_pairs(task.outputs)), contents, previews),
    ]
    yet = "" if task.state.finished else " yet"
    return bundle(f"Task {leaf.label}", [*blocks, *(parts or [Text(f"It has no inputs and outputs{yet}.")])])


def artifact_of(task: Task, mark: str) -> Artifact | None:
    """The artifact of a task that HTML marks so (``data-kfnb-artifact``): ``outputs/model``, ``inputs/parts [2]``."""
    side, _, name = mark.partition("/")
    values = {"inputs": task.inputs, "outputs": task.outputs}.get(side, {})
    found = dict(_pairs(values)).get(name)
    return found if isinstance(found, Artifact) else None


def _leaf(task: Task) -> Leaf:
    """The task in its place, as far as its id tells of it."""
    indices = (int(part) for part in task.id.split("/")[:-1] if part.isdecimal())
    return Leaf(task, (task.name,), tuple(indices))


def _title(leaf: Leaf, now: float) -> Title:
    task = leaf.task
    attempts = f"{task.attempts} attempts" if task.attempts > 1 else ""
    return Title(
        leaf.label,
        look(task.state),
        duration(elapsed(task.started, task.finished, now)),
        ("cached" if task.cached else "", attempts, task.doing, moment(task.started)),
    )


def _pairs(values: Mapping[str, Any]) -> Iterator[Pair]:
    """Names and values; those of a list of artifacts one by one."""
    for name, value in values.items():
        if isinstance(value, list | tuple) and value and all(isinstance(item, Artifact) for item in value):
            yield from ((f"{name} [{index}]", item) for index, item in enumerate(value))
        else:
            yield name, value


def _inputs(pairs: Sequence[Pair], previews: Mapping[str, Preview]) -> Iterator[Block]:
    if pairs:
        artifacts = [(name, value) for name, value in pairs if isinstance(value, Artifact)]
        yield Part("Inputs", [*_values("Inputs", pairs), *_cards("inputs", artifacts, previews, folded=True)])


def _outputs(
    leaf: Leaf, pairs: Sequence[Pair], contents: Mapping[str, str], previews: Mapping[str, Preview]
) -> Iterator[Block]:
    """The values; then what is to be looked at, numbers first; then what else lies somewhere."""
    found = [Found(leaf, name, value, "") for name, value in pairs if isinstance(value, Artifact)]
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
        yield Part("Outputs", blocks)


def _section(name: str, artifact: Artifact, blocks: Sequence[Block]) -> Block:
    """What is to be looked at of an artifact; of metrics that is all, else there is a file to download."""
    section = Section(name.removeprefix("kf_"), blocks)
    return section if artifact.type in _WITHOUT_FILE else Marked("outputs", name, [section])


def _order(found: Found) -> int:
    """Numbers first, then curves and matrices, then pages."""
    kinds = _WITHOUT_FILE
    return kinds.index(found.artifact.type) if found.artifact.type in kinds else len(kinds)


def _report(found: Found, contents: Mapping[str, str]) -> list[Block]:
    """An artifact that is to be looked at: metrics, a curve, a page; empty for any other."""
    if found.artifact.type not in SHOWN_APART:
        return []
    return list(arranged(list(output_blocks([found], contents, Room())), loop=False))


def _metrics(task: Task, found: Sequence[Found]) -> Iterator[Section]:
    """The metrics of a task that has no artifact of them."""
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
    """All values but artifacts: those of a line as a table, each longer one by itself."""
    written = [(name, value, _written(value)) for name, value in pairs if not isinstance(value, Artifact)]
    rows: list[list[Value]] = [[name, text] for name, _, text in written if _fits(text)]
    if rows:
        yield Table(label, (Column("Name"), Column("Value")), rows)
    for name, value, text in written:
        if not _fits(text):
            more = "…" if len(text) > LONGEST_VALUE else ""
            yield Card(name, _extent(value), [CodeBlock(text[:LONGEST_VALUE] + more, value=True)])


def _written(value: Any) -> str:
    """A value in full, as one would write it in a cell; strings as they are."""
    if isinstance(value, str):
        return value if value.strip() else repr(value)
    if isinstance(value, dict | list | tuple):
        with suppress(Exception):  # whatever a value's own repr raises
            return pprint.pformat(value, width=PAGE, sort_dicts=False, compact=True)
    return short(value, LONGEST_VALUE)


def _fits(text: str) -> bool:
    """Whether a value is a line of a table."""
    return len(text) <= LONGEST_LINE and "\n" not in text


def _extent(value: Any) -> str:
    if isinstance(value, str):
        return f"{len(value):,} characters"
    if isinstance(value, dict | list | tuple):
        return "1 item" if len(value) == 1 else f"{len(value):,} items"
    return type(value).__name__
