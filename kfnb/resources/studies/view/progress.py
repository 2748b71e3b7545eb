"""How far a study is, and how much longer it will take."""

from __future__ import annotations

import time
from dataclasses import dataclass

from kfnb.entities import RunState
from kfnb.resources.studies.model import StudySnapshot, TrialState
from kfnb.resources.studies.view.states import in_order, trial_style
from kfnb.ui import theme
from kfnb.ui.blocks import filled
from kfnb.ui.markup import Element, el
from kfnb.ui.words import duration

RECENT = 50
"""Trials, the last that ended, whose time tells how long the next ones take."""


def time_left(study: StudySnapshot, now: float) -> float | None:
    """Seconds until a study will be done; None where that is not known.

    As long as the last trials took on average, so long the others will, as many at once as the study runs.
    """
    if study.state.finished:
        return None
    left, until = _by_trials(study, now), None
    if study.timeout is not None and study.started is not None:
        until = study.started + study.timeout - now
    known = [] if left is None else [max(0.0, left)]
    if until is not None and until > 0:  # a study that is resumed after its time was up has all of it again
        known.append(until)
    return min(known) if known else None


def _by_trials(study: StudySnapshot, now: float) -> float | None:
    took = [trial.seconds for trial in study.trials[-2 * RECENT :] if trial.seconds is not None][-RECENT:]
    if study.max_trials is None or not took:
        return None
    mean = sum(took) / len(took)
    remaining = study.max_trials - study.done
    spent = sum(
        min(mean, max(0.0, now - trial.started))
        for trial in study.trials
        if trial.state is TrialState.RUNNING and trial.started is not None
    )
    return (remaining * mean - spent) / max(1, min(study.parallel, remaining))


@dataclass(frozen=True)
class StudyProgress:
    """How many of a study's trials are done, how they ended, and how much longer it takes."""

    study: StudySnapshot
    now: float

    def to_html(self) -> Element:
        """A bar of states, and the words."""
        trials = self.study.trials
        killed = sum(trial.state is TrialState.KILLED for trial in trials)
        whole = max(len(trials), (self.study.max_trials or 0) + killed) or 1
        parts = (
            el("div", style=f"flex:{count / whole:.4f} 0 0;background:{trial_style(state).colour}")
            for state, count in in_order(trials)
            if state is not TrialState.PENDING
        )
        rest = el("div", style=f"flex:{(whole - sum(map(_begun, in_order(trials)))) / whole:.4f} 0 0")
        style = (
            f"display:flex;gap:1px;height:6px;border-radius:3px;overflow:hidden;background:{theme.SHADE};"
            "margin:0 0 5px;max-width:640px"
        )
        bar = el("div", *parts, rest, aria_hidden="true", style=style)
        words = el("div", *self._words(), style="overflow-wrap:anywhere")
        return el("div", bar, words, style="margin:0 0 14px")

    def _words(self) -> list[Element | str]:
        words: list[Element | str] = [el("strong", self._done())]
        for state, count in in_order(self.study.trials):
            style = trial_style(state)
            icon = el("span", style.icon, style=f"color:{style.colour};font-weight:700")
            words += [" · ", el("span", icon, f" {count} {style.word.lower()}", style="white-space:nowrap")]
        words += [f" · {self._left()}"] if self._left() else []
        return words

    def to_text(self) -> str:
        """The words."""
        states = [
            f"{count} {trial_style(state).word.lower()}" for state, count in in_order(self.study.trials)
        ]
        return filled(" · ".join(part for part in (self._done(), ", ".join(states), self._left()) if part))

    def _done(self) -> str:
        done, most = self.study.done, self.study.max_trials
        if most is None or (self.study.state.finished and done >= most):
            return f"{done:,} trial{'s' if done != 1 else ''}"
        return f"{done:,} of {most:,} trials"

    def _left(self) -> str:
        study = self.study
        if study.state.finished:
            return study.reason
        if study.state is RunState.CANCELING:
            return "being stopped"
        left = time_left(study, self.now)
        if left is None:
            return "time left unknown" if study.trials else ""
        early = " at most" if study.objective.goal is not None else ""
        return f"about {duration(left)} left{early}"


def _begun(counted: tuple[TrialState, int]) -> int:
    state, count = counted
    return 0 if state is TrialState.PENDING else count


def moment_now(now: float | None) -> float:
    """``now``, or the clock's."""
    return time.time() if now is None else now
