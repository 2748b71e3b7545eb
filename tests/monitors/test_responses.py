"""Which step follows an alarm: once, one answer at a time, with a cool-down, a budget, and pauses after failures."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.resources.monitors.model import Action, ActionState, Alarm, MonitorSpec, Rule
from kfnb.resources.monitors.responses import StepTurn, next_turns

DAY, HOUR = 86400.0, 3600.0
SPEC = MonitorSpec(
    "churn",
    "churn",
    "data@1",
    (Rule("drift", 0.2),),
    then=("alert", "retrain:train", "promote"),
    cooldown=DAY,
)
ALARM = Alarm(1, "drift", 0.0, "it drifts")


def turns(
    alarms: list[Alarm], actions: list[Action], now: float = 0.0, spec: MonitorSpec = SPEC
) -> list[StepTurn]:
    return list(next_turns(spec, alarms, actions, now))


def done(
    place: int, state: ActionState = "done", *, alarm: int = 1, at: float = 0.0, attempt: int = 1
) -> Action:
    return Action(alarm, place, SPEC.then[place], state, at, at, attempt=attempt)


def taken(found: list[StepTurn]) -> list[tuple[int, str, str]]:
    return [(one.alarm.number, one.text, one.held or one.dropped) for one in found]


def test_steps_follow_each_other() -> None:
    assert taken(turns([], [])) == []
    assert taken(turns([ALARM], [])) == [(1, "alert", "")]
    assert taken(turns([ALARM], [done(0)])) == [(1, "retrain:train", "")]
    assert taken(turns([ALARM], [done(0), done(1, "started")])) == [(1, "retrain:train", "")]
    assert taken(turns([ALARM], [done(0), done(1)])) == [(1, "promote", "")]
    assert turns([ALARM], [done(0), done(1), done(2)], 10 * DAY) == [], "an alarm is answered once"


def test_an_alert_that_fails_keeps_nothing_from_being_done() -> None:
    assert taken(turns([ALARM], [done(0, "failed")])) == [(1, "retrain:train", "")]


@pytest.mark.parametrize("rule", ["refused", "traffic", "labels"])
def test_an_alarm_of_requests_is_only_reported(rule: str) -> None:
    """A model must not be made of rows that were refused, and a new one does not bring requests or labels."""
    spec = replace(SPEC, then=("retrain:train", "alert", "canary:1", "call:json:dumps", "promote"))
    alarm, found = Alarm(1, rule, 0.0, "60 of 60 requests were refused"), list[str]()
    actions: list[Action] = []
    while taken_now := turns([alarm], actions, DAY, spec):
        (turn,) = taken_now
        found.append(turn.text)
        actions.append(Action(1, turn.place, turn.text, "done", 0.0, 0.0))
    assert found == ["alert", "call:json:dumps"]
    assert turns([alarm], [], DAY, replace(spec, then=("retrain:train", "rollback"))) == []


def test_it_does_not_keep_another_alarm_from_being_answered() -> None:
    refused = Alarm(2, "refused", 0.0, "60 of 60 requests were refused")
    assert taken(turns([refused, ALARM], [done(0), done(0, alarm=2)])) == [(1, "retrain:train", "")]


def test_one_answer_at_a_time() -> None:
    second = Alarm(2, "below accuracy", 10.0, "accuracy is 0.7")
    begun = [done(0), done(1, "started"), done(0, alarm=2)]
    assert taken(turns([ALARM, second], begun)) == [
        (1, "retrain:train", ""),
        (2, "retrain:train", "alarm 1 is being answered"),
    ]


def test_a_failed_answer_is_not_tried_again_while_another_one_is_under_way() -> None:
    second = Alarm(2, "score", 0.0, "it drifts")
    failed = [done(0), done(1, "failed"), done(0, alarm=2)]
    waiting = [*failed, done(1, alarm=2, at=1.5 * DAY), done(2, "waiting", alarm=2, at=3 * DAY)]
    assert taken(turns([ALARM, second], waiting, 3 * DAY)) == [
        (1, "retrain:train", "alarm 2 is being answered"),
        (2, "promote", ""),
    ]
    held = [*waiting[:-1], done(2, alarm=2, at=3 * DAY), done(1, "held", at=3 * DAY, attempt=2)]
    (turn,) = turns([ALARM, second], held, 3.5 * DAY)
    assert turn.held.startswith("cool-down: alarm 2 was answered")
    (turn,) = turns([ALARM, second], held, 4.5 * DAY)
    assert (turn.attempt, turn.held) == (2, "")


def test_two_alarms_at_once_begin_one_answer() -> None:
    second = Alarm(2, "score", 0.0, "it drifts")
    found = turns([ALARM, second], [done(0), done(0, alarm=2)])
    assert taken(found) == [(1, "retrain:train", ""), (2, "retrain:train", "alarm 1 is being answered")]


def test_a_flapping_alarm_retrains_once() -> None:
    first, second = replace(ALARM, until=HOUR), Alarm(2, "drift", 2 * HOUR, "it drifts again")
    actions = [done(0), done(1), done(2, at=HOUR), done(0, alarm=2, at=2 * HOUR)]
    (turn,) = turns([first, second], actions, 2 * HOUR)
    assert turn.held.startswith("cool-down: alarm 1 was answered")
    held = Action(2, 1, "retrain:train", "held", 2 * HOUR, 2 * HOUR)
    ended = replace(second, until=3 * HOUR)
    assert taken(turns([first, ended], [*actions, held], 3 * HOUR)) == [
        (2, "retrain:train", "the alarm has ended")
    ]
    assert taken(turns([first, second], [*actions, held], 2 * DAY)) == [(2, "retrain:train", "")], "it lasts"


def test_retraining_has_a_budget() -> None:
    spec = replace(SPEC, cooldown=0.0, budget=1)
    second = Alarm(2, "drift", HOUR, "again")
    actions = [done(0), replace(done(1), run="r1"), done(2), done(0, alarm=2)]
    (turn,) = turns([replace(ALARM, until=1.0), second], actions, 2 * HOUR, spec)
    assert turn.held == "budget: 1 retrainings in 24 hours, of 1"
    assert taken(turns([ALARM, second], actions, 25 * HOUR, spec)) == [(2, "retrain:train", "")]


def test_a_failure_is_tried_again_after_pauses_that_double_while_the_alarm_lasts() -> None:
    failed = [done(0), done(1, "failed")]
    assert turns([ALARM], failed, 0.9 * DAY) == []
    (again,) = turns([ALARM], failed, 1.1 * DAY)
    assert (again.attempt, again.place, again.text) == (2, 1, "retrain:train"), "it is not alerted again"
    twice = [*failed, done(1, "failed", at=1.1 * DAY, attempt=2)]
    assert turns([ALARM], twice, 3 * DAY) == []
    assert [one.attempt for one in turns([ALARM], twice, 3.2 * DAY)] == [3]
    assert turns([replace(ALARM, until=DAY)], failed, 9 * DAY) == [], "the alarm is over"


@given(st.lists(st.sampled_from(["done", "failed", "skipped", "held", "started", "waiting"]), max_size=3))
def test_whatever_became_of_steps_a_step_is_taken_once(states: list[ActionState]) -> None:
    actions = [done(place, state) for place, state in enumerate(states)]
    for turn in turns([ALARM], actions, HOUR):
        known = next((one for one in actions if one.place == turn.place), None)
        assert known is None or not known.finished
        assert turn.begun == known
