"""Whether a model answers alike however its rows come: what is checked before it has requests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kfnb.capture.embedded.row_by_row import kfnb_cause, kfnb_own_rows
from kfnb.server.differences import TOLERANCE, Difference, alike, differences
from kfnb.server.encoding import json_rows
from kfnb.server.packages import installed_packages
from kfnb.server.parity_requests import request_checks
from kfnb.server.predictor import ModelFailed, listed
from kfnb.server.served import Served

_SECONDS = 30.0
"""How long rows are transformed and predicted one by one."""

_NO_EXAMPLE = "the model has no example rows, so that little can be checked: save it with example="
_NAMES_ALONE = (
    "the model has no example rows, and its columns are known by name alone: no types, nulls, categories and ranges"
    " are checked; save it with example="
)


@dataclass(frozen=True)
class ParityCheck:
    """One thing that was checked; ``message`` says why it failed, or why it was left out."""

    name: str
    passed: bool = True
    message: str = ""
    differences: Sequence[Difference] = field(default=())
    cause: str = ""

    def as_json(self) -> dict[str, Any]:
        """Its fields."""
        return {
            "name": self.name,
            "passed": self.passed,
            "message": self.message,
            "differences": [one.as_json() for one in self.differences],
            "cause": self.cause,
        }


def check(served: Served) -> dict[str, Any]:
    """The report: ``passed``, ``checks``, ``packages`` in the versions that are installed, and ``replay``.

    That says how the sample's predictions compare with those recorded.
    """
    began = time.monotonic()
    rows = served.folder.rows
    if rows is None or not len(rows):
        checks = [ParityCheck("example", message=_unknown(served))]
        replay = None
    else:
        replay = _replay(served)
        checks = [*_transform_checks(served, rows), *_prediction_checks(served, rows), _replay_check(replay)]
        if all(one.passed for one in checks):
            checks += [
                ParityCheck(name, passed, message)
                for name, passed, message in request_checks(served.folder, served.compute)
            ]
    return {
        "passed": all(one.passed for one in checks),
        "name": served.name,
        "version": served.version,
        "rows": 0 if rows is None else len(rows),
        "seconds": round(time.monotonic() - began, 3),
        "checks": [one.as_json() for one in checks],
        "replay": replay,
        "packages": installed_packages(served.folder.path),
    }


def _unknown(served: Served) -> str:
    """What is not checked without example rows."""
    typed = any(column.type for column in served.inputs.columns)
    return _NAMES_ALONE if served.inputs.named and not typed else _NO_EXAMPLE


def taken(rows: Any, places: Sequence[int]) -> Any:
    """The rows at places, apart from the others."""
    if isinstance(rows, list):
        return [rows[place] for place in places]
    return rows.iloc[list(places)].reset_index(drop=True) if hasattr(rows, "iloc") else rows[list(places)]


# -- the transform


def _transform_checks(served: Served, rows: Any) -> Iterator[ParityCheck]:
    """Whether the transform makes of a row what it makes of it among others, in any order, again and again."""
    transform = served.folder.transform
    if transform is None:
        return
    count = len(rows)
    try:
        whole = transform.transform(kfnb_own_rows(rows, 0, count))
    except Exception as error:
        yield ParityCheck(
            "transform", passed=False, message=f"the transform raises {type(error).__name__}: {error}"
        )
        return
    made = len(whole)
    if made != count:
        yield ParityCheck("transform", passed=False, message=f"the transform makes {made} rows of {count}")
        return

    def compared(name: str, places: Sequence[int], make: Callable[[], Any]) -> ParityCheck:
        try:
            found = differences(taken(whole, places), make(), places)
        except Exception as error:
            message = f"the transform raises {type(error).__name__}: {error}"
            return ParityCheck(name, passed=False, message=message, cause=_cause(transform, ""))
        cause = _cause(transform, str(found[0].column)) if found else ""
        return ParityCheck(name, not found, str(found[0]) if found else "", found, cause)

    def alone(place: int) -> ParityCheck:
        own = partial(kfnb_own_rows, rows, place, place + 1)
        return compared("transform row by row", [place], lambda: transform.transform(own()))

    yield _first_failed("transform row by row", [partial(alone, place) for place in range(count)])
    order = list(range(count))[::-1]
    yield compared("transform in another order", order, lambda: transform.transform(taken(rows, order)))
    yield compared(
        "transform again", range(count), lambda: transform.transform(kfnb_own_rows(rows, 0, count))
    )
    yield _empty(transform, rows, whole)


def _cause(transform: Any, column: str) -> str:
    return str(kfnb_cause(transform.code, f"{column} of row")).removeprefix(". The likely cause: ")


def _first_failed(name: str, attempts: Sequence[Callable[[], ParityCheck]]) -> ParityCheck:
    """The first failed check of several, for a while; that all passed otherwise."""
    until = time.monotonic() + _SECONDS
    for attempt in attempts:
        found = attempt()
        if not found.passed or time.monotonic() > until:
            return found
    return ParityCheck(name)


def _empty(transform: Any, rows: Any, whole: Any) -> ParityCheck:
    """A transform may refuse an empty table, which no request has; what it makes of it must have the same columns."""
    name = "transform of no rows"
    try:
        found = transform.transform(kfnb_own_rows(rows, 0, 0))
    except Exception as error:
        return ParityCheck(
            name, message=f"it raises {type(error).__name__}; a request without rows does not reach it"
        )
    lost = differences(taken(whole, []), found)
    return ParityCheck(name, not lost, str(lost[0]) if lost else "", lost, _cause(transform, ""))


# -- predictions


def _prediction_checks(served: Served, rows: Any) -> Iterator[ParityCheck]:
    name = "predictions row by row"
    try:
        whole = listed(served.predictor.predict(kfnb_own_rows(rows, 0, len(rows))))
    except ModelFailed as error:
        yield ParityCheck(name, passed=False, message=f"{error}: {error.error}")
        return

    def alone(place: int) -> ParityCheck:
        try:
            (found,) = listed(served.predictor.predict(kfnb_own_rows(rows, place, place + 1)))
        except ModelFailed as error:
            return ParityCheck(name, passed=False, message=f"row {place} by itself: {error}: {error.error}")
        if alike(whole[place], found, TOLERANCE):
            return ParityCheck(name)
        difference = Difference("prediction", place, whole[place], found)
        return ParityCheck(name, passed=False, message=str(difference), differences=[difference])

    yield _first_failed(name, [partial(alone, place) for place in range(len(rows))])


def _replay(served: Served) -> dict[str, Any] | None:
    """How many predictions for the sample, as requests bring it, are those recorded with it: exactly, nearly, not."""
    folder = served.folder
    if folder.predictions is None:
        return None
    recorded = listed(folder.predictions)
    try:
        found = served.compute([served.inputs.rows(json_rows(folder.rows))])[0]
    except Exception as error:
        return {"exact": 0, "close": 0, "other": len(recorded), "message": f"{type(error).__name__}: {error}"}
    exact = sum(one == two for one, two in zip(recorded, found, strict=False))
    close = sum(alike(one, two, TOLERANCE) for one, two in zip(recorded, found, strict=False))
    others = [
        Difference("prediction", place, one, two).as_json()
        for place, (one, two) in enumerate(zip(recorded, found, strict=False))
        if not alike(one, two, TOLERANCE)
    ]
    return {"exact": exact, "close": close - exact, "other": len(recorded) - close, "differences": others[:5]}


def _replay_check(replay: dict[str, Any] | None) -> ParityCheck:
    name = "predictions as they were recorded"
    if replay is None:
        return ParityCheck(name, message="the model has no recorded predictions")
    message = replay.get("message", "")
    if replay["other"] and not message:
        count, total = replay["other"], sum(replay[one] for one in ("exact", "close", "other"))
        message = (
            f"{count} of {total} predictions for the example are not those that were recorded with the model"
        )
    return ParityCheck(
        name, not replay["other"], message, [Difference(**one) for one in replay.get("differences", ())]
    )
