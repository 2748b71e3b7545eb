"""Skew of a version that is served: what is planted in its requests, and in its transform, is told by the monitor."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from monitor_samples import applicants

import kfnb
from kfnb import clock
from kfnb.capture.embedded.transforms import kfnb_Transform
from kfnb.commands.display import as_json, bundle
from kfnb.entities.log_policy import LogPolicy
from kfnb.resources.models.api import model
from kfnb.resources.monitors.api import find_monitor
from kfnb.resources.monitors.model import Report
from kfnb.resources.monitors.reference import MonitorReference
from kfnb.resources.monitors.skew.finding import find_causes
from kfnb.resources.monitors.skew.serving import ServedRows
from kfnb.resources.services.model import Parity, Revision, Target

pytestmark = pytest.mark.slow

DAY = 86_400.0
PLAIN = """
def transform(df):
    made = df[["age", "income", "height", "celsius", "children", "spent", "grade", "gaps"]].fillna(0.0)
    made = made.assign(hour=df["updated"].dt.hour, member=df["member"].astype(float))
    return made.assign(north=1.0 * (df["region"] == "north"), saxony=1.0 * df["zip"].str.startswith("0"))
"""
OF_THE_BATCH = """
def transform(df):
    return df[["age", "height"]].assign(income=df["income"] / df["income"].mean())
"""


def served(code: str, **how: Any) -> Any:
    """The service ``credit`` of a model whose transform has that code."""
    from sklearn.tree import DecisionTreeClassifier

    table = applicants(0, 4000)
    data = kfnb.add_data("applicants", table)
    transform = kfnb_Transform("prepare", code, packages={"pandas": "pandas"}).fit(table)
    fitted = DecisionTreeClassifier(max_depth=4).fit(transform.transform(table), table.member)
    kfnb.register(fitted, "credit", data=data, transform=transform, example=table).promote()
    return kfnb.serve("credit@champion", on_bad_input="log", **how).wait(60)


def checked(service: Any, rows: pd.DataFrame) -> Report:
    """What a check says of rows that were served."""
    service.ask(rows)
    time.sleep(4)  # until they are in the log: more than half an hour on the clock
    return find_monitor("credit").check()


def kinds(report: Report) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in report.causes:
        found.setdefault(f"{one.part} {one.column}".strip(), set()).add(one.kind)
    return found


def test_what_is_planted_in_requests_is_told_and_usual_ones_tell_nothing(home: Path, tmp_path: Path) -> None:
    service = served(PLAIN)
    monitor = kfnb.monitor(service, baseline="applicants@1", skew=0.2, window="1h", every="1h")
    monitor.pause()
    usual = checked(service, applicants(1, 1500, days=1))
    assert usual.causes == ()
    assert max(usual.skew.values()) < 0.2, "the baseline is what the version was made of"
    assert [one.exceeded for one in usual.findings] == [False, False]

    clock.set_clock(tmp_path / "clock", rate=600.0, at=clock.now() + 10 * DAY)
    rows = applicants(2, 1500)
    late = rows.index % 3 > 0
    report = checked(
        service,
        rows.assign(
            age=rows.height,
            height=rows.age,
            income=rows.income / 1000,
            celsius=1.8 * rows.celsius + 32,
            spent=rows.spent.where(late),
            gaps=rows.gaps.fillna(0.5),
            grade=6 - rows.grade,
            region=rows.region.str.upper(),
            zip=rows.zip.astype(int).astype(str),
            updated=rows.updated + pd.Timedelta(hours=-5),
        ),
    )
    found = kinds(report)
    assert {name: some for name, some in found.items() if name.startswith("input")} == {
        "input age": {"column order"},
        "input height": {"column order"},
        "input income": {"unit"},
        "input celsius": {"unit"},
        "input spent": {"not yet known"},
        "input gaps": {"nulls", "constant"},
        "input grade": {"re-coded"},
        "input region": {"re-coded"},
        "input zip": {"type"},
        "input updated": {"time zone", "stale"},
    }
    assert found["feature hour"] == {"time zone"}
    assert found["feature income"] == {"unit"}
    assert "transform" not in {kind for some in found.values() for kind in some}, "both paths are the same"
    (rule, _) = report.findings
    assert rule.exceeded
    assert "likely cause: " in rule.evidence
    shown = bundle(monitor)
    for text in (shown["text/plain"], shown["text/html"], bundle(report)["text/plain"], as_json(monitor)):
        assert "column order" in text
    kept = json.loads(as_json(monitor))["report"]["causes"]
    assert len(kept) == len(report.causes)
    assert monitor.reports[-1].causes == report.causes


@pytest.mark.filterwarnings("ignore:prepare does not make of a row:UserWarning")  # it is what is planted
def test_a_transform_that_depends_on_other_rows_is_told_by_a_replay(home: Path) -> None:
    service = served(OF_THE_BATCH, unchecked=True)
    monitor = kfnb.monitor(service, baseline="applicants@1", skew=0.5, window="1h", every="1h")
    monitor.pause()
    rows = applicants(1, 300, days=1)
    for start in range(0, 300, 30):
        service.ask(rows[start : start + 30])
    time.sleep(4)
    report = monitor.check()
    (cause,) = [one for one in report.causes if one.kind == "transform"]
    assert (cause.column, cause.part) == ("income", "feature")
    assert cause.evidence.startswith("200 of 200 replayed rows have another value")
    assert report.findings[0].exceeded, "that is no matter of chance"


def test_columns_that_are_not_kept_are_not_replayed_and_that_is_said(home: Path) -> None:
    service = served(PLAIN, log=LogPolicy(hash=["zip"]))
    monitor = kfnb.monitor(service, baseline="applicants@1", window="1h", every="1h")
    monitor.pause()
    report = checked(service, applicants(1, 500, days=1))
    assert report.causes == (), "digests are not values"
    assert "skew: rows cannot be replayed: zip is not kept" in report.notes


def test_other_packages_and_another_model_are_told(home: Path) -> None:
    served(PLAIN).delete()
    version = model("credit@1")
    saved = dict(version.packages)
    reference = MonitorReference("applicants@1", "credit@1", {"rows": 0, "columns": []})

    def causes(digest: str, packages: dict[str, str]) -> list[tuple[str, str]]:
        target = Target(1, "credit", 1, digest)
        revision = Revision(target, parity=Parity(passed=True, report={"packages": packages}))
        return [(one.kind, one.column) for one in find_causes(reference, ServedRows(), revision, 0.0).causes]

    assert causes(version.digest, saved) == []
    assert causes(version.digest, {**saved, "pandas": "0.1"}) == [("package", "")]
    assert causes("0" * 64, saved) == [("model", "")]
