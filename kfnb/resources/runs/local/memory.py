"""Whether there is memory for more: of the machine, or of the container that this is in."""

from __future__ import annotations

from kfnb.jobs import system

_SPARE = 0.25
"""The share of the memory that is to stay free."""


def spare(wanted: int) -> bool:
    """Whether a quarter of the memory would stay free with ``wanted`` bytes more in use; False: not known."""
    known = list(system.here().memory())
    return bool(known) and all(free - wanted >= _SPARE * total for free, total in known)
