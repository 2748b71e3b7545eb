"""What services answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ServedPredictions:
    """Predictions of a service, a row each, and the versions that gave them."""

    values: tuple[Any, ...]
    versions: tuple[str, ...] = ()
