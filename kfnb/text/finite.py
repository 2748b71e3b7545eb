"""Numbers in JSON, which has finite ones alone: any other is written as its text, ``nan``, ``inf`` or ``-inf``."""

from __future__ import annotations

import math
from typing import Any

_NOT_FINITE = {
    "nan": math.nan,
    "inf": math.inf,
    "-inf": -math.inf,
}  # one object each: nan is equal only to itself


def written(value: Any) -> Any:
    """A value for JSON: a float that is not finite as its text; any other unchanged."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def read(value: Any) -> Any:
    """The inverse of ``written``: the float of such a text; any other value unchanged."""
    return _NOT_FINITE.get(value, value) if isinstance(value, str) else value
