"""Prices: what a file may say, what its mistakes say, and how a machine becomes prices of its parts."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb import settings
from kfnb.entities import Amounts, Purpose, Usage, added_up
from kfnb.errors import UsageError
from kfnb.prices.current import current, names, offer
from kfnb.prices.machine import PricedMachine
from kfnb.prices.price_list import read_prices
from kfnb.prices.rates import Rates
from kfnb.text.money import money

HEAD = {"currency": "EUR", "date": date(2026, 11, 1)}
SERVER = {
    "cores": 32,
    "memory": 128,
    "price": 8766,
    "years": 2,
    "utilisation": 0.5,
    "watts": 400,
    "electricity": 0.25,
}


def test_prices_of_cores_and_memory_are_taken_as_they_are() -> None:
    rates = read_prices({**HEAD, "cpu": 0.03, "memory": 0.004, "gpu": {"A100": 2.5}}, "prices.yaml").offers[
        "own"
    ]
    assert (rates.cores, rates.memory, rates.currency, rates.date) == (0.03, 0.004, "EUR", "2026-11-01")
    assert rates.of(Amounts(cores=10, memory=100, gpus={"NVIDIA-A100-SXM4-40GB": 2})) == pytest.approx(5.7)


def test_a_machine_that_was_bought_costs_its_price_by_its_life_and_use_and_its_power() -> None:
    machine = read_prices({**HEAD, "machine": SERVER}, "prices.yaml").offers["own"].machine
    assert machine is not None
    assert machine.standing == pytest.approx(0.5)  # 8,766 in two years of 8,766 hours
    assert machine.used_hour == pytest.approx(0.5 / 0.5 + 0.1)


@given(
    st.floats(1, 512),
    st.floats(1, 4096),
    st.sampled_from([0.0, 1.0, 8.0]),
    st.floats(0.01, 100, allow_nan=False),
)
def test_the_parts_of_a_machine_cost_together_what_the_machine_does(
    cores: float, memory: float, gpus: float, hour: float
) -> None:
    machine = {"cores": cores, "memory": memory, "gpus": gpus, "gpu": "T4", "hour": hour}
    rates = read_prices({**HEAD, "machine": machine}, "f").offers["own"]
    whole = Amounts(cores=cores, memory=memory, gpus={"T4": gpus} if gpus else {})
    assert rates.of(whole) == pytest.approx(hour)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"cpus": 1}, "prices.yaml: prices: unknown key cpus; did you mean cpu?"),
        ({"cpu": "cheap"}, "prices.yaml: prices: cpu is 'cheap', which is not a number of 0 or more"),
        ({"cpu": -1}, "prices.yaml: prices: cpu is -1, which is not a number of 0 or more"),
        ({"cpu": True}, "prices.yaml: prices: cpu is True, which is not a number of 0 or more"),
        ({"cpu": math.nan}, "prices.yaml: prices: cpu is nan, which is not a number of 0 or more"),
        ({"currency": None, "cpu": 1}, "the currency is missing"),
        ({"date": None, "cpu": 1}, "the date of the prices is missing"),
        ({"date": "soon", "cpu": 1}, "the date of the prices is 'soon'"),
        ({}, "it has no prices; give cpu and memory"),
        ({"machine": {"cores": 8}}, "prices.machine: memory is missing"),
        ({"machine": {"cores": 8, "memory": 32}}, "give either hour, the price of an hour, or price"),
        ({"machine": {"cores": 8, "memory": 32, "price": 5000}}, "prices.machine: years is missing"),
        ({"machine": {**SERVER, "utilisation": 40}}, "utilisation is 40: it is a share, from 0 to 1"),
        ({"machine": {**SERVER, "cores": 0}}, "prices.machine: cores is 0"),
        ({"machine": SERVER, "cpu": 1}, "it has machine and cpu: give one of them"),
        ({"offers": {"lab": {"hours": 1}}}, "prices.offers.lab: unknown key hours"),
        ({"offers": 3}, "prices.offers: it is 3, not a table"),
    ],
)
def test_a_mistake_in_a_price_file_is_one_clear_message(table: dict[str, Any], message: str) -> None:
    given_table = {name: value for name, value in {**HEAD, **table}.items() if value is not None}
    with pytest.raises(UsageError) as caught:
        read_prices(given_table, "prices.yaml")
    assert message in str(caught.value)


def test_without_prices_opencosts_defaults_are_used_and_named(home: Path) -> None:
    rates = current()
    assert (rates.name, rates.currency, rates.cores) == ("opencost", "USD", 0.031611)
    assert "OpenCost" in rates.source
    assert rates.date


def test_prices_of_the_project_are_used(home: Path, tmp_path: Path) -> None:
    table = '[tool.kfnb.prices]\ncurrency = "EUR"\ndate = 2026-11-01\ncpu = 0.5\nmemory = 0\n'
    (tmp_path / "pyproject.toml").write_text(table)
    settings.reset(start=tmp_path)
    assert (current().name, current().cores, current().currency) == ("own", 0.5, "EUR")


def test_prices_of_a_file_are_used_and_read_again_when_it_changes(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text("currency: CHF\ndate: 2026-11-01\ncpu: 1\nmemory: 0\n")
    settings.settings().set("prices", str(file))
    assert current().cores == 1
    file.write_text("currency: CHF\ndate: 2026-11-01\ncpu: 22\nmemory: 0\n")
    assert current().cores == 22


@pytest.mark.parametrize("text", ["a: [", "- 1", "\x00"])
def test_a_file_that_has_no_prices_is_one_message(home: Path, tmp_path: Path, text: str) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text(text)
    settings.settings().set("prices", str(file))
    with pytest.raises(UsageError, match=r"prices\.yaml"):
        current()


def test_a_file_that_is_not_there_is_one_message(home: Path) -> None:
    settings.settings().set("prices", "/nowhere/prices.yaml")
    with pytest.raises(UsageError, match="cannot be read"):
        current()


def test_every_offer_has_a_price_a_currency_a_date_and_a_source(home: Path) -> None:
    for name in names():
        rates = offer(name)
        assert rates.cores
        assert rates.memory
        assert rates.currency == "USD"
        assert date.fromisoformat(rates.date) <= date(2026, 11, 30)
        assert rates.source


def test_an_unknown_offer_suggests_one(home: Path) -> None:
    with pytest.raises(UsageError, match="did you mean gke"):
        offer("gkee")


def test_a_spot_price_that_is_not_known_is_refused(home: Path) -> None:
    with pytest.raises(UsageError, match=r"price of sagemaker/ml\.m5\.xlarge spot is not known"):
        offer("sagemaker", spot=True)


def test_what_has_no_price_is_unknown_and_never_free() -> None:
    rates = Rates("own", "EUR", "2026-11-01", "here", cores=1.0, memory=1.0)
    cost = rates.cost({Purpose.WORK: Amounts(cores=1, gpus={"H100": 1})})
    assert (cost.amount, str(cost), cost.why) == (None, "unknown", "own has no price of GPU H100")
    assert rates.cost({}).amount is None
    assert rates.cost({Purpose.WORK: Amounts(unknown=2)}).why == "what 2 attempts occupied was not recorded"


def test_a_gpu_of_an_unknown_model_has_the_price_of_the_only_one() -> None:
    rates = Rates("own", "EUR", "2026-11-01", "here", gpus={"A100": 2.0})
    assert rates.gpu("") == 2.0
    assert rates.gpu("Tesla T4") is None


def test_what_was_used_counts_where_it_is_more_than_what_was_requested() -> None:
    usage = Usage(seconds=3600, cores=1, memory=2**30, cpu_seconds=7200, peak=4 * 2**30)
    assert (usage.amounts.cores, usage.amounts.memory) == (2.0, 4.0)
    assert Usage(seconds=3600, cores=4, cpu_seconds=60).amounts.cores == 4.0


def test_what_the_cache_saved_is_not_part_of_a_cost() -> None:
    rates = Rates("own", "EUR", "2026-11-01", "here", cores=1.0)
    usages = [
        Usage(3600, cores=1),
        Usage(3600, cores=2, purpose=Purpose.FAILED),
        Usage(3600, cores=4, purpose=Purpose.SAVED),
    ]
    cost = rates.cost(added_up(usages))
    assert (cost.amount, cost.failed, cost.saved) == (3.0, 2.0, 4.0)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "unknown"),
        (0, "0 EUR"),
        (0.000001, "< 0.0001 EUR"),
        (0.00123, "0.0012 EUR"),
        (0.5, "0.50 EUR"),
        (99.994, "99.99 EUR"),
        (1234.5, "1,234 EUR"),
    ],
)
def test_money_always_says_its_currency(amount: float | None, text: str) -> None:
    assert money(amount, "EUR") == text


def test_a_machine_is_taken_for_the_time_of_what_is_scarcest() -> None:
    machine = PricedMachine(cores=8, memory=32, hour=1.0)
    assert machine.hours(cores=8, memory=64, gpus=0) == 2.0
