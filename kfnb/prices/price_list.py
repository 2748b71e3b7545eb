"""Reads prices from a table of a pyproject.toml or a YAML file; each mistake is one message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any

from kfnb.errors import UsageError, did_you_mean
from kfnb.prices.machine import CORE, GIB, GPU, PricedMachine
from kfnb.prices.rates import Rates

OWN = "own"
_NUMBERS = ("cpu", "memory", "storage")
_OFFER = (*_NUMBERS, "gpu", "machine")
_TOP = ("currency", "date", "source", "use", "offers", *_OFFER)
_MACHINE = tuple(one.name for one in fields(PricedMachine))
_SHARED = "a share of a machine is priced by its cores, GiB and GPUs, in the proportion of OpenCost's default prices"


@dataclass(frozen=True)
class PriceList:
    """Offers by name; ``use`` is the name of the one that costs are computed by, empty for none of them."""

    offers: Mapping[str, Rates]
    use: str = ""


@dataclass(frozen=True)
class _Place:
    """Where a table of prices is, for messages."""

    file: str
    path: str = ""

    def inside(self, key: str) -> _Place:
        return replace(self, path=f"{self.path}.{key}" if self.path else key)

    def wrong(self, text: str, hint: str = "") -> UsageError:
        where = f"{self.file}: prices{'.' + self.path if self.path else ''}"
        return UsageError(f"{where}: {text}", code="invalid-setting", hint=hint, ref=self.file)


def read_prices(table: Any, file: str) -> PriceList:
    """The prices in a table that ``file`` has. Raises ``UsageError`` for what it must not have."""
    place = _Place(file)
    values = _checked(table, _TOP, place)
    head = Rates(
        name=OWN,
        currency=_currency(values, place),
        date=_date(values, place),
        source=str(values.get("source") or file),
    )
    offers = {}
    if any(key in values for key in _OFFER):
        offers[OWN] = _offer({key: values[key] for key in _OFFER if key in values}, head, place)
    inside = place.inside("offers")
    for name, offer in _checked(values.get("offers", {}), None, inside).items():
        own = replace(head, name=str(name))
        offers[str(name)] = _offer(
            _checked(offer, _OFFER, inside.inside(str(name))), own, inside.inside(name)
        )
    use = str(values.get("use", OWN if OWN in offers else ""))
    if not offers and not use:
        raise place.wrong("it has no prices", "give cpu and memory, or machine, or use = NAME of an offer")
    return PriceList(offers, use)


def machine_rates(head: Rates, machine: PricedMachine, storage: float | None = None) -> Rates:
    """The prices of the parts of a machine."""
    scale = machine.scale
    return replace(
        head,
        cores=CORE * scale,
        memory=GIB * scale,
        storage=storage,
        gpus={machine.gpu: GPU * scale} if machine.gpus else {},
        assumptions=(*head.assumptions, machine.words, _SHARED),
        machine=machine,
    )


def _offer(values: Mapping[str, Any], head: Rates, place: _Place) -> Rates:
    prices = {key: _number(values, key, place) for key in _NUMBERS}
    if "machine" in values:
        given = [key for key in ("cpu", "memory", "gpu") if key in values]
        if given:
            raise place.wrong(f"it has machine and {given[0]}: give one of them")
        return machine_rates(head, _machine(values["machine"], place.inside("machine")), prices["storage"])
    return replace(
        head,
        cores=prices["cpu"],
        memory=prices["memory"],
        storage=prices["storage"],
        gpus=_gpus(values.get("gpu"), place.inside("gpu")),
    )


def _machine(table: Any, place: _Place) -> PricedMachine:
    values = _checked(table, _MACHINE, place)
    numbers = {key: _number(values, key, place) for key in _MACHINE if key != "gpu"}
    for key in ("cores", "memory", "years", "utilisation"):
        if numbers[key] == 0:
            raise place.wrong(f"{key} is 0")
    for key in ("cores", "memory"):
        if numbers[key] is None:
            raise place.wrong(f"{key} is missing")
    if (numbers["hour"] is None) == (numbers["price"] is None):
        raise place.wrong("give either hour, the price of an hour, or price, what it was bought for")
    if numbers["price"] is not None and numbers["years"] is None:
        raise place.wrong("years is missing: in how many years the price is written off")
    if (numbers["utilisation"] or 0) > 1:
        raise place.wrong(f"utilisation is {numbers['utilisation']:g}: it is a share, from 0 to 1")
    known: dict[str, Any] = {key: value for key, value in numbers.items() if value is not None}
    return PricedMachine(**known, gpu=str(values.get("gpu", "")))


def _gpus(value: Any, place: _Place) -> dict[str, float]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return {str(model): _number(value, model, place) or 0.0 for model in value}
    return {"": _number({"gpu": value}, "gpu", place) or 0.0}


def _number(values: Mapping[str, Any], key: str, place: _Place) -> float | None:
    if key not in values:
        return None
    value = values[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise place.wrong(f"{key} is {value!r}, which is not a number of 0 or more")
    return float(value)


def _checked(table: Any, known: Iterable[str] | None, place: _Place) -> Mapping[str, Any]:
    """A table without unknown keys; None knows all."""
    if not isinstance(table, Mapping):
        raise place.wrong(f"it is {table!r}, not a table")
    for key in table if known is not None else ():
        if key not in (names := tuple(known or ())):
            raise place.wrong(
                f"unknown key {key}", did_you_mean(str(key), names) or f"keys: {', '.join(names)}"
            )
    return table


def _currency(values: Mapping[str, Any], place: _Place) -> str:
    value = values.get("currency")
    if not isinstance(value, str) or not value.strip() or not value.strip().isprintable():
        raise place.wrong('the currency is missing: currency = "EUR"')
    return value.strip()


def _date(values: Mapping[str, Any], place: _Place) -> str:
    value = values.get("date")
    if isinstance(value, datetime | date):
        return f"{value:%Y-%m-%d}"
    try:
        return f"{date.fromisoformat(str(value)):%Y-%m-%d}"
    except ValueError:
        found = "is missing" if value is None else f"is {value!r}"
        raise place.wrong(f"the date of the prices {found}: date = 2026-11-01") from None
