"""Fifty years of weather, in which the accuracy of a forecast falls in the end: drift is not harm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd
import pytest
from streams import reference_of

from kfnb.capture.embedded.counting import kfnb_Counter
from kfnb.capture.embedded.profiles import kfnb_profile
from kfnb.resources.monitors.drift import drift_score
from kfnb.resources.monitors.evaluation import Window, report_of
from kfnb.resources.monitors.model import MonitorSpec, MonitorState, Report, Rule
from kfnb.resources.monitors.panes import Pane
from kfnb.resources.monitors.performance import Labelled
from kfnb.resources.monitors.reference import MonitorReference
from kfnb.resources.monitors.rules import DROP, SCORE
from kfnb.resources.monitors.transitions import Standing, standing_after
from kfnb.server.importance import permutation_importance
from tests.real_data import rain

pytestmark = pytest.mark.slow

CHANGE, BASE, WINDOW, DAY = 12_000, 4_000, 1_000, 86_400.0
SPEC = MonitorSpec(
    "rain",
    "rain",
    "rain@1",
    (Rule("score", SCORE), Rule("drop", DROP, "accuracy")),
    every=WINDOW * DAY,
    references=4,
)


class Forecast:
    """A forecast of rain from some days, and what later ones are compared with."""

    def __init__(self, days: pd.DataFrame, name: str) -> None:
        from sklearn.ensemble import RandomForestClassifier

        self.columns = [one for one in days.columns if one not in ("rain", "Unnamed: 0")]
        learned, held = days.iloc[::2], days.iloc[1::2]
        model = RandomForestClassifier(60, min_samples_leaf=10, random_state=0)
        self._model = model.fit(learned[self.columns], learned.rain)

        def right(rows: pd.DataFrame) -> float:
            return float((self._model.predict(rows) == held.rain.to_numpy()).mean())

        held_rows = held[self.columns].reset_index(drop=True)
        losses = permutation_importance(right, held_rows, tuple(self.columns), repeats=3)
        total = sum(max(0.0, loss) for _, loss, _ in losses)
        shares = {column: max(0.0, loss) / total for column, loss, _ in losses}
        own = replace(reference_of(days[self.columns], 4), importances=shares, version=name)
        parts = [days[self.columns].iloc[at * len(days) // 4 : (at + 1) * len(days) // 4] for at in range(4)]
        spread = max(drift_score(own, kfnb_profile(one)) or 0.0 for one in parts)
        self.reference: MonitorReference = replace(
            own, score_spread=spread, usual={"accuracy": right(held_rows)}
        )

    def report(self, days: pd.DataFrame, at: float) -> Report:
        """The report of a window of days, whose labels have all come."""
        counter = kfnb_Counter(dict(self.reference.profile))
        counter.add(days[self.columns])
        pane = Pane(self.reference.key, at - WINDOW * DAY, at, rows=len(days), inputs=counter.profile())
        pairs = zip(self._model.predict(days[self.columns]), days.rain, strict=True)
        labelled = [Labelled(int(one), int(other), at) for one, other in pairs]
        return report_of(SPEC, self.reference, Window(pane, labelled, at, 0.0))


def watched(forecast: Forecast, days: pd.DataFrame, first: int, last: int) -> Iterator[tuple[int, Standing]]:
    """What holds after each window: the first day of the window, and the standing."""
    standing, reports = Standing(), list[Report]()
    for start in range(first, last, WINDOW):
        report = forecast.report(days.iloc[start : start + WINDOW], (start + WINDOW) * DAY)
        standing = standing_after(SPEC, standing, reports, report, report.until)
        reports.append(report)
        yield start, standing


def test_an_alarm_comes_within_two_windows_and_not_before_and_retraining_recovers() -> None:
    days = pd.read_csv(rain())
    forecast = Forecast(days.iloc[:BASE], "rain@1")
    for start, standing in watched(forecast, days, BASE, CHANGE + 3 * WINDOW):
        if start < CHANGE:
            assert not standing.alarms, f"the accuracy has not fallen yet, in day {start}"
        if start == CHANGE + WINDOW:
            states = {one.rule: one.state for one in standing.rules}
            assert states == {"score": MonitorState.ALARM, "drop accuracy": MonitorState.ALARM}
    again = Forecast(days.iloc[CHANGE : CHANGE + 2 * WINDOW], "rain@2")
    *_, (_, last) = watched(again, days, CHANGE + 2 * WINDOW, CHANGE + 5 * WINDOW)
    assert not last.alarms
