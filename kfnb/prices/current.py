"""The prices that costs are computed by: those of the settings, else a fallback; and offers to compare with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from kfnb.errors import UsageError, did_you_mean
from kfnb.prices.machine import PricedMachine
from kfnb.prices.price_list import PriceList, machine_rates, read_prices
from kfnb.prices.rates import Rates
from kfnb.settings import project_table, settings

FALLBACK = "opencost"
_SPOT = "spot"
_NONE = PriceList({})


def current() -> Rates:
    """The prices of this machine's costs. Raises ``UsageError`` for a mistake in them."""
    own = own_prices()
    return offer(own.use or FALLBACK)


def own_prices() -> PriceList:
    """The prices of ``[tool.kfnb.prices]`` or of the file that the setting ``prices`` names; empty without any."""
    file = settings().prices
    if file:
        path = Path(file).expanduser()
        try:
            return _of_file(path, path.stat().st_mtime_ns)
        except OSError as error:
            message = f"prices={file} cannot be read: {error.strerror or error}"
            raise UsageError(message, code="file-not-found", ref=file) from None
    table, pyproject = project_table("prices")
    return read_prices(table, str(pyproject)) if table else _NONE


def offer(name: str, *, spot: bool = False) -> Rates:
    """An offer by its name: of one's own prices, of the clouds, or an alias (``gke``). Raises ``UsageError``."""
    own, clouds = own_prices().offers, _clouds()
    if name in own and not spot:
        return own[name]
    whole = clouds["aliases"].get(name, name)
    found = [one for one in clouds["offers"] if whole in (one["name"], one["name"].rpartition("/")[2])]
    if not found:
        known = [*own, *clouds["aliases"], *(one["name"] for one in clouds["offers"])]
        hint = did_you_mean(name, known) or f"offers: {', '.join(known)}"
        raise UsageError(f"unknown offer {name}", code="usage", hint=hint, ref=name)
    return _rates(found[0], clouds["currency"], spot=spot)


def names() -> list[str]:
    """The names of all offers and their aliases."""
    clouds = _clouds()
    return [*own_prices().offers, *clouds["aliases"], *(one["name"] for one in clouds["offers"])]


def _rates(data: Mapping[str, Any], currency: str, *, spot: bool) -> Rates:
    name, price = str(data["name"]), data.get(_SPOT if spot else "hour")
    head = Rates(
        name=f"{name} spot" if spot else name,
        currency=currency,
        date=str(data["date"]),
        source=str(data["source"]),
        assumptions=tuple(data.get("assumptions", ())),
    )
    if "cores" in data:
        if price is None:
            raise UsageError(f"the price of {head.name} is not known", ref=name)
        shape = {key: data[key] for key in ("cores", "memory", "gpus", "gpu") if key in data}
        return machine_rates(head, PricedMachine(**shape, hour=price), data.get("storage"))
    prices = data["spot_prices" if spot else "prices"]
    return Rates(
        **{
            **vars(head),
            "cores": prices["cpu"],
            "memory": prices["memory"],
            "storage": prices.get("storage"),
            "gpus": prices.get("gpu", {}),
        }
    )


@lru_cache(maxsize=1)
def _clouds() -> dict[str, Any]:
    file = resources.files("kfnb.prices").joinpath("clouds.json")
    data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return data


@lru_cache(maxsize=4)
def _of_file(path: Path, changed: int) -> PriceList:
    """The prices of a file as it was changed last."""
    import yaml

    del changed
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not YAML: {' '.join(str(error).split())}", ref=str(path)) from None
    return read_prices(table, str(path))
