"""A machine, and what an hour of its parts costs."""

from __future__ import annotations

from dataclasses import dataclass

DAYS_OF_YEAR = 365.25
_HOURS_OF_YEAR = DAYS_OF_YEAR * 24

CORE, GIB, GPU = 0.031611, 0.004237, 0.95
"""OpenCost's default prices of a core, a GiB and a GPU: the price of a machine is divided in their proportion."""


@dataclass(frozen=True)
class PricedMachine:
    """A machine with ``memory`` in GiB, which is rented by the ``hour``, or was bought.

    One that was bought has a ``price``, and is written off in ``years`` in which it computes for the share
    ``utilisation`` of the time; it then draws ``watts``, at a price of ``electricity`` a kWh.
    """

    cores: float
    memory: float
    gpus: float = 0.0
    gpu: str = ""
    hour: float | None = None
    price: float = 0.0
    years: float = 1.0
    utilisation: float = 1.0
    watts: float = 0.0
    electricity: float = 0.0

    @property
    def bought(self) -> bool:
        """Whether it costs the same however much it is used, but for its power."""
        return self.hour is None

    @property
    def standing(self) -> float:
        """What each hour costs in which it exists."""
        return 0.0 if self.hour is not None else self.price / (self.years * _HOURS_OF_YEAR)

    @property
    def power(self) -> float:
        """What its power costs in an hour in which it computes."""
        return self.watts / 1000 * self.electricity

    @property
    def used_hour(self) -> float:
        """What an hour costs in which it computes."""
        return self.hour if self.hour is not None else self.standing / self.utilisation + self.power

    @property
    def scale(self) -> float:
        """The price of a used hour, in what its parts would cost by OpenCost's default prices."""
        return self.used_hour / (self.cores * CORE + self.memory * GIB + self.gpus * GPU)

    def hours(self, cores: float, memory: float, gpus: float) -> float:
        """The hours of the whole machine that core hours, GiB hours and GPU hours take: those of what is scarcest."""
        shares = [cores / self.cores, memory / self.memory, gpus / self.gpus if self.gpus else 0.0]
        return max(shares)

    @property
    def words(self) -> str:
        """How its price came about, in a line."""
        gpus = f", {self.gpus:g} {self.gpu or 'GPU'}".rstrip() if self.gpus else ""
        shape = f"{self.cores:g} cores, {self.memory:g} GiB{gpus}"
        if self.hour is not None:
            return f"{shape}: {self.hour:g} an hour"
        power = f", {self.watts:g} W at {self.electricity:g} a kWh" if self.power else ""
        return (
            f"{shape}: bought for {self.price:g}, written off in {self.years:g} years,"
            f" used {self.utilisation:.0%} of the time{power}"
        )
