"""The display of a state: an icon, a word and a colour; the word and the icon suffice without the colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from kfnb.entities import RunState, Task
from kfnb.ui import theme


@dataclass(frozen=True)
class StateStyle:
    """``icon`` is one character of text; ``sign`` the same drawn in a 16 by 16 square, as an SVG path."""

    icon: str
    word: str
    colour: str
    sign: str
    solid: bool = False


_STYLES = {
    RunState.PENDING: StateStyle("○", "Pending", theme.GREY, ""),
    RunState.RUNNING: StateStyle("●", "Running", theme.BLUE, "M6.8 5.4 L10.6 8 L6.8 10.6 Z", solid=True),
    RunState.SUCCEEDED: StateStyle("✓", "Succeeded", theme.GREEN, "M4.6 8.3 L7 10.6 L11.4 5.8", solid=True),
    RunState.FAILED: StateStyle(
        "✗", "Failed", theme.RED, "M5.4 5.4 L10.6 10.6 M10.6 5.4 L5.4 10.6", solid=True
    ),
    RunState.SKIPPED: StateStyle("⊘", "Skipped", theme.GREY, "M4.2 11.8 L11.8 4.2"),
    RunState.CANCELING: StateStyle("◐", "Canceling", theme.AMBER, "M6 6 H10 V10 H6 Z"),
    RunState.CANCELED: StateStyle("■", "Canceled", theme.AMBER, "M5.8 5.8 H10.2 V10.2 H5.8 Z", solid=True),
    RunState.PAUSED: StateStyle("‖", "Paused", theme.AMBER, "M6.3 5.2 V10.8 M9.7 5.2 V10.8", solid=True),
}

# for several tasks: the first of these states that any of them is in
_PRECEDENCE = (
    RunState.FAILED,
    RunState.CANCELING,
    RunState.RUNNING,
    RunState.PAUSED,
    RunState.CANCELED,
)


def style_of(state: RunState) -> StateStyle:
    """How ``state`` is shown."""
    return _STYLES[state]


def shown(task: Task) -> Task:
    """A task as it is shown: one that waits for something does not run yet, also where its backend says so."""
    if task.group or not task.doing or task.state is not RunState.RUNNING:
        return task
    return replace(task, state=RunState.PENDING, started=None, began=())


def overall(states: Iterable[RunState]) -> RunState:
    """One state for several tasks: failed, else still running, else what all came to."""
    seen = set(states)
    for state in _PRECEDENCE:
        if state in seen:
            return state
    if RunState.PENDING in seen:
        return RunState.RUNNING if RunState.SUCCEEDED in seen else RunState.PENDING
    return RunState.SUCCEEDED if RunState.SUCCEEDED in seen else RunState.SKIPPED


def caption_of_many(states: Sequence[RunState]) -> str:
    """Several tasks in few words: ``1 of 24 failed``, ``10 ran, 2 skipped``, ``12 of 24 done``."""
    total, failed = len(states), states.count(RunState.FAILED)
    if failed:
        return f"{failed} of {total} failed"
    ran, skipped = states.count(RunState.SUCCEEDED), states.count(RunState.SKIPPED)
    if ran and skipped and ran + skipped == total:
        return f"{ran} ran, {skipped} skipped"
    if len(set(states)) == 1:
        return style_of(states[0]).word
    return f"{sum(state.finished for state in states)} of {total} done"


def tally(states: Iterable[RunState]) -> str:
    """How many are in which state: ``3 Succeeded, 1 Failed``."""
    counts: dict[RunState, int] = {}
    for state in states:
        counts[state] = counts.get(state, 0) + 1
    ordered = sorted(counts, key=list(RunState).index)
    return ", ".join(f"{counts[state]} {style_of(state).word}" for state in ordered)
