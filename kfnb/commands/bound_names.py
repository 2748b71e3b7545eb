"""Names of the notebook as words of commands: a name stands for a handle if it is bound to one, and for nothing else.

So ``%kf_models show churn`` is the model ``churn`` although a cell has a table of that name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def resolved(names: Mapping[str, Any], word: str, *kinds: type[T]) -> T | str:
    """The handle of one of these kinds that the notebook's name ``word`` is bound to; else the word itself."""
    value = names.get(word)
    return value if isinstance(value, kinds) else word


def bound_to(names: Mapping[str, Any], kind: str) -> list[str]:
    """The notebook's names, the newest first, that are bound to an object of a class called ``kind``."""
    own = [name for name in names if not name.startswith("_")]
    return [name for name in reversed(own) if type(names[name]).__name__ == kind]
