"""``draw_diff``: two versions of a data set side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kfnb.entities.profile import ColumnProfile
from kfnb.resources.datasets.diff import continuous, histogram
from kfnb.resources.datasets.model import KINDS, ColumnShift, DatasetDiff
from kfnb.resources.datasets.view.version import contents, limit, short_type
from kfnb.ui.blocks import Block, Items, Section, Text, Title, bundle
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import TIMES, brief, file_size

_MOST = 20
_BINS = 16
_LITTLE, _MUCH = 0.1, 0.25
_LONGEST, _FEW = 40, 3


def draw_diff(diff: DatasetDiff) -> dict[str, str]:
    """What differs between two versions, as a mimebundle: columns, distributions, rows, files."""
    before, after = diff.before, diff.after
    blocks: list[Block] = [Title(f"{before.ref} and {after.ref}", facts=tuple(_sizes(diff)))]
    if diff.same:
        blocks.append(Text("Both have the same content."))
    else:
        if before.kind != after.kind:
            kinds = f"{before.ref} is {KINDS[before.kind]}, {after.ref} {KINDS[after.kind]}"
            blocks.append(Text(f"{kinds}: only what both have can be compared."))
        blocks += [
            *_columns(diff),
            *_counts(diff),
            *_rows(diff),
            *_moved(diff),
            *_unmeasured(diff),
            *_files(diff),
        ]
    if len(blocks) == 1:
        blocks.append(Text("Their contents differ; what is known of their columns is the same."))
    return bundle(f"Differences between {before.ref} and {after.ref}", blocks)


def _sizes(diff: DatasetDiff) -> Iterator[str]:
    for one in (diff.before, diff.after):
        yield f"{one.ref}: {contents(one)}, {file_size(one.size)}"


def _columns(diff: DatasetDiff) -> Iterator[Block]:
    rows: list[list[Value]] = []
    rows += [[one.name, "added", "", _type(one)] for one in diff.added[:_MOST]]
    rows += [[one.name, "removed", _type(one), ""] for one in diff.removed[:_MOST]]
    rows += [[old.name, "retyped", _type(old), _type(new)] for old, new in diff.retyped[:_MOST]]
    if rows:
        heads = (Column("Column"), Column("Change"), Column(diff.before.ref), Column(diff.after.ref))
        yield Section("Columns", [Table("Columns that differ", heads, rows)])


def _type(column: ColumnProfile) -> TableCell:
    return TableCell(short_type(column.type), code=True, hint=column.type)


def _counts(diff: DatasetDiff) -> Iterator[Block]:
    """How many rows there are more or less, where the rows themselves were not compared."""
    before, after = diff.before.rows, diff.after.rows
    if diff.rows is None and None not in (before, after) and before != after:
        yield Section("Rows", [Text(f"{before:,} in {diff.before.ref}, {after:,} in {diff.after.ref}")])


def _rows(diff: DatasetDiff) -> Iterator[Block]:
    found = diff.rows
    if found is None:
        return
    words = (
        f"By {found.key}: {found.added} rows were added, {found.removed} removed, {found.changed} changed;"
        f" {found.unchanged} are the same."
    )
    blocks: list[Block] = [Text(words)]
    if found.columns:
        rows: list[list[Value]] = [[name, str(count)] for name, count in found.columns[:_MOST]]
        heads = (Column("Column"), Column("Changed rows", number=True))
        blocks.append(Table("Changed rows by column", heads, rows))
    yield Section("Rows", blocks)


def _unmeasured(diff: DatasetDiff) -> Iterator[Block]:
    if diff.unmeasured:
        names = ", ".join(diff.unmeasured[:_MOST])
        more = len(diff.unmeasured) - _MOST
        yield Text(f"Not measured in both versions: {names}{f' and {more} more' if more > 0 else ''}.")


def _moved(diff: DatasetDiff) -> Iterator[Block]:
    if not diff.moved:
        return
    heads = (
        Column("Column"),
        Column("Shift", number=True),
        Column("Version", whole=True),
        Column("Missing", number=True),
        Column("Mean", number=True),
        Column("Minimum", number=True),
        Column("Median", number=True),
        Column("Maximum", number=True),
        Column("Distribution", whole=True),
    )
    rows = [row for one in diff.moved[:_MOST] for row in _shift(one, diff)]
    more = len(diff.moved) - _MOST
    table = Table("Distributions that moved", heads, rows).without_empty_columns()
    legend = Text(f"A shift (population stability index) under {_LITTLE} is small, over {_MUCH} large.")
    yield Section(
        "Distributions that moved most", [table, legend, *([Text(f"and {more} more")] if more > 0 else [])]
    )


def _shift(one: ColumnShift, diff: DatasetDiff) -> Iterator[list[Value]]:
    pictures = _distributions(one.before, one.after)
    for column, ref, picture in zip(
        (one.before, one.after), (diff.before.ref, diff.after.ref), pictures, strict=True
    ):
        first = column is one.before
        yield [
            one.name if first else "",
            TableCell(f"{one.score:.2f}", bar=min(1.0, one.score)) if first else "",
            ref,
            f"{column.missing:.1%}" if column.nulls else "",
            brief(column.mean),
            limit(column.minimum),
            brief(column.median),
            limit(column.maximum),
            picture,
        ]


def _distributions(before: ColumnProfile, after: ColumnProfile) -> tuple[Value, Value]:
    """Both in bars over the same range; of texts and of few different numbers, the frequent values with shares."""
    counted = before.top and after.top and max(len(before.top), len(after.top)) <= _FEW
    if counted or before.textual or after.textual or not before.edges or not after.edges:
        order = [value for value, _ in before.top]
        return _frequent(before, order), _frequent(after, order)
    before, after = continuous(before), continuous(after)
    low, high = min(before.edges[0], after.edges[0]), max(before.edges[-1], after.edges[-1])
    if low == high:
        return "", ""
    pair = histogram(before, low, high, _BINS), histogram(after, low, high, _BINS)
    tallest = max(max(shares) for shares in pair)
    label = f"distribution of {before.name}"
    first, second = (TableCell(label, chart=tuple(one / tallest for one in shares)) for shares in pair)
    return first, second


def _frequent(column: ColumnProfile, order: Sequence[str]) -> str:
    """The most frequent values with their shares; those of ``order`` first, so that two versions can be compared."""
    count = max(1, column.rows - (column.nulls or 0) - column.infinite)
    top = sorted(column.top[:_FEW], key=lambda one: order.index(one[0]) if one[0] in order else len(order))
    words = ", ".join(
        f"{brief(float(value)) if column.numeric else value}: {number / count:.0%}" for value, number in top
    )
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"


def _files(diff: DatasetDiff) -> Iterator[Block]:
    changes = {"added": diff.files_added, "removed": diff.files_removed, "changed": diff.files_changed}
    if not any(changes.values()):
        return
    lines = [f"{len(files)} {TIMES} {change}" for change, files in changes.items() if files]
    named = [f"{change}: {name}" for change, files in changes.items() for name in files[:_MOST]]
    yield Section("Files", [Text(", ".join(lines)), Items(tuple(named))])
