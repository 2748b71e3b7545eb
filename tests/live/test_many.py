"""A kernel that followed many things holds no more than one that followed a few; a noun of a test's own is live."""

from __future__ import annotations

import gc
import threading
import time
import tracemalloc
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest

from kfnb import registry
from kfnb.entities import RunState
from kfnb.live import board as boards
from kfnb.live import followables
from kfnb.live.board import MOST_FOLLOWED, MOST_REMEMBERED, Board
from kfnb.live.followables import Followable, register
from kfnb.resources.runs.engine import Pace
from kfnb.resources.runs.events import Event
from kfnb.resources.runs.handle import Run
from kfnb.ui.blocks import Text, bundle


@dataclass(frozen=True)
class Shown:
    """What is known of a made-up thing."""

    name: str
    state: RunState = RunState.RUNNING
    text: str = ""


class Thing:
    """What people hold of it."""

    pace = Pace(0.01, 0.02)

    def __init__(self, name, state=RunState.RUNNING):
        self.shown = Shown(name, state)

    def snapshot(self):
        return self.shown

    def stop(self):
        self.shown = replace(self.shown, state=RunState.CANCELED)


class Other:
    """Another thing, which only the registry of nouns knows."""

    def __init__(self, name, state):
        self.shown = Shown(name, state)

    def snapshot(self):
        return self.shown


def draw_thing(shown, home=None):
    return bundle(shown.name, [Text(f"{shown.name} is {shown.state} {shown.text}")], home)


class Page:
    """The page's end of a board's one model."""

    def __init__(self, hear):
        self.token = "T"
        self.hear = hear
        self.heard = []
        self.keep = True

    def send_message(self, message, *buffers):
        if self.keep:
            self.heard.append(message)

    def told(self, **fields):
        """The first message with these fields, heard already or soon."""
        fits = lambda one: all(one.get(name) == value for name, value in fields.items())  # noqa: E731
        until(lambda: any(map(fits, self.heard)))
        return next(filter(fits, self.heard))


class Place:
    def __init__(self):
        self.shown = []

    def update(self, picture, **kwargs):
        self.shown = [picture["text/html"]]


def until(wanted, seconds=20.0):
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)


@pytest.fixture
def board(monkeypatch):
    monkeypatch.setattr(followables, "_rows", dict(followables._rows))
    register(Followable("thing", Thing, name=lambda thing: thing.shown.name, draw=draw_thing))
    return Board(Page)


# -- a noun of a test's own -------------------------------------------------------------------------------------------


def test_a_noun_that_no_page_knows_is_live_by_its_static_html(board):
    thing = Thing("one")
    board.follow(thing)
    whole = board._channel.told(kind="whole", type="thing", id="one")
    assert [part["id"] for part in whole["parts"]] == ["html"]
    assert "one is RUNNING" in whole["parts"][0]["html"]
    assert "data-kfnb" not in whole["parts"][0]["html"]
    thing.shown = replace(thing.shown, text="<b>half way</b>")
    change = board._channel.told(kind="change", seq=1)
    assert "&lt;b&gt;half way" in change["parts"][0]["html"]
    thing.stop()
    until(lambda: not board._followers)
    assert "one is CANCELED" in board._channel.heard[-1]["parts"][0]["html"]


def test_its_html_is_drawn_a_few_times_a_second_at_most(board):
    thing = Thing("one")
    board.follow(thing)
    board._channel.told(kind="whole")
    began = time.monotonic()
    for number in range(100):
        thing.shown = replace(thing.shown, text=str(number))
        time.sleep(0.01)
    seconds = time.monotonic() - began
    assert len(board._channel.heard) <= 3 + seconds / 0.4
    thing.stop()


def test_its_static_picture_bears_the_mark_and_is_kept_up_to_date(board):
    thing, place = Thing("one"), Place()
    board.follow(thing, place)
    until(lambda: place.shown)
    assert 'data-kfnb="T" data-kfnb-type="thing" data-kfnb-id="one"' in place.shown[0]
    thing.stop()
    until(lambda: "CANCELED" in place.shown[0])


def test_it_is_stopped_from_the_page_and_what_it_does_not_offer_is_refused(board):
    thing = Thing("one")
    board.follow(thing)
    board._channel.hear({"do": "retry", "type": "thing", "id": "one"})
    assert board._channel.told(kind="reply")["text"] == "retry is not offered for a thing"
    board._channel.hear({"do": "stop", "type": "thing", "id": "one"})
    assert board._channel.told(kind="reply", ok=True)
    assert thing.shown.state is RunState.CANCELED


def test_a_noun_of_the_registry_is_followed_as_it_says(board, monkeypatch):
    noun = registry.Noun(
        "things", displays=(f"{Other.__module__}.Other",), live=(f"{Other.__module__}.Other",)
    )
    row = Followable("other", Other, name=lambda other: other.shown.name, draw=draw_thing)
    monkeypatch.setattr(registry, "noun_of_module", lambda name: noun if name == Other.__module__ else None)
    monkeypatch.setattr(
        registry.Noun, "module", lambda self, role: {"live": SimpleNamespace(FOLLOWABLES=(row,))}[role]
    )
    board.follow(Other("one", RunState.SUCCEEDED))
    assert board._channel.told(kind="whole", type="other", id="one")
    with pytest.raises(TypeError, match="int cannot be followed"):
        board.follow(7)


@pytest.mark.parametrize("noun", [one for one in registry.NOUNS if one.live], ids=lambda noun: noun.name)
def test_whatever_a_noun_follows_is_found_in_a_kernel_that_has_followed_nothing(noun, monkeypatch):
    for row in noun.module("live").FOLLOWABLES:
        monkeypatch.setattr(followables, "_rows", {})
        assert followables.row_of(object.__new__(row.handle)) is row


def test_a_type_that_the_kernel_does_not_know_is_refused(board):
    board._channel.hear({"do": "watch", "type": "weather", "id": "one"})
    assert "unknown type 'weather'" in board._channel.told(kind="reply", ok=False)["text"]


# -- many -------------------------------------------------------------------------------------------------------------


class MadeUp:
    """A backend whose runs are finished; their tasks have much to tell."""

    name = "made up"
    pace = Pace(0.01, 0.02)

    def events(self, run_id, *, after=0, follow=True):
        facts = [("created", "", {"name": "r", "pipeline": "p", "backend": "made up"})]
        facts += [("task", f"t{n}", {"name": f"t{n}"}) for n in range(5)]
        facts += [("state", "", {"state": "SUCCEEDED"})]
        return iter([Event(n, 100.0, *fact) for n, fact in enumerate(facts, start=1)][after:])


class Blank:
    """A place that keeps nothing: a notebook's are in the page."""

    def update(self, picture, **kwargs):
        pass


def follow_runs(board, count):
    backend = MadeUp()
    for number in range(count):
        run = Run(backend, f"r{number}")
        board.follow(run)
        board.follow(run, Blank())
        board.placed(run, f"cell-{number}")
        if number % 10 == 9:
            until(lambda: not board._followers)
    until(lambda: not board._followers)
    until(lambda: not any(thread.name.startswith("kfnb-run") for thread in threading.enumerate()))


def held():
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def test_hundreds_of_runs_leave_no_more_behind_than_a_few(board):
    board._channel.keep = False
    follow_runs(board, MOST_REMEMBERED)
    tracemalloc.start()
    try:
        before, threads = held(), threading.active_count()
        follow_runs(board, 4 * MOST_REMEMBERED)
        more = held() - before
    finally:
        tracemalloc.stop()
    assert threading.active_count() <= threads
    assert len(board._known) <= MOST_REMEMBERED
    assert not any((board._followers, board._streams, board._questions))
    assert more < 200_000  # a picture of one run alone has 20 kB


def test_what_is_kept_of_a_run_is_its_places_and_its_cells(board):
    follow_runs(board, 1)
    (known,) = board._known.values()
    assert (len(known.places), known.cells) == (1, {"cell-0"})


def test_with_too_many_at_once_the_oldest_that_is_not_seen_is_left_and_says_so(board):
    things = [Thing(f"t{number}") for number in range(MOST_FOLLOWED + 2)]
    for thing in things[:2]:
        board.follow(thing)
    board.seen("thing", "t0")
    for thing in things[2:]:
        board.follow(thing)
    until(lambda: len(board._followers) <= MOST_FOLLOWED)
    gone = [one["id"] for one in board._channel.heard if one["kind"] == "gone"]
    assert gone == ["t1", "t2"]
    assert "run its cell again" in board._channel.told(kind="gone")["text"]
    for thing in things:
        thing.stop()
    until(lambda: not board._followers)


def test_a_table_that_is_not_kept_any_more_says_so(board):
    board._channel.hear({"do": "watch", "type": "runs", "id": "runs-0"})
    assert "run the cell again" in board._channel.told(kind="reply", ok=False)["text"]


def test_many_requests_are_answered_a_few_at_once(board, monkeypatch):
    going, most = [], []
    gate = threading.Event()

    def slow(board, request):
        going.append(request)
        most.append(len(going))
        gate.wait(10)
        going.remove(request)

    monkeypatch.setattr(boards, "answer", slow)
    for number in range(100):
        board._channel.hear({"do": "labels", "type": "run", "id": f"r{number}"})
    until(lambda: len(most) == boards.MOST_THREADS)
    gate.set()
    until(lambda: len(most) == 100)
    assert max(most) <= boards.MOST_THREADS
