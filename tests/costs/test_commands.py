"""Costs in a cell and in a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pipelines_that_rest import resting

import kfnb
from kfnb import cli


def test_a_run_costs_the_same_in_its_head_in_lists_and_as_json(
    home: Path, shell, capsys: pytest.CaptureFixture[str]
) -> None:
    run = kfnb.submit(resting, {"seconds": 0.2}).wait(30)
    cost = run.cost.amount
    assert cost
    assert cli.main(["costs", "show", run.id, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["cost"], shown["currency"]) == (pytest.approx(cost), "USD")
    assert [task["task"] for task in shown["tasks"]] == ["rest"]
    assert cli.main(["runs", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["cost"]["amount"] == pytest.approx(cost, rel=1e-3)
    assert row["cost"]["date"]
    assert cli.main(["costs", "--by", "user", "--compare", "gke", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["total"]["cost"] == pytest.approx(cost, rel=1e-3)
    assert found["places"][0]["prices"]["name"] == "gcp/n2-standard-8"


def test_an_unknown_offer_is_one_line_in_a_terminal(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["costs", "--compare", "gkee"]) == 2
    assert "unknown offer gkee; did you mean gke?" in capsys.readouterr().err


def test_prices_are_listed_with_dates_and_sources(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["costs", "prices", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["used"] == "opencost"
    assert all(one["date"] and one["source"] and one["currency"] for one in listed["offers"])
