"""A column of a model's input, and what of JSON is a value of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from kfnb.server.encoding import json_value, known_values

ENOUGH_ROWS = 20
"""Rows of a sample from which it is concluded what values a column has."""

RANGES_BEYOND = 2
"""How many times the range that was seen a number may be beyond it: of further rows of the same data, a tenth to a half
have some number beyond the range itself, and under 1 of 100 beyond this."""

MISSING = object()
"""Stands for a value that a row does not have."""


class InputProblem(str, Enum):
    """What is wrong with an input."""

    MISSING = "missing-column"
    UNKNOWN = "unknown-column"
    NULL = "null"
    UNSEEN = "unseen-category"
    TYPE = "wrong-type"
    RANGE = "out-of-range"


class Family(Enum):
    """What the values of a column are."""

    FLOAT = "a number"
    INTEGER = "an integer"
    FLAG = "true or false"
    TEXT = "a text"
    CATEGORY = "a category"
    TIME = "a time"
    DATE = "a date"
    SPAN = "a duration"
    ANY = "any value"


_FAMILIES = {
    r"float(16|32|64)|Float(32|64)|(float|double|halffloat)\[pyarrow\]": Family.FLOAT,
    r"u?int\d+|U?Int\d+|u?int\d+\[pyarrow\]": Family.INTEGER,
    r"bool|boolean|bool\[pyarrow\]|Boolean": Family.FLAG,
    r"str|string|string\[.*\]|large_string\[pyarrow\]|String|Utf8": Family.TEXT,
    r"category|Categorical.*|Enum.*": Family.CATEGORY,
    r"datetime64\[.*\]|timestamp\[.*|Datetime.*": Family.TIME,
    r"date32\[day\]\[pyarrow\]|Date": Family.DATE,
    r"timedelta64\[.*\]|duration\[.*|Duration.*": Family.SPAN,
}
_BY_CLASS = {
    "str": Family.TEXT,
    "bool": Family.FLAG,
    "int": Family.INTEGER,
    "float": Family.FLOAT,
    "date": Family.DATE,
}


@dataclass(frozen=True)
class InputColumn:
    """A column of the rows that a model takes.

    ``type`` is its dtype as text, ``dtype`` the dtype itself; both may be empty where they are not known. ``nullable``
    says whether the training data had missing values. ``least`` and ``most`` are the numbers that it had, ``low`` and
    ``high`` bound those that are taken. ``typical`` stands for a bad value where these are imputed.
    """

    name: str
    type: str = ""
    family: Family = Family.ANY
    dtype: Any = None
    nullable: bool = True
    categories: tuple[Any, ...] = ()
    """The values of a category, or of a text that is one; empty for any."""
    least: Any = None
    most: Any = None
    low: Any = None
    high: Any = None
    typical: Any = MISSING
    known: frozenset[Any] = field(default=frozenset(), repr=False)
    """``categories`` as a set."""

    @property
    def unit(self) -> str:
        """The unit in which its times and durations are counted."""
        found = re.search(r"\b(ns|us|ms|s)\b", self.type)
        return found[1] if found else "ns"

    @property
    def zoned(self) -> bool:
        """Whether its times have a time zone."""
        return self.family is Family.TIME and "," in self.type and "time_zone=None" not in self.type


def column_of(facts: Mapping[str, Any], sample: Any = None) -> InputColumn:
    """A column of ``kfnb_model.json``; ``sample`` are its values in the rows that are kept with the model."""
    kind = str(getattr(sample, "dtype", facts.get("type", "")))
    family = family_of(kind, sample)
    categories = tuple(facts.get("categories", ()))
    enough = sample is not None and len(sample) >= ENOUGH_ROWS
    if family is Family.TEXT and not (enough and 2 * len(set(sample)) <= len(sample)):
        categories = ()  # most texts are there once: these are not categories
    elif family is Family.CATEGORY and hasattr(getattr(sample, "dtype", None), "categories"):
        categories = tuple(map(json_value, sample.dtype.categories))
    least, most = (facts.get("minimum"), facts.get("maximum")) if enough else (None, None)
    # times have no bounds: those that come are later than those of training
    if not (isinstance(least, (int, float)) and isinstance(most, (int, float)) and least < most):
        least = most = None
    beyond = RANGES_BEYOND * (most - least) if least is not None and most is not None else 0
    return InputColumn(
        str(facts["name"]),
        kind,
        family,
        _dtype(kind) if sample is None else getattr(sample, "dtype", None),
        bool(facts.get("nullable", True)) or not kind,
        categories,
        least,
        most,
        None if least is None else least - beyond,
        None if most is None else most + beyond,
        known=frozenset(categories),
    )


def family_of(kind: str, sample: Any = None) -> Family:
    """What a column holds, by its dtype, and where that is object by the values of a sample."""
    found = next((family for pattern, family in _FAMILIES.items() if re.fullmatch(pattern, kind)), None)
    if found is not None:
        return found
    classes = {type(one).__name__ for one in known_values(sample)}
    return _BY_CLASS.get(next(iter(classes)), Family.ANY) if len(classes) == 1 else Family.ANY


def _dtype(kind: str) -> Any:
    """The dtype of that name; None where it says too little."""
    if not kind or kind in ("category", "object"):
        return None
    try:
        import pandas as pd

        return pd.api.types.pandas_dtype(kind)
    except (ImportError, TypeError):
        return None
