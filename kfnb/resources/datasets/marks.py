"""What the last check of a version found wrong, as a mark in the store: users of the version see it without a check."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from kfnb.diagnostics import logger
from kfnb.errors import BackendError
from kfnb.resources.datasets.model import Damage
from kfnb.resources.datasets.objects import Objects

if TYPE_CHECKING:
    from kfnb.resources.datasets.store import DataStore

_logger = logger(__package__)

MISSING = "missing"
"""The problem of what is not in the store."""
_AT_ONCE = 16

_MARKS = "damages/"
_KEY = re.compile(rf"{_MARKS}([^/]+)/(\d{{6,}})\.([a-z-]+)")


class DamageMarks:
    """The marks of the store that has ``objects``: empty ``damages/NAME/000003.changed``, by the problem."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def known(self) -> dict[str, str]:
        """By reference (``churn-data@3``), what is wrong with a version. Raises ``BackendError``."""
        found = (_KEY.fullmatch(one.key) for one in self._objects.entries(_MARKS))
        return {f"{one[1]}@{int(one[2])}": one[3].replace("-", " ") for one in found if one}

    def update(self, checked: Collection[str], damages: Iterable[Damage]) -> None:
        """Mark the versions that have ``damages``, and remove the marks of the others that were ``checked``.

        A store that cannot be written keeps the marks that it has.
        """
        now = {damage.ref: damage.problem for damage in damages}
        try:
            before = self.known()
            for ref in checked:
                if ref in before and before[ref] != now.get(ref):
                    self._objects.delete(_key(ref, before[ref]))
                if ref in now and before.get(ref) != now[ref]:
                    self._objects.create(_key(ref, now[ref]), b"")
        except BackendError:
            _logger.info("The damages of versions cannot be marked in the data store.", exc_info=True)


def _key(ref: str, problem: str) -> str:
    name, _, number = ref.rpartition("@")
    return f"{_MARKS}{name}/{int(number):06}.{problem.replace(' ', '-')}"


def damaged(store: DataStore, refs: Iterable[str]) -> dict[str, str]:
    """By reference (``churn-data@3``), what is known to be wrong with versions of a store; no content is read.

    It is ``missing``, or what the last check found. Raises ``BackendError``.
    """
    named = {ref: ref.rpartition("@")[0] for ref in refs}
    names = dict.fromkeys(named.values())
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        numbers = zip(names, threads.map(store.numbers, names), strict=True)
        there = {f"{name}@{number}" for name, found in numbers for number in found}
    marked = store.damages.known()
    found = {ref: marked.get(ref, "") if ref in there else MISSING for ref in named}
    return {ref: problem for ref, problem in found.items() if problem}
