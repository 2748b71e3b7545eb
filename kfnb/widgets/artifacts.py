"""A run's artifacts, each shown as what it is: numbers, a curve, a matrix, a page, else its address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from kfnb.model import Artifact
from kfnb.widgets.blocks import Block, Code, Picture, Row, Section, Text
from kfnb.widgets.classification import Confusion, read_confusion, read_roc
from kfnb.widgets.curve import draw_roc
from kfnb.widgets.frame import Frame
from kfnb.widgets.table import Cell, Column, Table, Value
from kfnb.widgets.tree import Leaf, Tree
from kfnb.widgets.words import short, type_name

# of each kind; the rest is in the table of files
MOST_SHOWN = 12
MOST_ROWS = 200
LONGEST_PAGE = 2_000_000


@dataclass(frozen=True)
class Found:
    """An artifact, the name of the output that it is, and the task that made it."""

    leaf: Leaf
    name: str
    artifact: Artifact

    @property
    def label(self) -> str:
        """Whose it is: ``train [0] · metrics``."""
        return f"{self.leaf.label} · {self.name}"


def artifact_blocks(tree: Tree, contents: Mapping[str, str]) -> list[Block]:
    """All artifacts of the run's tasks. ``contents`` are files' texts by URI, where the caller read them."""
    found = [one for leaf in tree.work for one in _found(leaf)]
    parts = ((one.label, _shown(one, contents)) for one in found)
    sections = (Section(label, blocks) for label, blocks in parts if blocks)
    return [*_metrics(found), *islice(sections, MOST_SHOWN), *_files(found)]


def _found(leaf: Leaf) -> Iterator[Found]:
    for name, value in leaf.task.outputs.items():
        for item in value if isinstance(value, list | tuple) else (value,):
            if isinstance(item, Artifact):
                yield Found(leaf, name, item)


def _shown(found: Found, contents: Mapping[str, str]) -> list[Block]:
    artifact = found.artifact
    if artifact.type == "system.ClassificationMetrics":
        return _classification(found)
    content = contents.get(artifact.uri)
    if content is None or len(content) > LONGEST_PAGE:
        return []
    if artifact.type == "system.HTML":
        return [Frame(found.label, content)]
    return [Code(content)] if artifact.type == "system.Markdown" else []


def _metrics(found: Sequence[Found]) -> Iterator[Block]:
    """A table for each task's metrics, with a row for each of its iterations."""
    tables: dict[tuple[object, str], list[Found]] = {}
    for one in found:
        if one.artifact.type == "system.Metrics" and one.artifact.metadata:
            tables.setdefault((one.leaf.path, one.name), []).append(one)
    for ones in tables.values():
        label = f"{ones[0].leaf.task.name} · {ones[0].name}"
        yield Section(label, [_metrics_table(label, ones[:MOST_ROWS])])


def _metrics_table(label: str, ones: Sequence[Found]) -> Table:
    names = list(dict.fromkeys(name for one in ones for name in one.artifact.metadata))
    if len(ones) == 1:
        values = ones[0].artifact.metadata
        rows = [[name, short(values[name])] for name in names]
        return Table(label, (Column("Metric"), Column("Value", number=True)), rows)
    columns = (Column("Task"), *(Column(name, number=True) for name in names))
    values_of = ((one, one.artifact.metadata) for one in ones)
    return Table(
        label,
        columns,
        [
            [one.leaf.label, *(short(values[name]) if name in values else "" for name in names)]
            for one, values in values_of
        ],
    )


def _classification(found: Found) -> list[Block]:
    roc, confusion = read_roc(found.artifact.metadata), read_confusion(found.artifact.metadata)
    parts: list[Block] = []
    if roc:
        text = f"ROC curve of {len(roc.points)} points, area under the curve {roc.area:.3f}"
        parts.append(Picture(draw_roc(roc), text))
    if confusion:
        parts.append(_confusion_table(confusion, f"{found.label}, confusion matrix"))
    return [Row(parts)] if parts else []


def _confusion_table(confusion: Confusion, label: str) -> Table:
    columns = (Column("Actual \\ predicted"), *(Column(name, number=True) for name in confusion.classes))
    rows: list[list[Value]] = []
    for name, counts in zip(confusion.classes, confusion.counts, strict=True):
        total = sum(counts) or 1.0
        rows.append(
            [name, *(Cell(f"{count:g}", shade=min(1.0, max(0.0, count / total))) for count in counts)]
        )
    return Table(label, columns, rows)


def _files(found: Sequence[Found]) -> Iterator[Block]:
    """Where each artifact lies."""
    if not found:
        return
    columns = (Column("Task"), Column("Artifact"), Column("Type"), Column("URI", whole=True))
    rows: list[list[Value]] = [
        [one.leaf.label, one.name, type_name(one.artifact.type), Cell(one.artifact.uri, code=True)]
        for one in found[:MOST_ROWS]
    ]
    blocks: list[Block] = [Table("Artifacts", columns, rows)]
    if len(found) > MOST_ROWS:
        blocks.append(Text(f"… {len(found) - MOST_ROWS} more"))
    yield Section("Artifacts", blocks)
