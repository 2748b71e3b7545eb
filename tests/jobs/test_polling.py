"""Somebody who waits looks again and again, and bears with a backend that is away for a while."""

import pytest

from kfnb.errors import BackendUnavailable
from kfnb.jobs import polling
from kfnb.jobs.polling import Pace, poll

PACE = Pace(0.001, 0.002)


class View:
    """Answers as it is told to, and is away where that is None."""

    def __init__(self, *answers):
        self.answers, self.asked, self.over = list(answers), 0, False

    def refresh(self):
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else ()
        self.over = answer == {"the end"}
        if answer is None:
            raise BackendUnavailable("away")
        return answer


def test_a_backend_that_is_away_for_a_while_is_asked_again():
    view = View({1}, None, None, {2})
    for _, _ in zip(range(4), poll(view, PACE), strict=False):
        pass
    assert view.asked >= 4


def test_what_is_finished_is_looked_at_no_more():
    view = View({1}, (), {"the end"}, {2})
    assert len(list(poll(view, PACE))) == view.asked == 3


def test_one_that_never_answered_is_not_waited_for():
    with pytest.raises(BackendUnavailable):
        next(poll(View(None), PACE))


def test_one_that_stays_away_is_said_in_the_end(monkeypatch):
    monkeypatch.setattr(polling, "TIMEOUT", 0.01)
    with pytest.raises(BackendUnavailable):
        list(poll(View({1}, *[None] * 1000), PACE))


def test_who_waits_for_so_many_seconds_has_looked_before_and_at_the_end_of_them():
    view = View()
    assert len(list(poll(view, Pace(10.0, 10.0), 0.01))) == view.asked == 2
    assert len(list(poll(View(), PACE, 0))) == 1


def test_what_changes_is_looked_at_more_often_than_what_does_not(monkeypatch):
    slept = []
    monkeypatch.setattr(polling.time, "sleep", slept.append)
    pace, view = Pace(1.0, 4.0), View({1}, (), (), (), (), {2}, {3})
    for _, _ in zip(range(7), poll(view, pace), strict=False):
        pass
    assert slept[:3] == [1.0, 1.5, 2.25]
    assert max(slept) <= 4.0
    assert slept[-1] == 1.0
