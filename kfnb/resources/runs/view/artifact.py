"""One artifact: its type, its place, and the beginning of its content."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kfnb.entities import Artifact, Preview
from kfnb.ui import theme
from kfnb.ui.blocks import Block, CodeBlock, Folded, filled, headed, texts
from kfnb.ui.markup import Element, el
from kfnb.ui.table import TEXT_WIDTH, Column, Table, Value
from kfnb.ui.words import file_size, kind, one_line, short, type_name, width

BETWEEN = " · "


@dataclass(frozen=True)
class Small:
    """A line in small print; ``code`` for an address."""

    text: str
    code: bool = False

    def to_html(self) -> Element:
        """The line, which breaks anywhere."""
        style = f"color:{theme.SOFT};font-size:12px;margin:0 0 8px;overflow-wrap:anywhere"
        return el("div", self.text, style=style + f";font-family:{theme.MONO}" * self.code)

    def to_text(self) -> str:
        """The line."""
        return one_line(self.text) if self.code else filled(self.text)


@dataclass(frozen=True)
class Card:
    """A name, a short description, and blocks."""

    name: str
    facts: str
    blocks: Sequence[Block]

    def to_html(self) -> Element:
        """The name and the description in one line, over the blocks."""
        style = "margin:0 0 2px;overflow-wrap:anywhere"
        return headed(self.blocks, self.name, BETWEEN + self.facts, level=5, style=style)

    def to_text(self) -> str:
        """The same, line by line."""
        return "\n".join([filled(self.name + BETWEEN + self.facts), *texts(self.blocks)])


@dataclass(frozen=True)
class ArtifactPart:
    """Blocks, possibly with their own headings, under a larger heading."""

    heading: str
    blocks: Sequence[Block]

    def to_html(self) -> Element:
        """The heading, the line and the blocks."""
        line = f"font-size:14px;border-bottom:1px solid {theme.LINE};padding:0 0 3px;margin:4px 0 10px"
        return headed(self.blocks, self.heading, style=line)

    def to_text(self) -> str:
        """The heading and the blocks, which are set apart."""
        return "\n".join([self.heading, "\n\n".join(texts(self.blocks))])


def artifact_card(name: str, artifact: Artifact, preview: Preview | None, *, folded: bool = False) -> Block:
    """An artifact with its preview, if there is one; ``folded`` if few users want to see it."""
    # do not break lines within a fact
    facts = BETWEEN.join(fact.replace(" ", "\N{NO-BREAK SPACE}") for fact in _facts(artifact, preview))
    inside = list(preview_blocks(name, preview)) if preview else []
    named = preview is not None and artifact.uri in preview.note
    blocks = inside if named else [Small(artifact.uri, code=True), *inside]
    if folded and inside:
        heading = f"{name}{BETWEEN}{facts}"
        return Folded(heading, blocks, quiet=True, text_form=f"{heading}{BETWEEN}{artifact.uri}")
    return Card(name, facts, blocks)


def _facts(artifact: Artifact, preview: Preview | None) -> Iterator[str]:
    """``Dataset``, ``parquet``, ``569 x 31``, ``12.3 kB``: what is known."""
    if preview is None:
        form = artifact.metadata.get("format")
        yield kind(artifact)
        yield from [short(form, 24)] if isinstance(form, str) and form else []
        return
    yield type_name(artifact.type)
    yield from (fact for _, fact in preview.facts)
    if preview.size is not None:
        yield file_size(preview.size)


def preview_blocks(label: str, preview: Preview) -> Iterator[Block]:
    """The beginning of a table, a folder or a text; and a note, if any."""
    if preview.columns:
        yield _rows(label, preview)
        yield from _left_out(preview)
    if preview.files:
        rows = [[name, "" if size is None else file_size(size)] for name, size in preview.files]
        yield Table(f"Files of {label}", (Column("File"), Column("Size", number=True)), rows)
        yield from [Small(f"The first {len(rows)} files")] if preview.more else []
    if preview.text:
        yield CodeBlock(preview.text + "…" * preview.more, value=True)
    if preview.note:
        yield Small(preview.note[0].upper() + preview.note[1:])


def _rows(label: str, preview: Preview) -> Table:
    """As a table; in text with as many columns as a line holds."""
    columns: list[Column] = []
    room = TEXT_WIDTH
    for name, *cells in zip(preview.columns, *preview.rows, strict=True):
        room -= max(map(width, (name, *cells))) + 2
        columns.append(Column(name, number=_are_numbers(cells), whole=True, aside=bool(columns) and room < 0))
    rows: list[list[Value]] = [list(row) for row in preview.rows]
    return Table(f"First rows of {label}", tuple(columns), rows)


def _are_numbers(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell and cell != "None"]
    return bool(filled) and all(map(_is_number, filled))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _left_out(preview: Preview) -> Iterator[Small]:
    parts = []
    if not preview.rows and not preview.note:
        parts.append("no rows")
    elif preview.rows and preview.more:
        parts.append("the first row" if len(preview.rows) == 1 else f"the first {len(preview.rows)} rows")
    if preview.hidden:
        parts.append(f"{len(preview.columns)} of {len(preview.columns) + preview.hidden} columns")
    if parts:
        text = ", ".join(parts)
        yield Small(text[0].upper() + text[1:])
