"""``draw_versions``, ``draw_version``, ``draw_verification``: versions of data sets as HTML and text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kfnb.entities.profile import ColumnProfile
from kfnb.resources.datasets.index_names import with_index_names
from kfnb.resources.datasets.model import DatasetSnapshot, FileEntry, Verification
from kfnb.ui.blocks import Block, Folded, Section, Text, Title, bundle
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import TIMES, brief, file_size, moment

_MOST_COLUMNS, _MOST_FILES = 200, 50
_DATA_SETS = (
    Column("Data set"),
    Column("Version", number=True),
    Column("Content"),
    Column("Size", number=True),
    Column("Added", whole=True),
    Column("By"),
    Column("Description"),
)
_COLUMNS = (
    Column("Column"),
    Column("Type", whole=True),
    Column("Missing", number=True),
    Column("Infinite", number=True),
    Column("Distinct", number=True),
    Column("Minimum", number=True),
    Column("Median", number=True),
    Column("Maximum", number=True),
    Column("Most frequent"),
)


def draw_versions(listed: Sequence[DatasetSnapshot], damaged: Sequence[str] = ()) -> dict[str, str]:
    """Versions as a mimebundle: a row each, in the order given; then the ``damaged`` ones by their names."""
    notes = [Text(f"The records of {', '.join(damaged)} cannot be read; kfnb data check names them.")] * bool(
        damaged
    )
    if not listed and not damaged:
        return bundle("Data sets", [Text("No data sets yet. %kf_data add NAME VALUE adds one.")])
    rows: list[list[Value]] = [
        [
            one.name,
            str(one.version),
            contents(one),
            file_size(one.size),
            moment(one.created),
            one.owner,
            one.description,
        ]
        for one in listed
    ]
    tables = [Table("Data sets", _DATA_SETS, rows).without_empty_columns()] if rows else []
    return bundle("Data sets", [*tables, *notes])


def draw_version(one: DatasetSnapshot) -> dict[str, str]:
    """A version as a mimebundle: where it is from, its columns and its files."""
    facts = (f"added {moment(one.created)} by {one.owner}", _source(one), f"digest {one.identity[:12]}")
    kept = ", by reference" if one.by_reference else ""
    blocks: list[Block] = [Title(one.ref, aside=f"{contents(one)}, {file_size(one.size)}{kept}", facts=facts)]
    if one.description:
        blocks.append(Text(one.description))
    blocks += [*_columns(one), *_files(one)]
    return bundle(f"Data set {one.ref}", blocks)


def draw_verification(found: Verification) -> dict[str, str]:
    """What a verification found, as a mimebundle."""
    count = "1 version" if found.versions == 1 else f"{found.versions} versions"
    if not found.damages:
        return bundle(
            "Check of data", [Text(f"{count}, {file_size(found.size)}: every byte is as it was added.")]
        )
    rows: list[list[Value]] = [
        [one.ref, one.path, one.problem, ", ".join(one.models)] for one in found.damages
    ]
    columns = (Column("Version"), Column("File"), Column("Problem"), Column("Models made of it"))
    table = Table("Damaged files", columns, rows).without_empty_columns()
    title = Text(f"{count}, {file_size(found.size)}: {len(rows)} damaged.")
    return bundle("Check of data", [title, table, *([Text(found.note)] if found.note else [])])


def contents(one: DatasetSnapshot) -> str:
    """``frame 569 x 31 (pandas)``, with a real sign of multiplication; ``folder, 12 files``; ``file``."""
    if one.kind == "folder":
        return f"folder, {len(one.files)} file{'s' * (len(one.files) != 1)}"
    if one.kind == "frames":
        return f"{len(one.files)} frames or arrays"
    shape = "" if one.rows is None else f" {one.rows} {TIMES} {len(one.columns)}"
    if one.kind == "array":
        kind = one.columns[0].type if one.columns else ""
        return f"array {kind}".rstrip()
    return f"{one.kind}{shape}{f' ({one.library})' if one.library else ''}"


def _source(one: DatasetSnapshot) -> str:
    named = one.source.get("path") or one.source.get("name", "")
    cell = one.source.get("cell", "")
    return " ".join(filter(None, (f"from {named}" if named else "", f"in cell {cell}" if cell else "")))


def _columns(one: DatasetSnapshot) -> Iterator[Block]:
    if not one.columns:
        return
    named = with_index_names(one.columns[:_MOST_COLUMNS], {column.name for column in one.columns})
    rows = [_column(column) for column in named]
    table = Table(f"Columns of {one.ref}", _COLUMNS, rows).without_empty_columns()
    more = len(one.columns) - len(rows)
    yield Section("Columns", [table, *([Text(f"and {more} more columns")] if more else [])])


def _column(column: ColumnProfile) -> list[Value]:
    missing = (
        TableCell(f"{column.missing:.1%}", hint=f"{column.nulls} of {column.rows}") if column.nulls else ""
    )
    return [
        column.name,
        TableCell(short_type(column.type), code=True, hint=column.type),
        missing,
        str(column.infinite or ""),
        "" if column.distinct is None else str(column.distinct),
        limit(column.minimum),
        brief(column.median),
        limit(column.maximum),
        _frequent(column),
    ]


def _frequent(column: ColumnProfile) -> str:
    """The most frequent values; nothing where each value is there once."""
    if all(count == 1 for _, count in column.top):
        return ""
    values = ((brief(float(value)) if column.numeric else value, count) for value, count in column.top[:3])
    return ", ".join(f"{value} {TIMES} {count}" for value, count in values)


def short_type(kind: str) -> str:
    """``category`` for Arrow's dictionary types, ``string`` for all that hold texts; other types by their names."""
    if kind.startswith("dictionary<"):
        return "category"
    return "string" if kind in ("large_string", "string_view") else kind


def limit(value: float | str | None) -> str:
    """A minimum or maximum; of a time, without the part that is zero."""
    if isinstance(value, str):
        return re.sub(r"( 00:00:00)?(\.0+)?(?=(Z|[+-]\d\d:?\d\d)?$)", "", value, count=1)
    return brief(value)


def _digest(file: FileEntry) -> str:
    return file.sha256 or f"{file.uri} {file.tag} {file.version}".rstrip()


def _files(one: DatasetSnapshot) -> Iterator[Block]:
    rows: list[list[Value]] = [
        [
            file.path,
            file_size(file.size),
            TableCell((file.sha256 or file.tag)[:12], code=True, hint=_digest(file)),
        ]
        for file in one.files[:_MOST_FILES]
    ]
    more = len(one.files) - len(rows)
    table = Table(
        f"Files of {one.ref}", (Column("File"), Column("Size", number=True), Column("Digest")), rows
    )
    blocks: list[Block] = [table, *([Text(f"and {more} more files")] if more else [])]
    yield Folded("Files", blocks, quiet=True, text_form="" if one.kind == "folder" else " ")
