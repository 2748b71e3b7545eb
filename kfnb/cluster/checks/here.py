"""This machine: room for runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from kfnb.model.check import Check, Outcome
from kfnb.model.cluster import Machine

_LITTLE_DISK, _LITTLE_MEMORY = 1e9, 1e9
_GB = 1e9


def here(machine: Machine) -> Iterator[Check]:
    """Whether runs can be kept here, and have room."""
    yield storage(machine)
    yield memory(machine)


def storage(machine: Machine) -> Check:
    """Whether there is a place to keep runs in."""
    home = Path(machine.home)
    there = next((one for one in (home, *home.parents) if one.exists()), home)
    told = f"runs are kept in {home}; {machine.disk_free / _GB:.1f} GB are free there"
    if not os.access(there, os.W_OK):
        return Check("storage", Outcome.BAD, f"{there} may not be written to", "%kf_config home=FOLDER")
    if machine.disk_free < _LITTLE_DISK:
        return Check("storage", Outcome.DOUBTFUL, told, "kfnb runs prune --keep 20")
    return Check("storage", Outcome.GOOD, told)


def memory(machine: Machine) -> Check:
    """Whether there is memory for steps."""
    if not machine.memory:
        return Check("memory", Outcome.SKIPPED, "this system does not say")
    told = f"{machine.memory_free / _GB:.1f} of {machine.memory / _GB:.1f} GB are free, {machine.cores} cores"
    return Check("memory", Outcome.DOUBTFUL if machine.memory_free < _LITTLE_MEMORY else Outcome.GOOD, told)
