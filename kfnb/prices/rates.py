"""The price of an hour of each resource, and the cost of what was occupied."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from kfnb.entities import Amounts, Purpose
from kfnb.prices.machine import PricedMachine
from kfnb.text.money import money

_COUNTED = (Purpose.WORK, Purpose.FAILED, Purpose.OVERHEAD)
"""What is paid for: what the cache saves is not."""


@dataclass(frozen=True)
class Rates:
    """Prices of an hour: of a core, of a GiB of memory, of a GiB of a volume, of a GPU by its model.

    None is not known; the model of GPU is empty for any. ``date`` (ISO) is when they held, ``source`` who says so,
    ``assumptions`` how they were computed, a line each. ``machine`` is the machine that they are of.
    """

    name: str
    currency: str
    date: str
    source: str
    cores: float | None = None
    memory: float | None = None
    storage: float | None = None
    gpus: Mapping[str, float] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    machine: PricedMachine | None = None

    def gpu(self, model: str) -> float | None:
        """The price of a GPU of a model; if the model or its price is not known, that of any GPU."""
        known = {_plain(name): price for name, price in self.gpus.items()}
        if _plain(model) in known:
            return known[_plain(model)]
        if "" in known:
            return known[""]
        return next(iter(known.values())) if not model and len(known) == 1 else None

    def of(self, amounts: Amounts) -> float | None:
        """The price of amounts; None where a price, or what was occupied, is not known."""
        pairs = [
            (amounts.cores, self.cores),
            (amounts.memory, self.memory),
            (amounts.storage, self.storage),
            *((hours, self.gpu(model)) for model, hours in amounts.gpus.items()),
        ]
        total = 0.0
        for hours, price in pairs:
            if hours and price is None:
                return None
            total += hours * (price or 0.0)
        return None if amounts.unknown else total

    def missing(self, amounts: Amounts) -> str:
        """Why the price of amounts is not known; empty if it is."""
        if amounts.unknown:
            attempts = "1 attempt" if amounts.unknown == 1 else f"{amounts.unknown} attempts"
            return f"what {attempts} occupied was not recorded"
        named = [("cores", amounts.cores, self.cores), ("memory", amounts.memory, self.memory)]
        named += [("volumes", amounts.storage, self.storage)]
        named += [(f"GPU {model}".strip(), hours, self.gpu(model)) for model, hours in amounts.gpus.items()]
        lacking = [name for name, hours, price in named if hours and price is None]
        return f"{self.name} has no price of {', '.join(lacking)}" if lacking else ""

    def cost(self, occupied: Mapping[Purpose, Amounts]) -> Cost:
        """What it costs; unknown where nothing is known of what was occupied."""
        parts = {purpose: self.of(amounts) for purpose, amounts in occupied.items()}
        counted = [parts[purpose] for purpose in _COUNTED if purpose in parts]
        known = [one for one in counted if one is not None]
        amount = sum(known) if occupied and len(known) == len(counted) else None
        whole = sum((occupied[one] for one in _COUNTED if one in occupied), Amounts())
        why = "" if amount is not None else self.missing(whole) or "what it occupied was not recorded"
        return Cost(amount, parts, self.currency, self.name, self.date, self.source, why)

    @property
    def facts(self) -> str:
        """``gcp/n2-standard-8, USD, 2026-11-30``."""
        return f"{self.name}, {self.currency}, {self.date}"


@dataclass(frozen=True)
class Cost:
    """An estimate of what something costs, by ``prices`` of a ``date``; None is not known, and ``why`` says why.

    ``amount`` is of work, failed attempts and the platform's overhead; ``parts`` has each of them, and what the
    cache saved.
    """

    amount: float | None
    parts: Mapping[Purpose, float | None]
    currency: str
    prices: str
    date: str
    source: str
    why: str = ""

    def __str__(self) -> str:
        return money(self.amount, self.currency)

    def __repr__(self) -> str:
        return f"<Cost {self} by {self.prices}, {self.date}>"

    def part(self, purpose: Purpose) -> float | None:
        """What the part with that purpose costs; 0 if there is none."""
        return self.parts.get(purpose, 0.0)

    @property
    def failed(self) -> float | None:
        """What attempts cost that failed or were stopped."""
        return self.part(Purpose.FAILED)

    @property
    def overhead(self) -> float | None:
        """What the platform costs beside the tasks."""
        return self.part(Purpose.OVERHEAD)

    @property
    def saved(self) -> float | None:
        """What cached tasks would have cost; it is not part of the amount."""
        return self.part(Purpose.SAVED)


def _plain(model: str) -> str:
    """A GPU's model for comparison: ``NVIDIA-A100-SXM4-40GB`` is an A100."""
    words = re.sub("[^a-z0-9]+", " ", model.lower()).split()
    known = [word for word in words if re.fullmatch(r"[a-z]{1,2}\d{1,4}[a-z]?|rtx\d+", word)]
    return known[0] if known else " ".join(words)
