"""What is wrong with the inputs of a request, and what is done about it."""

from __future__ import annotations

from collections import Counter
from enum import Enum
from typing import Any

from kfnb.server.cells import Unfit
from kfnb.server.columns import MISSING, InputColumn, InputProblem

_SHOWN = 20
"""Problems that an answer lists."""
_NAMED = 5
"""Kinds of problems in a column that a summary counts."""


class OnBadInput(str, Enum):
    """What is done with a bad input: refuse it, take a typical value in its place, or take it as far as possible."""

    REJECT = "reject"
    IMPUTE = "impute"
    LOG = "log"


class BadInput(Exception):
    """Inputs that are refused."""

    def __init__(self, findings: Findings) -> None:
        super().__init__(findings.summary())
        self.findings = findings


class Findings:
    """The bad inputs of a request. ``refused`` is true if there is one that is not taken."""

    def __init__(self, policy: OnBadInput) -> None:
        self.counts: Counter[tuple[InputProblem, str]] = Counter()
        """By problem and column; unknown columns have no name here, as theirs are the client's."""
        self.shown: list[dict[str, Any]] = []
        self.refused = False
        self._policy = policy

    def add(self, column: str, row: int | None, unfit: Unfit, times: int = 1) -> None:
        """Count a bad input; ``row`` is None where it is a whole column."""
        self.counts[unfit.problem, "" if unfit.problem is InputProblem.UNKNOWN else column] += times
        if len(self.shown) < _SHOWN:
            found = {"row": row, "column": column, "kind": unfit.problem.value, "message": unfit.message}
            self.shown.append(found)

    def instead(self, column: InputColumn, unfit: Unfit) -> Any:
        """What is taken in the place of a bad value; None if it is refused."""
        value = {
            OnBadInput.REJECT: MISSING,
            OnBadInput.IMPUTE: unfit.held if column.typical is MISSING else column.typical,
            OnBadInput.LOG: unfit.held,
        }[self._policy]
        if value is MISSING:
            self.refused = True
            return None
        return value

    def check_unknown(self, names: tuple[str, ...], rows: int) -> None:
        """Count columns that the model does not take; other policies than to reject leave them out."""
        for name in names:
            self.add(name, None, Unfit(InputProblem.UNKNOWN, "the model does not take this column"), rows)
            self.refused = self.refused or self._policy is OnBadInput.REJECT

    def kinds(self) -> str:
        """What is wrong, without a value."""
        return ", ".join(f"{problem.value} in {column or 'the rows'}" for problem, column in self.counts)

    def summary(self) -> str:
        """The first problem in words and, if there are others, how many of which kind in which column."""
        first, total = self.shown[0], sum(self.counts.values())
        place = f"column {first['column']}" if first["column"] else "the input"
        place = place if first["row"] is None else f"row {first['row']}, {place}"
        more = f" ({total} problems: {self._counted()})" if total > 1 else ""
        return f"{place}: {first['message']}{more}"

    def _counted(self) -> str:
        """How often which problem is in which column, the most frequent first."""
        rest = len(self.counts) - _NAMED
        words = [
            f"{times} x {problem.value}" + (f" in {column}" if column else "")
            for (problem, column), times in self.counts.most_common(_NAMED)
        ]
        return ", ".join([*words, f"{rest} other kinds"] if rest > 0 else words)
