"""Columns of JSON values become columns of the model's types, with what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any

from kfnb.server.cells import Unfit, cell, integers_of
from kfnb.server.columns import MISSING, Family, InputColumn
from kfnb.server.findings import BadInput, Findings, OnBadInput
from kfnb.server.tables import InputTable

_EXACT: dict[Family, frozenset[type]] = {
    Family.FLOAT: frozenset({int, float}),
    Family.INTEGER: frozenset({int}),
    Family.FLAG: frozenset({bool}),
    Family.TEXT: frozenset({str}),
    Family.CATEGORY: frozenset({str}),
}
"""The types of JSON values that are taken without a conversion."""

_WIDE = {Family.FLOAT: "float64", Family.INTEGER: "int64", Family.FLAG: "bool"}


@dataclass(frozen=True)
class InputRows:
    """Rows that were read: in ``parts`` the values of each part of a reader, and what was not fine with them."""

    count: int
    parts: tuple[Any, ...]
    findings: Findings


class Numbers:
    """Columns of one type of numpy's numbers, which are checked together: a matrix with a row for each column."""

    def __init__(self, columns: Sequence[InputColumn]) -> None:
        import numpy as np

        self.columns = tuple(columns)
        self.dtype = columns[0].dtype
        family = columns[0].family
        self._exact, self._wide = _EXACT[family], _WIDE[family]
        if family is Family.FLOAT:
            widest = float(np.finfo(self.dtype).max)
            limits: tuple[Any, Any] = (-widest, widest)
        else:
            limits = integers_of(columns[0]) if family is Family.INTEGER else (False, True)
        self._low = np.array([[limits[0] if one.low is None else max(one.low, limits[0])] for one in columns])
        self._high = np.array(
            [[limits[1] if one.high is None else min(one.high, limits[1])] for one in columns]
        )
        self._nullable = np.array([[one.nullable and family is Family.FLOAT] for one in columns])
        if self._nullable.all():
            self._exact |= {type(None)}

    def read(self, table: InputTable, findings: Findings) -> Any:
        """The matrix of these columns of a table."""
        import numpy as np

        found = [table.columns.get(one.name) for one in self.columns]
        if None not in found and set(map(type, chain.from_iterable(found))) <= self._exact:  # type: ignore[arg-type]
            matrix = self._matrix(found)
            if matrix is not None and self._fine(matrix):
                return matrix.astype(self.dtype, copy=False)
        filled = [fill(one, table, findings) for one in self.columns]
        return np.zeros((len(filled), table.count)) if findings.refused else np.array(filled, self.dtype)

    def _matrix(self, found: Sequence[Any]) -> Any:
        import numpy as np

        try:
            return np.array(found, self._wide)
        except OverflowError:
            return None

    def _fine(self, matrix: Any) -> bool:
        import numpy as np

        fine = (matrix >= self._low) & (matrix <= self._high)
        return bool(fine.all() or (fine | (self._nullable & np.isnan(matrix))).all())


class Single:
    """A column of any other type: a list of values."""

    def __init__(self, column: InputColumn) -> None:
        self.column = column
        self.columns = (column,)
        self._exact = _EXACT.get(column.family, frozenset()) | ({type(None)} if column.nullable else set())

    def read(self, table: InputTable, findings: Findings) -> Any:
        """The values of this column of a table."""
        found, column = table.columns.get(self.column.name), self.column
        if column.family not in (Family.TEXT, Family.CATEGORY, Family.FLAG) or found is None:
            return fill(column, table, findings)
        if set(map(type, found)) <= self._exact and self._fine(found):
            return list(found)
        return fill(column, table, findings)

    def _fine(self, found: Sequence[Any]) -> bool:
        if self.column.family is Family.FLAG:
            return True
        if self.column.known or self.column.family is Family.CATEGORY:
            return set(found) - {None} <= self.column.known
        try:
            "".join(filter(None, found)).encode()
        except UnicodeEncodeError:
            return False
        return True


Part = Numbers | Single


def fill(column: InputColumn, table: InputTable, findings: Findings) -> list[Any]:
    """The values of a column one by one, and what is taken in the place of bad ones."""
    if column.name not in table.columns and table.count:
        try:
            cell(column, MISSING)
        except Unfit as unfit:
            findings.add(column.name, None, unfit, table.count)
            return [findings.instead(column, unfit)] * table.count
    values = []
    for row, value in enumerate(table.columns.get(column.name, ())):
        try:
            values.append(cell(column, value))
        except Unfit as unfit:
            findings.add(column.name, row, unfit)
            values.append(findings.instead(column, unfit))
    return values


def parts_of(columns: Sequence[InputColumn]) -> tuple[Part, ...]:
    """Columns of numpy's numbers together by their type, and each other one alone."""
    import numpy as np

    def kind(column: InputColumn) -> str:
        together = isinstance(column.dtype, np.dtype) and column.family in _WIDE
        return column.dtype.str if together else ""

    by_kind = {one: list(some) for one, some in groupby(sorted(columns, key=kind), key=kind)}
    single = [Single(column) for column in by_kind.pop("", [])]
    return (*(Numbers(some) for some in by_kind.values()), *single)


def read_table(parts: Sequence[Part], table: InputTable, policy: OnBadInput) -> InputRows:
    """The rows of a table. Raises ``BadInput`` for values that the policy does not take."""
    findings = Findings(policy)
    findings.check_unknown(table.unknown, table.count)
    values = tuple(part.read(table, findings) for part in parts)
    if findings.refused:
        raise BadInput(findings)
    return InputRows(table.count, values, findings)
