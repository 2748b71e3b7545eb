"""The numbers of a model's versions. The registry has names, which other clients choose freely: v1, 1.0.0, first.

A version keeps its number for ever, as references and aliases name it: its number depends on versions that were made
before it alone. The registry deletes no version and renames none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

Json = Mapping[str, Any]

EXTERNAL = "kfnb:version:"
"""What the external ids of kfnb's versions begin with."""
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


def numbered(versions: Iterable[Json]) -> dict[int, Json]:
    """The versions of one model by their numbers.

    A version of kfnb has the number that is its name, which was higher than any when it was made. Another client's
    version, in the order in which the registry made them, has the number that is its name if that is free, else the
    lowest free one.
    """
    ordered = sorted(versions, key=lambda one: int(one["id"]))
    found = {int(one["name"]): one for one in ordered if _is_own(one)}
    free = count(1)
    for one in ordered:
        if _is_own(one):
            continue
        name = str(one["name"])
        number = int(name) if _NUMBER.fullmatch(name) else 0
        if not number or number in found:
            number = next(number for number in free if number not in found)
        found[number] = one
    return dict(sorted(found.items()))


def _is_own(version: Json) -> bool:
    external = str(version.get("externalId") or "")
    return external.startswith(EXTERNAL) and _NUMBER.fullmatch(str(version["name"])) is not None
