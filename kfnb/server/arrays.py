"""Rows of a model that takes an array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kfnb.server.cells import Unfit
from kfnb.server.columns import Column, Problem
from kfnb.server.findings import BadInput, Findings, OnBadInput
from kfnb.server.reading import Rows

_FITS = {"f": "biuf", "i": "iu", "u": "iu", "b": "b", "U": "U"}
"""The kinds of arrays that JSON values make, by the kind of the model's array."""


class Arrays:
    """Reads rows of the shape and type of an array, ``shape`` without the rows; None where they are not known."""

    def __init__(self, column: Column, shape: tuple[int, ...] | None) -> None:
        self._column, self._shape, self._dtype = column, shape, column.dtype

    def read(self, rows: Sequence[Any], policy: OnBadInput) -> Rows:
        """Rows as nested lists. Raises ``BadInput``."""
        import numpy as np

        findings = Findings(policy)
        try:
            found = np.array(rows)
            found = np.array(rows, "float64") if found.dtype.kind == "O" else found  # null is NaN
        except (TypeError, ValueError, OverflowError):
            self._refuse(findings, rows)
        if not len(rows) and self._shape is not None:
            found = np.empty((0, *self._shape))
        self._check(found, findings)
        if findings.refused:
            raise BadInput(findings)
        return Rows(
            len(found), (found if self._dtype is None else found.astype(self._dtype, copy=False),), findings
        )

    def join(self, batch: Sequence[Rows]) -> Any:
        """The rows of several requests, in their order."""
        import numpy as np

        return batch[0].parts[0] if len(batch) == 1 else np.concatenate([rows.parts[0] for rows in batch])

    def _check(self, found: Any, findings: Findings) -> None:
        import numpy as np

        if self._shape is not None and found.shape[1:] != self._shape:
            shape = f"each row has the shape {list(found.shape[1:])}, and the model takes {list(self._shape)}"
            self._add(findings, None, Unfit(Problem.MISSING, shape))
            return
        kind = self._dtype.kind if self._dtype is not None else "f"
        whole = kind in "iu" and found.dtype.kind == "f" and bool((found == np.trunc(found)).all())
        if found.size and not whole and found.dtype.kind not in _FITS.get(kind, found.dtype.kind):
            self._add(findings, None, Unfit(Problem.TYPE, f"the values are not of the type {self._dtype}"))
            return
        if found.dtype.kind == "f":
            for row in np.unique(np.nonzero(np.isnan(found))[0]):
                missing = Unfit(Problem.NULL, "null, where training had no missing values", None)
                self._add(findings, int(row), missing)
            for row in np.unique(np.nonzero(np.isinf(found))[0]):
                self._add(findings, int(row), Unfit(Problem.RANGE, "a number is not finite"))

    def _add(self, findings: Findings, row: int | None, unfit: Unfit) -> None:
        findings.add(self._column.name, row, unfit)
        findings.instead(self._column, unfit)

    def _refuse(self, findings: Findings, rows: Sequence[Any]) -> None:
        """Say which row cannot be read."""
        import numpy as np

        for number, row in enumerate(rows):
            try:
                found = np.array(row, "float64")
            except (TypeError, ValueError, OverflowError):
                self._add(findings, number, Unfit(Problem.TYPE, "the row holds something else than numbers"))
            else:
                if self._shape is not None and found.shape != self._shape:
                    self._add(
                        findings, number, Unfit(Problem.MISSING, f"the row has the shape {list(found.shape)}")
                    )
        if not findings.shown:
            self._add(findings, None, Unfit(Problem.TYPE, "the rows have different shapes"))
        raise BadInput(findings)
