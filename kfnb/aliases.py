"""Former names that stay accepted: of keyword arguments, and of fields in what ``--json`` prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def accepts(**former: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function take keyword arguments by their former names: ``@accepts(tell="notify")``."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **keywords: P.kwargs) -> R:
            renamed: Any = {former.get(name, name): value for name, value in keywords.items()}
            return function(*args, **renamed)

        return call

    return decorate


def with_former_names(data: Any, former: Mapping[str, str]) -> Any:
    """The result of ``asdict`` with each renamed field under its former name, too."""
    if isinstance(data, list | tuple):
        return [with_former_names(one, former) for one in data]
    if not isinstance(data, dict):
        return data
    read = {name: with_former_names(value, former) for name, value in data.items()}
    return {**read, **{old: read[new] for old, new in former.items() if new in read}}
