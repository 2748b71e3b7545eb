"""The state of Katib's Experiments, for studies and for the status of a namespace."""

from __future__ import annotations

from kfnb.entities import RunState
from kfnb.remote.kubernetes.fields import Item, at, mapping, rows

STOPPED = "kfnb/stopped"
"""The annotation of an Experiment that was asked to stop, which Katib does not support."""
RESUMABLE = ("LongRunning", "FromVolume")
"""The resume policies with which Katib continues an Experiment."""
ALL_REACHED = "ExperimentMaxTrialsReached"
"""Katib's reason for an Experiment that ran all of its trials."""

_STATES = (
    ("Failed", RunState.FAILED),
    ("Succeeded", RunState.SUCCEEDED),
    ("Restarting", RunState.RUNNING),
    ("Running", RunState.RUNNING),
)
"""Katib's conditions by precedence; several may be true at once."""


def experiment_state(experiment: Item) -> tuple[RunState, Item]:
    """The state, and the condition that it comes from. A stopped Experiment counts as canceled."""
    held = held_conditions(experiment)
    state, condition = next(
        ((state, held[kind]) for kind, state in _STATES if kind in held), (RunState.PENDING, {})
    )
    if _given_more(experiment, condition):
        state = RunState.RUNNING
    if at(experiment, "metadata", "annotations", STOPPED) is not None and state is not RunState.FAILED:
        return (RunState.CANCELED if state.finished else RunState.CANCELING), condition
    if at(experiment, "metadata", "deletionTimestamp") and not state.finished:
        return RunState.CANCELING, condition
    return state, condition


def held_conditions(item: Item) -> dict[str, Item]:
    """The conditions of an object that are true, by their types."""
    return {
        str(one.get("type")): one for one in rows(item, "status", "conditions") if one.get("status") == "True"
    }


def _given_more(experiment: Item, condition: Item) -> bool:
    """Whether an Experiment that ran all of its trials got more, which Katib has not noticed yet."""
    spec, begun = mapping(experiment, "spec"), at(experiment, "status", "trials")
    most = spec.get("maxTrialCount")
    more = (most if isinstance(most, int) else 0) > (begun if isinstance(begun, int) else 0)
    return more and condition.get("reason") == ALL_REACHED and spec.get("resumePolicy") in RESUMABLE
