"""What a pod does about alarms: it tells of them in the monitor, and says when the pipeline retrains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from kfnb.resources.monitors.model import ALERT, RETRAIN, Action, ActionState, Alarm, MonitorSpec, kind_of
from kfnb.resources.monitors.responses import StepTurn, next_turns

_MOST_STEPS = 20


def answered(
    spec: MonitorSpec, alarms: Sequence[Alarm], actions: Iterable[Action], run: str, now: float
) -> tuple[tuple[Action, ...], bool]:
    """All actions after a check, and whether the run ``run`` retrains.

    A retraining that another run has begun and not completed has failed: runs of a monitor follow each other.
    """
    known = {_key(one): one for one in (_ended(each, run, now) for each in actions)}
    seen: set[tuple[int, int, int]] = set()
    for _ in range(_MOST_STEPS):
        turns = [
            one
            for one in next_turns(spec, alarms, list(known.values()), now)
            if (one.alarm.number, one.attempt, one.place) not in seen
        ]
        if not turns:
            break
        for turn in turns:
            seen.add((turn.alarm.number, turn.attempt, turn.place))
            action = _taken(spec, turn, run, now)
            known[_key(action)] = action
    found = tuple(known[key] for key in sorted(known))
    return found, any(one.state == "started" and one.run == run for one in found)


def retrained(actions: Iterable[Action], run: str, now: float) -> tuple[Action, ...]:
    """All actions after the retraining of a run is complete."""
    return tuple(
        replace(one, state="done", at=now, detail=f"run {run} has retrained")
        if one.state == "started" and one.run == run
        else one
        for one in actions
    )


def _ended(one: Action, run: str, now: float) -> Action:
    if one.state != "started" or one.run == run:
        return one
    return replace(one, state="failed", at=now, detail=f"run {one.run} did not complete the retraining")


def _taken(spec: MonitorSpec, turn: StepTurn, run: str, now: float) -> Action:
    state, detail, own = _outcome(spec, turn, run)
    since = now if turn.begun is None or turn.begun.state == "held" else turn.begun.since
    return Action(
        turn.alarm.number, turn.place, turn.text, state, since, now, detail, own, attempt=turn.attempt
    )


def _outcome(spec: MonitorSpec, turn: StepTurn, run: str) -> tuple[ActionState, str, str]:
    """The state of a step, its detail and its run."""
    if turn.dropped or turn.held:
        return ("skipped" if turn.dropped else "held"), turn.dropped or turn.held, ""
    if kind_of(turn.text) == ALERT:
        return "done", "shown in the monitor", ""
    assert kind_of(turn.text) == RETRAIN, turn.text  # no other step is accepted on a cluster
    if spec.dry_run:
        return "planned", f"dry run: it would {turn.text}", ""
    return "started", f"run {run} retrains", run


def _key(one: Action) -> tuple[int, int, int]:
    return one.alarm, one.attempt, one.place
