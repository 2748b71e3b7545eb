"""What runs ran on, side by side: the facts of their manifests that differ and may change results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pkgutil import resolve_name
from typing import Any

from kfnb.entities import Compared
from kfnb.errors import RunNotFound
from kfnb.resources.runs.handle import Run


def environment_rows(runs: Iterable[Run]) -> tuple[Compared, ...]:
    """A row for each fact that differs from the first run's, with how much it matters in its name.

    None if a run was deleted.
    """
    diff = resolve_name("kfnb:diff")  # by its public name, since provenance reads runs
    try:
        manifests = [one.manifest for one in runs]
    except RunNotFound:
        return ()
    first, *others = manifests
    found: dict[str, dict[int, Any]] = {}
    for place, other in enumerate(others, start=1):
        for one in diff(first, other).causes:
            row = found.setdefault(f"{one.layer}: {one.words} ({one.effect})", {0: _value(one.before)})
            row[place] = _value(one.after)
    return tuple(
        Compared(name, tuple(values.get(place, values[0]) for place in range(len(manifests))))
        for name, values in found.items()
    )


def _value(value: Any) -> Any:
    """A value in a table: of a package its version."""
    if isinstance(value, Mapping) and "version" in value:
        return value["version"]
    return "none" if value is None else value
