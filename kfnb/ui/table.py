"""Tables: HTML with scoped headers, text with aligned columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from kfnb.ui import theme
from kfnb.ui.markup import Element, Node, el
from kfnb.ui.sparkline import sparkline, text_sparkline
from kfnb.ui.states import StateStyle
from kfnb.ui.words import cut, one_line, width

TEXT_WIDTH = 100
NARROW, NARROWEST = 20, 8
WIDEST, WIDEST_HEADER = 64, 48
GAP = "  "


@dataclass(frozen=True)
class TableCell:
    """A cell that is more than its words: with a state's icon, indented, as code, shaded, or with a bar (0 to 1).

    ``hint`` shows on hover. ``link`` is a page that the text leads to; any that is not of the web is left out.
    ``chart`` is drawn in place of the text, a bar for each share from 0 to 1; the text then is its label.
    """

    text: str
    state_style: StateStyle | None = None
    indent: int = 0
    code: bool = False
    shade: float = 0.0
    bar: float | None = None
    hint: str = ""
    link: str = ""
    chart: tuple[float, ...] = ()

    def words(self) -> str:
        """The cell as one line of text."""
        icon = f"{self.state_style.icon} " if self.state_style else ""
        shown = text_sparkline(self.chart) if self.chart else one_line(self.text)
        return "  " * self.indent + icon + shown


Value: TypeAlias = "TableCell | str"


@dataclass(frozen=True)
class Column:
    """``number`` aligns to the right; neither numbers nor what is ``whole`` is broken or cut.

    A column that is ``aside`` is in HTML only: text has no room for it.
    """

    name: str
    number: bool = False
    whole: bool = False
    aside: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under columns; a row's first cell is its header. ``label`` names the table for screen readers."""

    label: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Value]]

    def without_empty_columns(self) -> Table:
        """This table without the columns in which no row says anything."""
        return self._with(
            [index for index in range(len(self.columns)) if any(_words(row[index]) for row in self.rows)]
        )

    def _with(self, indices: Sequence[int]) -> Table:
        columns = tuple(self.columns[index] for index in indices)
        return replace(self, columns=columns, rows=[[row[index] for index in indices] for row in self.rows])

    def to_html(self) -> Element:
        """The table, in a box that scrolls if it is wide."""
        head = el("tr", *(self._header(column) for column in self.columns), style="background:none")
        style = "border-collapse:collapse;table-layout:auto;margin:0;border:0;font-size:13px;width:auto"
        table = el(
            "table",
            el("thead", head, style="border:0"),
            el("tbody", *(self._row(row) for row in self.rows)),
            aria_label=one_line(self.label),
            style=style,
        )
        return el("div", table, style="overflow-x:auto;margin:0 0 12px")

    def _header(self, column: Column) -> Element:
        style = f"{_box(column)};font-weight:600;color:{theme.SOFT};border-bottom:1px solid {theme.LINE}"
        return el("th", column.name, scope="col", style=style)

    def _row(self, row: Sequence[Value]) -> Element:
        cells = (
            _cell(value, column, header=not index)
            for index, (value, column) in enumerate(zip(row, self.columns, strict=True))
        )
        return el("tr", *cells, style="background:none")

    def to_text(self) -> str:
        """The table in aligned columns, 100 in all where that can be."""
        indices = [index for index, column in enumerate(self.columns) if not column.aside]
        if len(indices) < len(self.columns):
            return self._with(indices).to_text()
        rows = [
            [one_line(column.name) for column in self.columns],
            *([_words(value) for value in row] for row in self.rows),
        ]
        widths = self._widths(rows)
        lines = [self._line(row, widths) for row in rows]
        return "\n".join([lines[0], GAP.join("─" * columns for columns in widths), *lines[1:]])

    def _widths(self, rows: Sequence[Sequence[str]]) -> list[int]:
        """As wide as what is in them; where that is too much, the widest give way first, the rows' headers last."""
        widths = [max(width(text) for text in texts) for texts in zip(*rows, strict=True)]
        yielding = [index for index, column in enumerate(self.columns) if not (column.whole or column.number)]
        for some, narrowest in (yielding[1:], NARROW), (yielding, NARROWEST):
            _narrow(widths, some, narrowest)
        return widths

    def _line(self, row: Sequence[str], widths: Sequence[int]) -> str:
        cells = (
            _pad(cut(text, columns), columns, right=column.number)
            for text, columns, column in zip(row, widths, self.columns, strict=True)
        )
        return GAP.join(cells).rstrip()


def _narrow(widths: list[int], yielding: Sequence[int], narrowest: int) -> None:
    """Take from the widest of some columns, in place, until all fit or none may give more."""
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - TEXT_WIDTH
    while excess > 0 and yielding:
        widest = max(yielding, key=widths.__getitem__)
        if widths[widest] <= narrowest:
            break
        widths[widest] -= 1
        excess -= 1


def _words(value: Value) -> str:
    return value.words() if isinstance(value, TableCell) else one_line(value)


def _pad(text: str, columns: int, *, right: bool) -> str:
    space = " " * (columns - width(text))
    return space + text if right else text + space


def _cell(value: Value, column: Column, *, header: bool) -> Element:
    cell = value if isinstance(value, TableCell) else TableCell(value)
    icon = (
        el("span", cell.state_style.icon, style=f"color:{cell.state_style.colour};font-weight:700")
        if cell.state_style
        else None
    )
    space = " " if cell.state_style else None
    text: Node = sparkline(cell.chart, cell.text) if cell.chart else cell.text
    if cell.code:
        style = f"font-family:{theme.MONO};background:none;padding:0;white-space:inherit"
        text = el("code", text, style=style)
    if re.match("https?://", cell.link):
        text = el("a", text, href=cell.link, target="_blank", rel="noopener noreferrer")
    # no-break spaces stay where styles are dropped
    indent = "\N{NO-BREAK SPACE}" * (4 * cell.indent) or None
    style = _box(column, cell, header=header) + (";font-weight:400" if header else "")
    hint = cell.hint or None
    if header:
        return el("th", indent, icon, space, text, scope="row", title=hint, style=style)
    return el("td", indent, icon, space, text, title=hint, style=style)


def _box(column: Column, cell: TableCell | None = None, *, header: bool = False) -> str:
    style = "padding:3px 20px 3px 0;border:0;vertical-align:top;line-height:1.45"
    style += ";text-align:right;font-variant-numeric:tabular-nums" if column.number else ";text-align:left"
    short_header = header and cell is not None and width(cell.text) <= WIDEST_HEADER
    if column.number or column.whole or short_header or (cell and cell.state_style):
        style += ";white-space:nowrap"
    else:  # words stay whole; only what is longer than the widest column breaks
        style += f";white-space:normal;overflow-wrap:break-word;max-width:{WIDEST}ch"
    if cell and cell.shade:
        style += f";background:rgba(47,129,247,{cell.shade * 0.55:.2f})"
    if cell and cell.bar is not None:
        share = 100 * min(1.0, max(0.0, cell.bar))
        filled = f"rgba(47,129,247,.28) {share:.1f}%,{theme.SHADE} 0"
        style += f";min-width:120px;background:linear-gradient(90deg,{filled}) content-box"
    return style
