"""Rows of a model that takes an array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from kfnb.server.cells import Unfit
from kfnb.server.column_reader import InputRows
from kfnb.server.columns import InputColumn, InputProblem
from kfnb.server.findings import BadInput, Findings, OnBadInput

_NUMBERS = frozenset({int, float, type(None)})
_FITTING = {"f": _NUMBERS, "i": _NUMBERS, "u": _NUMBERS, "b": frozenset({bool}), "U": frozenset({str})}
"""The types of JSON values that fit an array, by its kind; others take any."""


class Arrays:
    """Reads rows of the shape and type of an array, ``shape`` without the rows; None where they are not known."""

    def __init__(self, column: InputColumn, shape: tuple[int, ...] | None) -> None:
        self._column, self._shape, self._dtype = column, shape, column.dtype
        self._kind = "f" if column.dtype is None else column.dtype.kind

    def read(self, rows: Sequence[Any], policy: OnBadInput) -> InputRows:
        """Rows as nested lists. Raises ``BadInput``."""
        findings = Findings(policy)
        array = self._array(rows, findings)
        if findings.refused:
            raise BadInput(findings)
        return InputRows(len(rows), (array,), findings)

    def join(self, batch: Sequence[InputRows]) -> Any:
        """The rows of several requests, in their order."""
        import numpy as np

        return batch[0].parts[0] if len(batch) == 1 else np.concatenate([rows.parts[0] for rows in batch])

    def _array(self, rows: Sequence[Any], findings: Findings) -> Any:
        import numpy as np

        if not rows:
            return np.empty((0, *(self._shape or ())), self._dtype)
        fitting, given = _FITTING.get(self._kind), leaf_types(rows)
        if fitting is not None and not given <= fitting:
            wrong = Unfit(InputProblem.TYPE, f"the row holds something else than {_NAMES[self._kind]}")
            return self._find(rows, findings, wrong, lambda row: not leaf_types([row]) <= fitting)
        try:
            found = self._exact(rows) if given == {int} and self._kind in "iu" else self._wide(rows)
        except OverflowError:
            return self._find(rows, findings, _not_finite(), _overflows)
        except (TypeError, ValueError):
            message = "the row has not the shape that the model takes"
            return self._find(rows, findings, Unfit(InputProblem.MISSING, message), self._has_other_shape)
        if self._shape is not None and found.shape[1:] != self._shape:
            message = (
                f"each row has the shape {list(found.shape[1:])}, and the model takes {list(self._shape)}"
            )
            return self._add(findings, None, Unfit(InputProblem.MISSING, message))
        return self._checked(found, findings) if self._kind in "fiu" else found

    def _exact(self, rows: Sequence[Any]) -> Any:
        """Integers as they are, as floats have no odd ones above 2**53; as floats if they are beyond all types."""
        import numpy as np

        try:
            return np.array(rows, "int64" if self._kind == "i" else "uint64")
        except OverflowError:
            return self._wide(rows)

    def _wide(self, rows: Sequence[Any]) -> Any:
        import numpy as np

        return np.array(rows, "float64" if self._kind in "fiu" else self._dtype)

    def _checked(self, found: Any, findings: Findings) -> Any:
        """Numbers in the array's own type."""
        import numpy as np

        missing = np.isnan(found)
        held = None if self._kind == "f" else Unfit(InputProblem.NULL, "").held
        self._rows_with(
            missing, findings, Unfit(InputProblem.NULL, "null, where training had no missing values", held)
        )
        if self._dtype is None:
            self._rows_with(np.isinf(found), findings, _not_finite())
            return found
        least, most = self._limits(exact=found.dtype.kind in "iu")
        beyond = ~missing & ((found < least) | (found > most))
        self._rows_with(beyond, findings, Unfit(InputProblem.RANGE, f"a number is not one of {self._dtype}"))
        if self._kind in "iu":
            broken = ~missing & (found != np.trunc(found))
            self._rows_with(broken, findings, Unfit(InputProblem.TYPE, "a number is not an integer"))
        return found if findings.refused else found.astype(self._dtype, copy=False)

    def _limits(self, *, exact: bool) -> tuple[Any, Any]:
        """The least and the largest number of the array's type: as integers, else as floats."""
        import numpy as np

        limits = np.finfo(self._dtype) if self._kind == "f" else np.iinfo(self._dtype)
        if exact:
            return limits.min, limits.max
        most = float(limits.max)
        # float() rounds the largest integer of 64 bits up, to a number that is too large
        return float(limits.min), most if self._kind == "f" else np.nextafter(most + 1, 0)

    def _rows_with(self, where: Any, findings: Findings, unfit: Unfit) -> None:
        if where.any():
            rows = where.reshape(len(where), -1).any(axis=1)
            for row in rows.nonzero()[0].tolist():
                self._add(findings, row, unfit)

    def _find(
        self, rows: Sequence[Any], findings: Findings, unfit: Unfit, is_wrong: Callable[[Any], bool]
    ) -> None:
        """Say which rows are wrong; all of them together, if none is by itself."""
        for number, row in enumerate(rows):
            if is_wrong(row):
                self._add(findings, number, unfit)
        if not findings.shown:
            self._add(findings, None, unfit)

    def _has_other_shape(self, row: Any) -> bool:
        import numpy as np

        try:
            return self._shape is not None and np.array(row).shape != self._shape
        except ValueError:
            return True

    def _add(self, findings: Findings, row: int | None, unfit: Unfit) -> None:
        findings.add(self._column.name, row, unfit)
        findings.instead(self._column, unfit)


_NAMES = {"f": "numbers", "i": "integers", "u": "integers", "b": "true and false", "U": "texts"}


def leaf_types(rows: Sequence[Any]) -> set[type]:
    """The types of the values in nested lists."""
    kinds, level = set[type](), list(rows)
    while level:
        kinds |= set(map(type, level)) - {list}
        level = list(chain.from_iterable(one for one in level if type(one) is list))
    return kinds


def _not_finite() -> Unfit:
    return Unfit(InputProblem.RANGE, "a number is not finite")


def _overflows(row: Any) -> bool:
    import numpy as np

    try:
        np.array(row, "float64")
    except OverflowError:
        return True
    return False
