"""This machine: room for runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kfnb import disk
from kfnb.resources.cluster.model import Check, CheckOutcome, Machine

_LITTLE_DISK, _LITTLE_MEMORY = 1e9, 1e9
_GB = 1e9


def here(machine: Machine) -> Iterator[Check]:
    """Whether runs can be kept here, and have room."""
    yield storage(machine)
    yield memory(machine)


def storage(machine: Machine) -> Check:
    """Whether there is a place to keep runs in."""
    home = Path(machine.home)
    if why := disk.unusable(home):
        return Check("storage", CheckOutcome.BAD, f"runs cannot be stored: {why}", "%kf_config home=FOLDER")
    text = f"runs are kept in {home}; {disk.size(machine.disk_free)} is free there"
    if machine.disk_free < disk.LOW:
        text = f"{text}, at least {disk.size(disk.LOW)} is needed; {disk.described(home)}"
        return Check("storage", CheckOutcome.BAD, text, "kfnb runs prune --keep 5")
    if machine.disk_free < _LITTLE_DISK:
        return Check("storage", CheckOutcome.DOUBTFUL, text, "kfnb runs prune --keep 20")
    return Check("storage", CheckOutcome.GOOD, text)


def memory(machine: Machine) -> Check:
    """Whether there is memory for steps."""
    if not machine.memory:
        return Check("memory", CheckOutcome.SKIPPED, "not known on this system")
    text = f"{machine.memory_free / _GB:.1f} of {machine.memory / _GB:.1f} GB are free, {machine.cores} cores"
    return Check(
        "memory", CheckOutcome.DOUBTFUL if machine.memory_free < _LITTLE_MEMORY else CheckOutcome.GOOD, text
    )
