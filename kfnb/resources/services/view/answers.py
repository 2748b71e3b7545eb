"""``draw_predictions`` and ``draw_explanations``: what a service answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kfnb.resources.services.answers import RowExplanation
from kfnb.ui.blocks import Block, Section, Text, bundle
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import digits

_MOST_ROWS, _MOST_EXPLAINED, _MOST_OUTPUTS, _MOST_COLUMNS = 20, 10, 5, 12


def draw_predictions(values: Sequence[Any], versions: Sequence[str]) -> dict[str, str]:
    """Predictions as a mimebundle, a row each."""
    rows: list[list[Value]] = [[str(at), _shown(one)] for at, one in enumerate(values[:_MOST_ROWS])]
    table = Table("Predictions", (Column("Row", number=True), Column("Prediction", whole=True)), rows)
    rest = len(values) - _MOST_ROWS
    more = [Text(f"{rest:,} more rows.")] if rest > 0 else []
    by = [Text(f"Answered by version {', '.join(versions)}.")] if any(versions) else []
    return bundle("Predictions", [table, *more, *by])


def draw_explanations(explained: Sequence[RowExplanation]) -> dict[str, str]:
    """Explanations as a mimebundle: for each row, the columns that moved its prediction most."""
    blocks: list[Block] = [_section(at, one) for at, one in enumerate(explained[:_MOST_EXPLAINED])]
    rest = len(explained) - _MOST_EXPLAINED
    if rest > 0:
        blocks.append(Text(f"{rest:,} more rows; to_frame() has all."))
    return bundle("Explanations", blocks or [Text("No rows.")])


def _section(at: int, one: RowExplanation) -> Block:
    heading = f"Row {at}: {_shown(one.prediction)}"
    blocks = [block for place in one.predicted[:_MOST_OUTPUTS] for block in _output(heading, one, place)]
    rest = len(one.predicted) - _MOST_OUTPUTS
    return Section(
        heading, [*blocks, *([Text(f"{rest:,} more outputs; to_frame() has all.")] if rest > 0 else [])]
    )


def _output(heading: str, one: RowExplanation, place: int) -> Iterator[Block]:
    """What moved one output."""
    yield Text(
        f"{one.outputs[place]}: {digits(one.value[place], 4)}, on average {digits(one.base[place], 4)}"
    )
    yield _table(heading, one.strongest(place), "Column")
    if one.sentences is not None:
        shares = zip(one.sentences.texts, one.sentences.contributions[place], strict=True)
        yield _table(heading, sorted(shares, key=lambda pair: -abs(pair[1])), "Sentence")


def _table(label: str, shares: Sequence[tuple[str, float]], what: str) -> Block:
    largest = max((abs(share) for _, share in shares), default=0.0) or 1.0
    rows: list[list[Value]] = [
        [name, TableCell(f"{share:+.4g}", bar=abs(share) / largest)] for name, share in shares[:_MOST_COLUMNS]
    ]
    return Table(label, (Column(what), Column("Contribution", number=True)), rows)


def _shown(value: Any) -> str:
    return digits(value, 6) if isinstance(value, float) else str(value)
