"""The word, icon and colour of a trial's state."""

from __future__ import annotations

from kfnb.entities import RunState
from kfnb.resources.studies.model import Trial, TrialState
from kfnb.ui import theme
from kfnb.ui.states import StateStyle, style_of

_STYLES = {
    TrialState.PENDING: style_of(RunState.PENDING),
    TrialState.RUNNING: style_of(RunState.RUNNING),
    TrialState.SUCCEEDED: style_of(RunState.SUCCEEDED),
    TrialState.EARLY_STOPPED: StateStyle("◇", "Early stopped", theme.AMBER, "M5 8 H11", solid=True),
    TrialState.METRICS_UNAVAILABLE: StateStyle(
        "?", "No metrics", theme.RED, "M6.2 6.4 A1.9 1.9 0 1 1 8 8.5 V9.2 M8 11.3 V11.4"
    ),
    TrialState.KILLED: StateStyle("■", "Killed", theme.AMBER, "M5.8 5.8 H10.2 V10.2 H5.8 Z", solid=True),
    TrialState.FAILED: style_of(RunState.FAILED),
}

BROKEN = frozenset({TrialState.FAILED, TrialState.METRICS_UNAVAILABLE})
"""What went wrong with a trial, not with its parameters."""


def trial_style(state: TrialState) -> StateStyle:
    """How ``state`` is shown."""
    return _STYLES[state]


def in_order(trials: tuple[Trial, ...]) -> list[tuple[TrialState, int]]:
    """How many trials are in which state, of the states that occur: what succeeded first."""
    order = [
        TrialState.SUCCEEDED,
        TrialState.EARLY_STOPPED,
        TrialState.KILLED,
        TrialState.FAILED,
        TrialState.METRICS_UNAVAILABLE,
        TrialState.RUNNING,
        TrialState.PENDING,
    ]
    counts: dict[TrialState, int] = {}
    for trial in trials:
        counts[trial.state] = counts.get(trial.state, 0) + 1
    return [(state, counts[state]) for state in order if state in counts]
