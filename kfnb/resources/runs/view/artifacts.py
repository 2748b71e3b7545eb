"""The artifacts of a run's tasks, each in its form: numbers, a curve, a matrix, a page; and their places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from kfnb.entities import Artifact
from kfnb.resources.runs.view.iterations import Loops
from kfnb.resources.runs.view.metrics import classification_blocks, curve_plots, metrics_table
from kfnb.resources.runs.view.tree import Leaf, Tree
from kfnb.ui.blocks import Block, Folded, Marked, Row, Section, Text
from kfnb.ui.frame import Frame
from kfnb.ui.markdown import Markdown
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import TIMES, kind, short

# limits: plots and pages of one output, in loops; of all together; and the pages' characters
MOST_TURNS = 8
MOST_SHOWN = 40
LONGEST_PAGE = 2_000_000
MOST_FILES = 200


@dataclass(frozen=True)
class TaskArtifact:
    """An artifact, the name of its output, the task that made it, and the iteration of the loop."""

    leaf: Leaf
    name: str
    artifact: Artifact
    turn: str

    @property
    def label(self) -> str:
        """Its task and output: ``train [0] · metrics``."""
        return f"{self.leaf.label} · {self.title}"

    @property
    def title(self) -> str:
        """The output's name; for reports of ``kf``, without that prefix."""
        return self.name.removeprefix("kf_")


@dataclass
class ArtifactBudget:
    """What may still be shown: a notebook with everything would not open."""

    pieces: int = MOST_SHOWN
    characters: int = LONGEST_PAGE

    def take(self, content: str = "") -> bool:
        """Whether one more fits; if so, subtract it."""
        if self.pieces < 1 or len(content) > self.characters:
            return False
        self.pieces -= 1
        self.characters -= len(content)
        return True


def artifact_blocks(
    tree: Tree, loops: Loops, contents: Mapping[str, str], *, settled: bool = True
) -> list[Block]:
    """All that the run's tasks made. ``contents`` are the texts of files by URI, as far as the caller read them.

    Until the run is ``settled`` there are neither frames nor folds: each redraw would reload or close them.
    """
    found = [one for leaf in tree.work for one in _found(leaf, loops)]
    if not settled:
        contents = {uri: text for uri, text in contents.items() if not _is_page(uri, found)}
    room = ArtifactBudget()
    by_task = sorted(_by_path(found).values(), key=lambda ones: found.index(ones[0]))
    sections = [section for ones in by_task for section in _section(ones, contents, room)]
    return [*sections, *(_files(found) if settled else ())]


def _is_page(uri: str, found: Sequence[TaskArtifact]) -> bool:
    return any(one.artifact.uri == uri and one.artifact.type == "system.HTML" for one in found)


def _by_path(found: Sequence[TaskArtifact]) -> dict[tuple[str, ...], list[TaskArtifact]]:
    by_path: dict[tuple[str, ...], list[TaskArtifact]] = {}
    for one in found:
        by_path.setdefault(one.leaf.path, []).append(one)
    return by_path


def _found(leaf: Leaf, loops: Loops) -> Iterator[TaskArtifact]:
    turn = loops.label(leaf)
    for name, value in leaf.task.outputs.items():
        for item in value if isinstance(value, list | tuple) else (value,):
            if isinstance(item, Artifact):
                yield TaskArtifact(leaf, name, item, turn)


def _section(
    ones: Sequence[TaskArtifact], contents: Mapping[str, str], room: ArtifactBudget
) -> Iterator[Section]:
    """The artifacts of one task, in all iterations of its loops."""
    blocks: list[Block] = []
    for _, same in groupby(sorted(ones, key=_order), key=_order):
        blocks += output_blocks(list(same), contents, room)
    if blocks:
        leaves = {one.leaf.task.id for one in ones}
        count = f" {TIMES} {len(leaves)}" if len(leaves) > 1 else ""
        yield Section(ones[0].leaf.task.name + count, list(arranged(blocks, loop=bool(ones[0].turn))))


def arranged(blocks: Sequence[Block], *, loop: bool) -> Iterator[Block]:
    """Narrow blocks side by side; above them the metrics of all iterations, below them the wide blocks."""
    tables = [block for block in blocks if loop and isinstance(block, Table)]
    wide = [block for block in blocks if _is_wide(block)]
    narrow = [block for block in blocks if block not in tables and block not in wide]
    yield from tables
    if narrow:
        yield Row(narrow)
    yield from wide


def _order(one: TaskArtifact) -> tuple[bool, str]:
    return one.artifact.type != "system.Metrics", one.name


def _is_wide(block: Block) -> bool:
    """Whether a block needs the full width, below the others."""
    return isinstance(block, Frame | Text) or (
        isinstance(block, Section | Marked) and any(map(_is_wide, block.blocks))
    )


def output_blocks(
    ones: Sequence[TaskArtifact], contents: Mapping[str, str], room: ArtifactBudget
) -> Iterator[Block]:
    """One output of a task, in all iterations."""
    metrics = [one for one in ones if one.artifact.type == "system.Metrics" and one.artifact.metadata]
    if metrics:
        turns = [(one.turn, one.artifact.metadata) for one in metrics]
        yield metrics_table(metrics[0].label, turns)
        yield from (plot for plot in curve_plots(turns) if room.take())
    shown = [(one, blocks) for one in ones if (blocks := _shown(one, contents))]
    drawn = [
        (one, blocks) for one, blocks in shown[:MOST_TURNS] if room.take(contents.get(one.artifact.uri, ""))
    ]
    for one, blocks in drawn:
        yield from [Section(one.turn, blocks)] if one.turn else blocks
    if len(shown) > len(drawn):
        name = ones[0].leaf.task.name
        yield Text(
            f"… {len(shown) - len(drawn)} more of {name} are not shown here: see run.artifacts[{name!r}]"
        )


def _shown(found: TaskArtifact, contents: Mapping[str, str]) -> list[Block]:
    artifact = found.artifact
    if artifact.type == "system.ClassificationMetrics":
        return classification_blocks(artifact.metadata, found.label)
    content = contents.get(artifact.uri)
    if content is None:
        return []
    if artifact.type == "system.HTML":
        return [Frame(found.label, content)]
    return [Markdown(content)] if artifact.type == "system.Markdown" else []


def _files(found: Sequence[TaskArtifact]) -> Iterator[Block]:
    """The type and the place of each artifact."""
    if not found:
        return
    columns = (
        Column("Task"),
        Column("Artifact"),
        Column("What"),
        Column("Format", whole=True),
        Column("URI", whole=True, aside=True),
    )
    rows: list[list[Value]] = [
        [
            one.leaf.label,
            one.name,
            kind(one.artifact),
            _format(one.artifact),
            TableCell(one.artifact.uri, code=True),
        ]
        for one in found[:MOST_FILES]
    ]
    blocks: list[Block] = [Table("Artifacts", columns, rows).without_empty_columns()]
    if len(found) > MOST_FILES:
        blocks.append(Text(f"… {len(found) - MOST_FILES} more"))
    yield Folded(f"Artifacts ({len(found)})", blocks)


def _format(artifact: Artifact) -> str:
    value = artifact.metadata.get("format")
    return short(value, 24) if isinstance(value, str) else ""
