"""The thread that keeps a run's picture up to date, on runs that are made up."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from kfnb import model
from kfnb.errors import BackendError, RunNotFound
from kfnb.magics import following
from kfnb.magics.following import Follower
from kfnb.model import RunState, Task


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.now = 1000.0
        self.slept = []

    def time(self):
        return self.now

    monotonic = time

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


class MadeUpRun:
    """A run that is at each look what the next of ``looks`` says; an exception is raised."""

    id = "made-up"

    def __init__(self, *looks):
        self.looks = list(looks)

    def snapshot(self):
        look = self.looks.pop(0)
        if isinstance(look, Exception):
            raise look
        return look


class Place:
    def __init__(self):
        self.pictures = []

    def update(self, picture, **kwargs):
        assert kwargs == {"raw": True}
        self.pictures.append(picture["text/plain"])


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(following, "time", clock)
    return clock


def running(clock, *states):
    tasks = tuple(Task(str(number), str(number), state) for number, state in enumerate(states))
    return model.Run("made-up", "r", "p", "local", RunState.RUNNING, started=clock.now, tasks=tasks)


def followed(*looks, draw=None):
    """The pictures that a run's place in the notebook shows, one after the other."""
    place = Place()
    said = draw or (
        lambda run: {"text/plain": " ".join(str(task.state) for task in run.tasks) or str(run.state)}
    )
    Follower(MadeUpRun(*looks), said, [place]).go()
    return place.pictures


def test_the_picture_changes_when_the_run_does_and_stops_with_it(clock):
    first = running(clock, RunState.RUNNING)
    done = replace(first, tasks=(Task("0", "0", RunState.SUCCEEDED),), state=RunState.SUCCEEDED)
    assert followed(first, first, first, done) == ["RUNNING", "SUCCEEDED"]
    assert len(clock.slept) == 3


def test_only_durations_change_once_a_second(clock):
    now = running(clock, RunState.RUNNING)
    pictures = followed(
        *[now] * 26,
        replace(now, state=RunState.SUCCEEDED),
        draw=lambda run: {"text/plain": f"{clock.now:.1f}"},
    )
    assert 9 <= len(pictures) <= 12


def test_durations_of_a_long_run_change_less_often(clock):
    now = replace(running(clock, RunState.RUNNING), started=clock.now - 3600)
    pictures = followed(
        *[now] * 250,
        replace(now, state=RunState.SUCCEEDED),
        draw=lambda run: {"text/plain": f"{clock.now:.1f}"},
    )
    assert len(pictures) <= 4


def test_a_picture_that_looks_the_same_is_not_sent_again(clock):
    looks = [replace(running(clock), arguments={"x": float(number)}) for number in range(9)]
    assert followed(*looks, replace(looks[0], state=RunState.FAILED)) == ["RUNNING", "FAILED"]
    nan = [replace(running(clock), arguments={"x": math.nan}) for _ in range(5)]
    assert followed(*nan, replace(nan[0], state=RunState.FAILED)) == ["RUNNING", "FAILED"]


def test_a_run_that_is_gone_keeps_its_last_picture(clock):
    assert followed(running(clock, RunState.RUNNING), RunNotFound("gone")) == ["RUNNING"]


def test_a_backend_that_does_not_answer_for_a_while_is_asked_again(clock):
    now = running(clock)
    silence = [BackendError("no answer")] * (following.PATIENCE - 1)
    assert followed(now, *silence, replace(now, state=RunState.CANCELED)) == ["RUNNING", "CANCELED"]


def test_a_backend_that_never_answers_is_left_alone(clock):
    assert followed(running(clock), *[BackendError("no answer")] * following.PATIENCE) == ["RUNNING"]


def test_nothing_is_raised_whatever_goes_wrong(clock):
    def draw(run):
        raise ValueError

    assert followed(*[running(clock)] * following.PATIENCE, draw=draw) == []


def test_a_look_that_is_dear_is_taken_less_often(clock):
    class Slow(MadeUpRun):
        def snapshot(self):
            clock.now += 2
            return super().snapshot()

    now = running(clock)
    Follower(
        Slow(now, now, replace(now, state=RunState.FAILED)), lambda run: {"text/plain": ""}, [Place()]
    ).go()
    assert all(seconds >= 18 for seconds in clock.slept)
    assert len(clock.slept) == 2
