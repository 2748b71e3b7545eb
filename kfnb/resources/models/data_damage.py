"""What is known to be wrong with the data behind models. A data store that is slow is not waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from kfnb.errors import KfnbError
from kfnb.resources.models.checks import is_data_version
from kfnb.resources.models.model import DataDamage

TIMEOUT = 2.0
"""Seconds that a display waits for the data store."""


def damage_of(refs: Iterable[str]) -> DataDamage:
    """What is known to be wrong with versions of data sets; no content is read, and nothing is raised."""
    names = {ref for ref in refs if is_data_version(ref)}
    if not names:
        return DataDamage()
    found = [
        DataDamage(note=f"The data store did not answer within {TIMEOUT:g} s, so damaged data is not marked.")
    ]
    thread = threading.Thread(target=lambda: found.append(_damage_of(names)), daemon=True)
    thread.start()
    thread.join(TIMEOUT)
    return found[-1]


def _damage_of(refs: Iterable[str]) -> DataDamage:
    from kfnb.resources.datasets import api as datasets

    try:
        return DataDamage(datasets.damaged(refs))
    except KfnbError as error:
        return DataDamage(note=f"Damaged data is not marked: {error}")
