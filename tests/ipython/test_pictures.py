"""When a run's static pictures are drawn anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kfnb import entities
from kfnb.entities import RunState
from kfnb.live import redraw, static_views
from kfnb.live.static_views import Pictures


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self):
        self.now = 1000.0

    def time(self):
        return self.now

    monotonic = time


class Place:
    def __init__(self):
        self.shown = []

    def update(self, picture, **kwargs):
        assert kwargs == {"raw": True}
        self.shown.append(picture["text/plain"])


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(static_views, "time", clock)
    monkeypatch.setattr(redraw, "time", clock)
    return clock


@pytest.fixture
def running(clock):
    return entities.RunSnapshot("made-up", "r", "p", "local", RunState.RUNNING, started=clock.now)


def shown_after(clock, run, seconds, *, changed, live=False, draw=None):
    """What a place shows in so many seconds, looked at each tenth of one, and then finished."""
    place = Place()
    all_of_them = Pictures(draw or (lambda run: {"text/plain": f"{run.state} {clock.now:.1f}"}))
    all_of_them.add(place)
    for _ in range(round(seconds * 10)):
        all_of_them.show(run, changed=changed, live=live, over=False)
        clock.now += 0.1
    all_of_them.show(replace(run, state=RunState.SUCCEEDED), changed=True, live=live, over=True)
    assert place.shown[-1].startswith("SUCCEEDED")
    return place.shown


def test_a_new_place_is_brought_up_to_date_at_once(clock, running):
    assert shown_after(clock, running, 0.1, changed=False)[0].startswith("RUNNING")


def test_changes_are_drawn_a_few_times_a_second_at_most(clock, running):
    assert 20 <= len(shown_after(clock, running, 10, changed=True)) <= 27


def test_only_durations_change_once_a_second(clock, running):
    assert 9 <= len(shown_after(clock, running, 10, changed=False)) <= 12


def test_durations_of_a_long_run_change_less_often(clock, running):
    old = replace(running, started=clock.now - 3600)
    assert len(shown_after(clock, old, 100, changed=False)) <= 4


def test_where_a_live_picture_is_seen_the_static_one_is_for_saving_only(clock, running):
    assert len(shown_after(clock, running, 59, changed=True, live=True)) == 3


def test_a_picture_that_looks_the_same_is_not_sent_again(clock, running):
    shown = shown_after(clock, running, 20, changed=True, draw=lambda run: {"text/plain": str(run.state)})
    assert shown == ["RUNNING", "SUCCEEDED"]


def test_a_picture_that_is_dear_is_drawn_less_often(clock, running):
    def draw(run):
        clock.now += 1
        return {"text/plain": f"{run.state} {clock.now}"}

    assert len(shown_after(clock, running, 18, changed=True, draw=draw)) <= 4


def test_the_end_is_drawn_at_once(clock, running):
    place = Place()
    all_of_them = Pictures(lambda run: {"text/plain": str(run.state)})
    all_of_them.add(place)
    all_of_them.show(running, changed=True, live=True, over=False)
    all_of_them.show(replace(running, state=RunState.FAILED), changed=True, live=True, over=True)
    assert place.shown == ["RUNNING", "FAILED"]
