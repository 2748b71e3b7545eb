"""The numbers of a model's versions. The registry has names, which other clients choose freely: v1, 1.0.0, first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

Json = Mapping[str, Any]

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


def numbered(versions: Iterable[Json]) -> dict[int, Json]:
    """The versions of one model by their numbers: a name that is a number is its version's own.

    All others take the lowest free ones, in the order in which the registry made them. So a version keeps its number,
    since nothing is ever deleted and kfnb gives new ones a higher number than any.
    """
    ordered = sorted(versions, key=lambda one: int(one["id"]))
    found = {int(one["name"]): one for one in ordered if _NUMBER.fullmatch(str(one["name"]))}
    free = 0
    for one in ordered:
        if _NUMBER.fullmatch(str(one["name"])):
            continue
        free = next(
            number for number in range(free + 1, len(ordered) + len(found) + 2) if number not in found
        )
        found[free] = one
    return dict(sorted(found.items()))
