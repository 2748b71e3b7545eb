"""What is done about an alarm: which step is next, and what keeps it from being taken. Nothing is done here.

An alarm is answered once, by the steps of the monitor in their order. One answer is under way at a time. What costs
something (all but telling of the alarm) has a cool-down, and retraining a budget. An alarm that is of the requests, and
not of the model, is only reported: a model must not be made of rows that were refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from kfnb.errors import UsageError
from kfnb.resources.monitors.model import (
    ALERT,
    CALL,
    OF_REQUESTS,
    ONLY_WARNING,
    RETRAIN,
    Action,
    Alarm,
    MonitorSpec,
    Rule,
    kind_of,
    rule_kind,
)
from kfnb.ui.words import duration

_DAY = 86400.0


@dataclass(frozen=True)
class StepTurn:
    """A step whose turn it is: of which alarm, in which ``attempt`` of its answer, at which ``place``.

    ``begun`` is the step as it was left, if it was begun before. With ``held`` it has to wait, with ``dropped`` it
    is not taken any more: both say why.
    """

    alarm: Alarm
    attempt: int
    place: int
    text: str
    begun: Action | None = None
    held: str = ""
    dropped: str = ""


def follows(rule: str, step: str) -> bool:
    """Whether a step follows an alarm of a rule."""
    return rule_kind(rule) not in OF_REQUESTS or kind_of(step) in (ALERT, CALL)


def check_steps(rules: Iterable[Rule], steps: Sequence[str]) -> None:
    """Raise ``UsageError`` for a step that no rule leads to."""
    if any(one.kind not in (*OF_REQUESTS, *ONLY_WARNING) for one in rules):
        return
    for step in steps:
        if kind_of(step) not in (ALERT, CALL):
            message = (
                f"--then {step}: no rule leads to it, as estimates only warn, and refusals are only reported:"
            )
            hint = "add a limit of drift, or of a metric with labels"
            raise UsageError(message, code="invalid-argument", hint=hint, ref=step)


def next_turns(
    spec: MonitorSpec, alarms: Sequence[Alarm], actions: Sequence[Action], now: float
) -> Iterator[StepTurn]:
    """The steps that are to be taken or followed up now, at most one of each alarm's answer.

    Alerts are sent also while another answer is under way. A failed answer is tried again as long as its alarm lasts.
    """
    answers = [
        _Answer(spec, one, [each for each in actions if each.alarm == one.number], now) for one in alarms
    ]
    under_way = next((one for one in answers if one.under_way), None)
    for answer in answers:
        turn = answer.next()
        if turn is None:
            continue
        if kind_of(turn.text) == ALERT or answer is under_way:
            yield _within_budget(spec, turn, actions, now)
        elif turn.alarm.until is not None:
            yield replace(turn, dropped="the alarm has ended")
        elif under_way is not None:
            yield replace(turn, held=f"alarm {under_way.alarm.number} is being answered")
        else:
            held = _cooling(spec, turn, actions, now)
            under_way = under_way or (None if held else answer)
            yield replace(turn, held=held) if held else _within_budget(spec, turn, actions, now)


@dataclass(frozen=True)
class _Answer:
    """The steps that were ``taken`` of an alarm."""

    spec: MonitorSpec
    alarm: Alarm
    taken: Sequence[Action]
    now: float

    @property
    def _steps(self) -> list[tuple[int, str]]:
        """The steps that follow the alarm, each with its place in the monitor."""
        return [(place, text) for place, text in enumerate(self.spec.then) if follows(self.alarm.rule, text)]

    @property
    def attempt(self) -> int:
        """The number of the last attempt, from 1."""
        return max((one.attempt for one in self.taken), default=1)

    @property
    def under_way(self) -> bool:
        """Whether the last attempt did more than to tell of the alarm, and has not ended."""
        turn = self.next()
        begun = any(one.costly and one.attempt == self.attempt for one in self.taken)
        return begun and turn is not None and turn.attempt == self.attempt

    def next(self) -> StepTurn | None:
        """The first step that is not finished; none after one that was not taken."""
        attempt = self.attempt
        known = {one.place: one for one in self.taken if one.attempt == attempt or kind_of(one.text) == ALERT}
        for place, text in self._steps:
            step = known.get(place)
            if step is None or not step.finished:
                return StepTurn(self.alarm, attempt, place, text, step)
            if kind_of(text) != ALERT and step.state == "failed":
                return self._again(step.at)
            if kind_of(text) != ALERT and step.state == "skipped":
                return None
        return None

    def _again(self, failed: float) -> StepTurn | None:
        """The next attempt: after the cool-down, which doubles each time, if the alarm lasts."""
        pause = self.spec.cooldown * 2 ** (self.attempt - 1)
        if self.alarm.until is not None or self.now < failed + pause:
            return None
        place = next(at for at, text in self._steps if kind_of(text) != ALERT)
        return StepTurn(self.alarm, self.attempt + 1, place, self.spec.then[place])


def _cooling(spec: MonitorSpec, turn: StepTurn, actions: Sequence[Action], now: float) -> str:
    """Why an answer is not begun yet: another alarm was answered a short while ago."""
    costly = [one for one in actions if one.costly and one.alarm != turn.alarm.number]
    last = max(costly, key=lambda one: one.at, default=None)
    if last is None or now >= last.at + spec.cooldown:
        return ""
    return f"cool-down: alarm {last.alarm} was answered less than {duration(spec.cooldown)} before"


def _within_budget(spec: MonitorSpec, turn: StepTurn, actions: Sequence[Action], now: float) -> StepTurn:
    """The step, held where it is one retraining too many in 24 hours."""
    if kind_of(turn.text) != RETRAIN or (turn.begun is not None and turn.begun.costly):
        return turn
    recent = [
        one for one in actions if kind_of(one.text) == RETRAIN and one.costly and now - one.since < _DAY
    ]
    if len(recent) < spec.budget:
        return turn
    return replace(turn, held=f"budget: {len(recent)} retrainings in 24 hours, of {spec.budget}")
