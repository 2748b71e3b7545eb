"""Whether enough memory is free, of the machine or of this container."""

from __future__ import annotations

from kfnb.jobs import system

_SPARE = 0.25
"""The share of the memory that must stay free."""


def spare(wanted: int) -> bool:
    """Whether a quarter of the memory would stay free with ``wanted`` more bytes in use; False if that is unknown."""
    known = list(system.here().memory())
    return bool(known) and all(free - wanted >= _SPARE * total for free, total in known)
