"""What runs cost together: by what they have in common, by day, and elsewhere."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import kfnb
from kfnb.catalog.occupied import OccupiedGroup
from kfnb.entities import Amounts, Purpose
from kfnb.errors import UsageError
from kfnb.jobs.eventlog import EventLog
from kfnb.prices.current import offer
from kfnb.prices.machine import PricedMachine
from kfnb.prices.price_list import machine_rates, read_prices
from kfnb.prices.rates import Rates
from kfnb.resources.costs.display import DISPLAYS
from kfnb.resources.costs.model import CostReport, CostSpan
from kfnb.resources.costs.report import break_even, report
from kfnb.resources.costs.view.report import draw_costs
from kfnb.resources.runs.usage_data import amounts_data

RATES = Rates("own", "EUR", "2026-11-01", "here", cores=1.0, memory=0.5)
DAY = 86400.0
NOON = 1796040000.0  # 2026-11-30 12:00 UTC
SPAN = CostSpan("pipeline", NOON - 2 * DAY, NOON)
HALF_A_EURO = read_prices(
    {
        "currency": "USD",
        "date": "2026-11-01",
        "machine": {
            "cores": 8,
            "memory": 32,
            "price": 8766,
            "years": 4,
            "utilisation": 1,
            "watts": 200,
            "electricity": 0.3,
        },
    },
    "prices.yaml",
).offers["own"]
"""A machine that costs 0.25 USD in each hour, and 0.06 USD more in one in which it computes."""


def group(name: str, day: str = "2026-11-30", runs: int = 1, **used: Amounts) -> OccupiedGroup:
    return OccupiedGroup(name, day, runs, {Purpose(purpose): one for purpose, one in used.items()})


def write_run(home: Path, id: str, used: Mapping[Purpose, Amounts] | None, **about: str) -> None:
    """A run that has ended."""
    folder = home / "runs" / id
    folder.mkdir(parents=True)
    log = EventLog(folder, create=True)
    created = {"name": id, "pipeline": "churn", "backend": "local", "arguments": {}, **about}
    facts: list[tuple[str, str, Mapping[str, Any]]] = [("created", "", created)]
    if used is not None:
        facts.append(("usage", "", {"total": amounts_data(used)}))
    log.append([*facts, ("state", "", {"state": "SUCCEEDED"})])
    log.close()


def test_groups_are_summed_over_days_the_dearest_first() -> None:
    found = report(
        [
            group("cheap", work=Amounts(cores=1)),
            group("dear", "2026-11-29", work=Amounts(cores=2), failed=Amounts(cores=3)),
            group("dear", "2026-11-30", runs=2, work=Amounts(cores=4)),
        ],
        SPAN,
        RATES,
    )
    assert [(one.name, one.runs, one.cost.amount, one.cost.failed) for one in found] == [
        ("dear", 3, 9.0, 3.0),
        ("cheap", 1, 1.0, 0.0),
    ]
    assert (found.total.runs, found.total.cost.amount) == (4, 10.0)
    assert dict(zip(found.span.days, found[0].days, strict=True))["2026-11-29"] == 5.0
    assert sum(found.total.days) == 10.0


def test_what_has_no_record_is_counted_apart_and_said() -> None:
    found = report([group("old", work=Amounts(unknown=3)), group("new", work=Amounts(cores=1))], SPAN, RATES)
    assert {one.name: (one.cost.amount, one.unknown) for one in found} == {"new": (1.0, 0), "old": (None, 3)}
    text = draw_costs(found)["text/plain"]
    assert "Costs: at least 1.00 EUR" in text
    assert "3 attempts without a record not counted" in " ".join(text.split())
    assert "unknown" in text


def test_currency_date_and_source_of_prices_are_always_said() -> None:
    html = draw_costs(report([group("a", work=Amounts(cores=1))], SPAN, RATES))
    for form in html.values():
        assert "EUR" in form
        assert "2026-11-01" in form
        assert "from here" in form


def test_no_runs_are_said_so() -> None:
    assert "No run ended in this time." in draw_costs(report([], SPAN, RATES))["text/plain"]


def test_a_bought_machine_breaks_even_where_its_standing_cost_is_what_is_saved() -> None:
    machine = HALF_A_EURO.machine
    assert machine is not None
    there = machine_rates(
        Rates("cloud", "USD", "2026-11-01", "c"), PricedMachine(cores=8, memory=32, hour=0.56)
    )
    assert break_even(machine, there) == pytest.approx(0.25 / (0.56 - 0.06))


def test_a_place_that_costs_less_than_the_power_is_never_dearer() -> None:
    machine = HALF_A_EURO.machine
    assert machine is not None
    there = machine_rates(
        Rates("cloud", "USD", "2026-11-01", "c"), PricedMachine(cores=8, memory=32, hour=0.05)
    )
    assert break_even(machine, there) == math.inf


def test_elsewhere_and_here_are_compared_with_how_much_the_machine_was_used() -> None:
    used = [group("churn", work=Amounts(cores=48.0, memory=96.0))]  # six hours of the machine
    found = report(used, SPAN, HALF_A_EURO, places=[HALF_A_EURO, offer("gke")], own=HALF_A_EURO)
    assert found.machine is not None
    assert (found.machine.used_hours, found.machine.hours) == (6.0, 48.0)
    assert found.machine.utilisation == pytest.approx(0.125)
    assert found.machine.standing == pytest.approx(12.0)
    mine, gke = found.places
    assert mine.break_even is None
    assert gke.break_even == pytest.approx(0.25 / (0.38847 - 0.06))
    text = draw_costs(found)["text/plain"]
    assert "your machine was used for 6.0 of 48 h (12.5%)" in text
    assert "76% of the time" in text


def test_prices_in_another_currency_are_not_compared_with_a_machine() -> None:
    used = [group("churn", work=Amounts(cores=1.0))]
    euros = Rates(**{**vars(HALF_A_EURO), "currency": "EUR"})
    (place,) = report(used, SPAN, euros, places=[offer("gke")], own=euros).places
    assert place.break_even is None


def test_the_runs_of_a_home_are_summed_by_what_they_have_in_common(home: Path) -> None:
    write_run(home, "261130-080000-aaaa", {Purpose.WORK: Amounts(cores=2)}, experiment="e1", owner="ann")
    write_run(home, "261130-080000-bbbb", {Purpose.WORK: Amounts(cores=3)}, experiment="e2", owner="ann")
    write_run(home, "261130-080000-cccc", None, pipeline="old")
    price = 0.031611
    by = {name: kfnb.costs(by=name) for name in ("pipeline", "experiment", "user", "namespace", "run")}
    amounts = {
        name: {one.name: one.cost.amount and round(one.cost.amount / price, 6) for one in found}
        for name, found in by.items()
    }
    assert amounts["pipeline"] == {"churn": 5.0, "old": None}
    assert amounts["experiment"] == {"e2": 3.0, "e1": 2.0, "": None}
    assert amounts["user"] == {"ann": 5.0, "": None}
    assert amounts["namespace"] == {"local": 5.0}
    assert by["namespace"].total.unknown == 1
    assert len(by["run"]) == 3


def test_runs_are_summed_by_the_model_that_they_made(home: Path, tmp_path: Path) -> None:
    write_run(home, "261130-080000-aaaa", {Purpose.WORK: Amounts(cores=2)})
    write_run(home, "261130-080000-bbbb", {Purpose.WORK: Amounts(cores=1)})
    model = tmp_path / "model.onnx"
    model.write_text("\x08\x08\x12model")
    kfnb.register(model, "churn-model", run="261130-080000-aaaa")
    assert {one.name: one.runs for one in kfnb.costs(by="model")} == {"churn-model": 1, "": 1}


def test_only_runs_that_ended_since_then_are_counted(home: Path) -> None:
    write_run(home, "261130-080000-aaaa", {Purpose.WORK: Amounts(cores=2)})
    assert kfnb.costs(since="1h").total.runs == 1
    assert kfnb.costs(since=4e9).total.runs == 0


def test_what_if_computes_all_by_another_offer(home: Path) -> None:
    write_run(home, "261130-080000-aaaa", {Purpose.WORK: Amounts(cores=8, memory=32)})
    assert kfnb.costs(what_if="n2-standard-8").total.cost.amount == pytest.approx(0.38847)
    assert kfnb.costs(what_if="n2-standard-8,spot").total.cost.amount == pytest.approx(0.12701)
    with pytest.raises(UsageError, match="only spot may follow"):
        kfnb.costs(what_if="n2-standard-8,cheap")


def test_an_unknown_way_to_sum_up_is_refused_with_a_suggestion(home: Path) -> None:
    with pytest.raises(UsageError, match="did you mean pipeline"):
        kfnb.costs(by="pipelin")


def test_costs_are_json_and_a_table(home: Path) -> None:
    write_run(home, "261130-080000-aaaa", {Purpose.WORK: Amounts(cores=2, gpus={"A100": 1.0})})
    found = kfnb.costs(compare=["gke", "sagemaker"])
    data = json.loads(json.dumps(DISPLAYS[CostReport].data(found)))
    assert data["total"]["currency"] == "USD"
    assert [place["cost"] for place in data["places"]] == [None, None]  # neither has a price of an A100
    assert "A100" in data["places"][0]["why"]
    frame: Any = found.to_frame()
    assert list(frame["pipeline"]) == ["churn"]
