"""The thread that follows a study, on studies that are made up."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from kfnb.entities import RunState
from kfnb.errors import StudyNotFound
from kfnb.jobs.polling import Pace
from kfnb.live.followers import Follower
from kfnb.live.messages import GoneMessage
from kfnb.live.static_views import Pictures
from kfnb.resources.studies import known_importances as importance_module
from kfnb.resources.studies.known_importances import FEWEST, KnownImportances
from kfnb.resources.studies.live import StudySubject
from kfnb.resources.studies.model import Dimension, Objective, StudySnapshot, Trial, TrialState
from kfnb.resources.studies.wire import StudyWire

EMPTY = StudySnapshot("bowl", "made up", Objective("loss"), space=(Dimension("x", "int", 0, 3),))
BEGUN = replace(EMPTY, state=RunState.RUNNING, trials=(Trial(0, TrialState.RUNNING),))
ONE = replace(BEGUN, trials=(Trial(0, TrialState.SUCCEEDED, {"x": 1}, 0.5),))
DONE = replace(ONE, state=RunState.SUCCEEDED)


class MadeUp:
    """A study's handle: at each look the next of ``looks`` has happened, the numbers and the study then."""

    name, backend = "bowl", "made up"
    pace = Pace(0.01, 0.05)

    def __init__(self, *looks):
        self.looks = list(looks)
        self.study = EMPTY

    def observe(self):
        return self

    def refresh(self):
        touched, study = self.looks.pop(0) if self.looks else (set(), self.study)
        if isinstance(study, Exception):
            raise study
        self.study = study
        return touched


class Place:
    def __init__(self):
        self.shown = []

    def update(self, picture, **kwargs):
        self.shown.append(picture["text/plain"])


@pytest.fixture(autouse=True)
def told_importances(monkeypatch):
    """They take longer than a look does."""
    monkeypatch.setattr(importance_module, "importances", lambda study: time.sleep(0.2) or {"x": 1.0})


def followed(*looks):
    """What the page and a static picture are told of a study, up to its end."""
    told, place = [], Place()
    pictures = Pictures(lambda study: {"text/plain": f"{study.state} {dict(study.importances)}"})
    pictures.add(place)
    subject = StudySubject(MadeUp(*looks))
    Follower(subject, StudyWire(), pictures, told.append, lambda follower: not follower.requested).run()
    return told, place.shown


def test_the_page_is_told_all_of_a_study_each_change_and_at_its_end_the_importances():
    told, _ = followed(({-1, 0}, BEGUN), ({0}, ONE), ({-1}, DONE))
    assert [message.kind for message in told] == ["whole", "change", "change", "change"]
    assert [message.seq for message in told] == [0, 1, 2, 3]
    assert (told[0].type, told[0].id) == ("study", "made up/bowl")
    assert told[1].parts == [{"number": 0, "state": "SUCCEEDED", "params": {"x": 1}, "value": 0.5}]
    assert told[2].head == {"state": "SUCCEEDED"}
    assert told[3].head == {"importances": [("x", 1.0)]}


def test_the_static_picture_is_right_as_soon_as_the_study_is_finished_and_gets_the_importances_then():
    _, shown = followed(({-1, 0}, BEGUN), ({0}, ONE), ({-1}, DONE))
    assert shown[-2:] == ["SUCCEEDED {}", "SUCCEEDED {'x': 1.0}"]


def test_a_study_that_is_gone_is_said_to_be():
    told, _ = followed(({-1, 0}, BEGUN), (set(), StudyNotFound("study bowl is gone")))
    assert told[-1] == GoneMessage("study", "made up/bowl", "study bowl is gone")


def test_importances_are_told_anew_only_where_there_are_many_more_trials(monkeypatch):
    asked = []
    monkeypatch.setattr(importance_module, "importances", lambda study: asked.append(len(study.trials)) or {})
    known = KnownImportances()
    for count in range(60):
        trials = tuple(Trial(number, TrialState.SUCCEEDED, {}, 0.0) for number in range(count))
        known.of(replace(BEGUN, trials=trials))
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and thread.daemon:
                thread.join(0.2)
    assert asked[0] == FEWEST
    assert 10 < len(asked) < 20


def test_importances_that_cannot_be_told_are_none(monkeypatch):
    def fail(study):
        raise ValueError("no")

    monkeypatch.setattr(importance_module, "importances", fail)
    told, _ = followed(({-1, 0}, BEGUN), ({-1, 0}, DONE))
    assert told[-1].head == {"state": "SUCCEEDED"}
