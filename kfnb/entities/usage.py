"""What tasks occupied of machines: what they requested and used, for how long, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

_HOUR, _GIB = 3600.0, 2.0**30


class Purpose(str, Enum):
    """What came of what was occupied.

    ``WORK`` succeeded, or is still running; ``FAILED`` are attempts that failed or were stopped; ``OVERHEAD`` is what
    the platform runs beside the tasks, as KFP's drivers; ``SAVED`` is what a cached task would have occupied.
    """

    WORK = "work"
    FAILED = "failed"
    OVERHEAD = "overhead"
    SAVED = "saved"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Amounts:
    """Resources times hours: core hours, GiB hours of memory and of volumes, GPU hours by the GPU's model.

    The model is empty where it is unknown. ``unknown`` is how many attempts are missing, since nothing is known of what
    they occupied.
    """

    cores: float = 0.0
    memory: float = 0.0
    storage: float = 0.0
    gpus: Mapping[str, float] = field(default_factory=dict)
    unknown: int = 0

    def __add__(self, other: Amounts) -> Amounts:
        gpus = dict(self.gpus)
        for model, hours in other.gpus.items():
            gpus[model] = gpus.get(model, 0.0) + hours
        return Amounts(
            self.cores + other.cores,
            self.memory + other.memory,
            self.storage + other.storage,
            gpus,
            self.unknown + other.unknown,
        )


@dataclass(frozen=True)
class Usage:
    """What one attempt at a task, or one pod, occupied of a machine.

    ``seconds`` are from when it was scheduled until it ended. ``cores``, ``memory`` (bytes), ``gpus`` (a share of
    a GPU is less than 1) and ``storage`` (bytes of volumes) are what it requested, ``gpu`` the model of GPU.
    ``cpu_seconds`` and ``peak`` (bytes) are what it used, None where that was not measured.
    """

    seconds: float
    cores: float = 0.0
    memory: float = 0.0
    gpus: float = 0.0
    gpu: str = ""
    storage: float = 0.0
    cpu_seconds: float | None = None
    peak: float | None = None
    purpose: Purpose = Purpose.WORK

    @property
    def amounts(self) -> Amounts:
        """The larger of what was requested and what was used, times its hours."""
        hours = self.seconds / _HOUR
        return Amounts(
            cores=max(self.cores * hours, (self.cpu_seconds or 0.0) / _HOUR),
            memory=max(self.memory, self.peak or 0.0) / _GIB * hours,
            storage=self.storage / _GIB * hours,
            gpus={self.gpu: self.gpus * hours} if self.gpus else {},
        )


def added_up(usages: Iterable[Usage]) -> dict[Purpose, Amounts]:
    """The amounts of several attempts, by what came of them."""
    total: dict[Purpose, Amounts] = {}
    for one in usages:
        total[one.purpose] = total.get(one.purpose, Amounts()) + one.amounts
    return total
