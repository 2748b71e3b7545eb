"""The thread that follows a run, on runs that are made up."""

from __future__ import annotations

import itertools

import pytest

from kfnb.errors import BackendError, BackendUnavailable, RunNotFound
from kfnb.jobs.fold import Event
from kfnb.jobs.polling import Pace
from kfnb.live import followers
from kfnb.live.followers import Follower
from kfnb.live.messages import GoneMessage
from kfnb.live.static_views import Pictures
from kfnb.resources.runs.handle import Run
from kfnb.resources.runs.live import RunSubject
from kfnb.resources.runs.wire import RunWire

NOTHING = ()
CREATED = ("created", "", {"name": "r", "pipeline": "p", "backend": "made up"})
TASK = ("task", "load", {"name": "load"})
RUNNING = ("state", "", {"state": "RUNNING"})
DONE = ("state", "", {"state": "SUCCEEDED"})
LOADING = ("state", "load", {"state": "RUNNING"})
LOADED = ("state", "load", {"state": "SUCCEEDED"})


class MadeUp:
    """A backend of one run, in which at each look the next of ``looks`` has happened; an exception is raised."""

    name = "made up"
    pace = Pace(0.1, 0.5)

    def __init__(self, *looks):
        self.looks = list(looks)
        self.happened = []
        self.asked = 0

    def events(self, run_id, *, after=0, follow=True):
        assert not follow
        self.asked += 1
        look = self.looks.pop(0) if self.looks else NOTHING
        if isinstance(look, Exception):
            raise look
        for kind, task, data in look:
            self.happened.append(Event(len(self.happened) + 1, 100.0, kind, task, data))
        return iter(self.happened[after:])


class Waits:
    """Waits that take no time, and are counted; ``meanwhile`` happens in them."""

    def __init__(self):
        self.seconds = []
        self.meanwhile = {}

    def wait(self, seconds):
        self.seconds.append(seconds)
        self.meanwhile.pop(len(self.seconds), lambda: None)()

    def clear(self):
        pass

    set = clear


class Place:
    def __init__(self):
        self.shown = []

    def update(self, picture, **kwargs):
        self.shown.append(picture["text/plain"])


def follower_of(*looks):
    told = []
    backend = MadeUp(*looks)
    follower = Follower(
        RunSubject(Run(backend, "r")),
        RunWire(),
        Pictures(lambda run: {"text/plain": str(run.state)}),
        told.append,
        lambda follower: not follower.requested,
    )
    follower._awake = Waits()
    return follower, told, backend


def kinds(told):
    return [message.kind for message in told]


def test_the_page_is_told_all_of_a_run_and_then_each_change_until_the_end():
    follower, told, _ = follower_of([CREATED, TASK, RUNNING], [LOADING], [LOADED, DONE])
    follower.run()
    assert kinds(told) == ["whole", "change", "change"]
    assert [message.seq for message in told] == [0, 1, 2]
    assert told[1].parts[0]["state"] == "RUNNING"
    assert told[2].head["state"] == "SUCCEEDED"


def test_many_events_of_one_look_are_one_message():
    follower, told, _ = follower_of([CREATED, TASK, RUNNING], [LOADING, LOADED, DONE])
    follower.run()
    assert kinds(told) == ["whole", "change"]


def test_nothing_is_said_while_nothing_happens_and_looks_get_rarer():
    follower, told, _ = follower_of([CREATED, RUNNING], *[NOTHING] * 20, [DONE])
    follower.run()
    assert kinds(told) == ["whole", "change"]
    waits = follower._awake.seconds
    assert waits[0] == pytest.approx(0.1, abs=0.05)
    assert waits[-1] == pytest.approx(0.5, abs=0.05)


def test_a_page_that_asks_again_is_told_all_of_the_run():
    follower, told, _ = follower_of([CREATED, TASK, RUNNING], [LOADING], NOTHING, [DONE])
    follower._awake.meanwhile[2] = follower.request
    follower.run()
    assert kinds(told) == ["whole", "change", "whole", "change"]


def test_nobody_looks_any_more_nothing_is_asked_any_more():
    follower, told, backend = follower_of([CREATED, RUNNING])
    follower._awake.meanwhile[3] = follower.unwatch
    follower.run()
    assert backend.asked <= 5
    assert kinds(told) == ["whole"]


def test_a_page_that_has_left_hears_nothing_while_a_static_picture_goes_on():
    follower, told, _ = follower_of([CREATED, RUNNING], NOTHING, NOTHING, [DONE])
    place = Place()
    follower.pictures.add(place)
    follower._awake.meanwhile[2] = follower.unwatch
    follower.run()
    assert kinds(told) == ["whole"]
    assert place.shown == ["RUNNING", "SUCCEEDED"]


def test_a_run_that_is_gone_is_said_to_be():
    follower, told, _ = follower_of([CREATED, RUNNING], RunNotFound("no run is called r"))
    follower.run()
    assert told[-1] == GoneMessage("run", "r", "no run is called r")


def test_a_backend_that_does_not_answer_for_a_while_is_asked_again():
    silence = [BackendError("no answer")] * (followers.MAX_FAILURES - 1)
    follower, told, _ = follower_of([CREATED, RUNNING], *silence, [DONE])
    follower.run()
    assert told[-1].head["state"] == "SUCCEEDED"


def test_a_backend_that_never_answers_is_left_alone():
    follower, _, backend = follower_of([CREATED], *[BackendError("no answer")] * 999)
    follower.run()
    assert backend.asked == followers.MAX_FAILURES + 1


def test_a_server_that_is_away_for_an_hour_is_waited_for():
    away = [BackendUnavailable("nothing answers")] * (20 * followers.MAX_FAILURES)
    follower, told, _ = follower_of([CREATED, RUNNING], *away, [DONE])
    follower.run()
    assert told[-1].head["state"] == "SUCCEEDED"
    assert follower._awake.seconds[-2] == pytest.approx(0.5, abs=0.05)


def test_nothing_is_raised_whatever_goes_wrong():
    follower, _, _ = follower_of([CREATED, RUNNING])

    def fail(message):
        raise ValueError

    follower._send = fail
    follower.run()


def test_a_look_that_is_dear_is_taken_less_often(monkeypatch):
    clock = itertools.count(step=2)
    monkeypatch.setattr(
        followers, "time", type("Clock", (), {"thread_time": lambda: next(clock), "time": lambda: 0.0})
    )
    follower, _, _ = follower_of([CREATED], NOTHING, [DONE])
    follower.run()
    assert all(seconds >= 18 for seconds in follower._awake.seconds)
