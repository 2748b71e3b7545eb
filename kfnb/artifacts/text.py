"""The first rows of tables in text formats, and the first lines of other text."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Any

from kfnb.artifacts.binary import MOST_ROWS, ArtifactFile, table
from kfnb.entities import Preview

LONGEST_TEXT = 2000
_PLAIN = ("txt", "text", "md", "log")
_DELIMITERS = ",\t;|"
_SAMPLED_ROWS = 5

Reader = Callable[[str, bool], Preview | None]


def decoded(source: ArtifactFile, named: str) -> str | None:
    """Decode the beginning of a file; None if it is not text. A file ``named`` as text may have another encoding."""
    sure = named in _READERS or named in _PLAIN
    decoder = codecs.getincrementaldecoder("utf-8-sig")("replace" if sure else "strict")
    try:
        text = decoder.decode(source.head, final=source.whole)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def text_head(text: str, named: str, *, whole: bool) -> Preview:
    """The first rows of a table, recognized by the file's name or its content; else the first lines."""
    readers = [_READERS[named]] if named in _READERS else [] if named in _PLAIN else _SNIFFED
    for read in readers:
        found = read(text, whole)
        if found is not None:
            return found
    return _lines(text, whole=whole)


def _lines(text: str, form: str = "text", *, whole: bool) -> Preview:
    shown = text[:LONGEST_TEXT]
    return Preview(text=shown, more=not whole or len(text) > len(shown), facts=(("format", form),))


def _json(text: str, whole: bool) -> Preview | None:
    if not whole or text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        value = json.loads(text)
        written = json.dumps(value, indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list) and value and _are_records(value[:MOST_ROWS]):
        return _records(value, len(value), "json")
    return _lines(written, "json", whole=True)


def _json_lines(text: str, whole: bool) -> Preview | None:
    lines = [line for line in text.split("\n") if line.strip()]
    if not whole:  # the last is cut
        lines.pop()
    try:
        records = [json.loads(line) for line in lines[:MOST_ROWS]]
    except (ValueError, RecursionError):
        return None
    if not records or not _are_records(records):
        return None
    return _records(records, len(lines) if whole else None, "jsonl")


def _are_records(values: Sequence[Any]) -> bool:
    return all(isinstance(value, dict) for value in values)


def _records(records: Sequence[dict[str, Any]], height: int | None, form: str) -> Preview:
    first = records[:MOST_ROWS]
    names = list(dict.fromkeys(name for record in first for name in record))
    return _of(form, table(names, [[record.get(name, "") for name in names] for record in first], height))


def _csv(text: str, whole: bool) -> Preview | None:
    return _delimited(text, _delimiter(text) or ",", whole=whole)


def _tsv(text: str, whole: bool) -> Preview | None:
    return _delimited(text, "\t", whole=whole)


def _sniffed_table(text: str, whole: bool) -> Preview | None:
    delimiter = _delimiter(text)
    return _delimited(text, delimiter, whole=whole) if delimiter else None


def _delimiter(text: str) -> str:
    """The delimiter that splits the first rows into equally many cells, more than one; empty if there is none."""
    for delimiter in _DELIMITERS:
        widths = [len(row) for row in islice(_rows(text, delimiter), _SAMPLED_ROWS)]
        if len(widths) > 1 and len(set(widths)) == 1 and widths[0] > 1:
            return delimiter
    return ""


def _delimited(text: str, delimiter: str, *, whole: bool) -> Preview | None:
    rows = list(_rows(text, delimiter))
    if not whole:  # the last is cut
        rows = rows[:-1]
    if not rows:
        return None
    names, *rest = rows
    found = table(names, [_fitted(row, len(names)) for row in rest[:MOST_ROWS]], len(rest) if whole else None)
    return _of("tsv" if delimiter == "\t" else "csv", found)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """All rows but empty ones, up to the first that cannot be parsed."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    with suppress(csv.Error):
        yield from (row for row in rows if row)


def _fitted(row: Sequence[str], width: int) -> list[str]:
    return [*row[:width], *[""] * (width - len(row))]


def _of(form: str, found: Preview) -> Preview:
    return replace(found, facts=(("format", form), *found.facts))


_READERS: dict[str, Reader] = {
    "csv": _csv,
    "tsv": _tsv,
    "json": _json,
    "jsonl": _json_lines,
    "ndjson": _json_lines,
}
_SNIFFED: tuple[Reader, ...] = (_json, _json_lines, _sniffed_table)
