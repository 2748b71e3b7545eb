"""The events of a service, and what they add up to: the log stays small, and nothing that was read is missed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from service_conformance import ALICE

from kfnb.entities import RunState
from kfnb.errors import BackendError
from kfnb.jobs.eventlog import EventLog, Fact, opened
from kfnb.resources.services.local.fold import ServiceFold
from kfnb.resources.services.local.journal import ServiceJournal
from kfnb.resources.services.local.route_counters import BOUNDS
from kfnb.resources.services.local.totals import Totals, added
from kfnb.resources.services.model import (
    DesiredState,
    Parity,
    RevisionState,
    ServiceSnapshot,
    ServiceState,
    Target,
)

TARGET = Target(1, "churn", 7, "digest")
WANTED = ALICE.first([TARGET])
COUNTED = {"requests": 3, "errors": {"500": 1}, "latency": [3, *[0] * len(BOUNDS)]}


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    """A log of a service whose driver runs."""
    with opened(tmp_path, create=True) as log:
        log.append([("created", "", {"created": 1.0}), ("state", "", {"state": RunState.RUNNING})])
        yield log


def folded(log: EventLog, wanted: DesiredState = WANTED) -> ServiceSnapshot:
    fold = ServiceFold("churn")
    fold.take(log.read())
    return fold.service(wanted)


def served(log: EventLog) -> ServiceJournal:
    """Record a revision that is ready."""
    journal = ServiceJournal(log)
    journal.began(TARGET)
    journal.checked(1, Parity(True, {"checks": []}))
    journal.revision(1, RevisionState.READY)
    journal.observed(1, {1: 100})
    return journal


def test_what_was_recorded_adds_up_to_the_service(log: EventLog) -> None:
    journal = served(log)
    journal.listens("http://127.0.0.1:1")
    journal.counted({1: COUNTED})
    now = folded(log)
    assert (now.state, now.url, now.observed, now.settled) == (
        ServiceState.READY,
        "http://127.0.0.1:1",
        1,
        True,
    )
    (one,) = now.revisions
    assert (one.state, one.share, one.parity.passed) == (RevisionState.READY, 100, True)
    assert (one.counters.requests, one.counters.failed) == (3, 1)


def test_why_requests_are_not_kept_is_a_note_for_as_long_as_that_holds(log: EventLog) -> None:
    journal = served(log)
    journal.counted({1: {**COUNTED, "dropped": 2}})
    journal.revision(1, RevisionState.READY, log_error="pyarrow is not installed")
    now = folded(log)
    assert now.notes == ("requests to churn@7 are not kept: pyarrow is not installed",)
    assert now.revisions[0].counters.dropped == 2
    journal.revision(1, RevisionState.READY)
    assert folded(log).notes == ()


def test_a_thousand_events_of_a_kind_are_one_and_a_follower_misses_none(log: EventLog) -> None:
    journal, follower = served(log), ServiceFold("churn")
    for count in range(1000):
        journal.counted({1: {**COUNTED, "requests": count}})
        if count % 7 == 0:
            follower.take(log.read(follower.seq))
            assert follower.service(WANTED).revisions[0].counters.requests == count
    assert len(log.read()) == 7
    assert [event.seq for event in log.read()] == sorted(event.seq for event in log.read())


def test_a_revision_that_is_gone_leaves_one_event(log: EventLog) -> None:
    journal, follower = served(log), ServiceFold("churn")
    journal.counted({1: COUNTED})
    follower.take(log.read())
    journal.retired(1)
    follower.take(log.read(follower.seq))
    assert follower.revisions == ()
    assert [event.kind for event in log.read() if event.task] == ["retired"]
    assert folded(log).notes == (), "nothing is unknown"


def test_what_was_written_of_a_revision_after_its_end_says_nothing(log: EventLog) -> None:
    journal = served(log)
    journal.retired(1)
    journal.counted({1: COUNTED})
    journal.revision(1, RevisionState.DRAINING)
    assert folded(log).notes == ()


def test_counters_are_kept_when_a_service_starts_again(log: EventLog) -> None:
    journal = served(log)
    journal.counted({1: COUNTED})
    journal.ended(RunState.CANCELED)
    assert folded(log).state is ServiceState.STOPPED
    log.append([("state", "", {"state": RunState.PENDING})])
    now = folded(log)
    assert (now.state, now.observed, now.url) == (ServiceState.PENDING, 0, "")
    assert now.revisions[0].counters.requests == 3
    assert now.revisions[0].parity.passed


def test_events_of_a_newer_kfnb_are_skipped_and_noted(log: EventLog) -> None:
    served(log)
    log.append([("weather", "1", {"sun": True}), ("counters", "1", {**COUNTED, "moons": 2})])
    now = folded(log)
    assert now.revisions[0].counters.requests == 3
    assert now.notes == ("2 events of a newer kfnb were skipped; update kfnb to see everything",)


class FullDisk:
    """A log that cannot be written while ``full``."""

    def __init__(self, log: EventLog) -> None:
        self.full, self._log = True, log

    def replace(self, facts: Iterable[Fact]) -> None:
        if self.full:
            raise BackendError("database or disk is full")
        self._log.replace(facts)

    def end_part(self, fact: Fact) -> None:
        if self.full:
            raise BackendError("database or disk is full")
        self._log.end_part(fact)


def test_what_cannot_be_written_on_a_full_disk_is_written_later(log: EventLog) -> None:
    full = FullDisk(log)
    journal = ServiceJournal(full)  # type: ignore[arg-type]
    journal.began(TARGET)
    for state in RevisionState.PENDING, RevisionState.READY:
        journal.revision(1, state)
    journal.observed(1, {1: 100})
    assert folded(log).state is ServiceState.PENDING
    full.full = False
    journal.write_late()
    assert folded(log).state is ServiceState.READY
    full.full = True
    journal.note(1, "a note that nobody needs any more")
    journal.retired(1)
    full.full = False
    journal.write_late()
    fold = ServiceFold("churn")
    fold.take(log.read())
    assert fold.revisions == ()


def test_totals_are_over_all_lives_of_a_process() -> None:
    totals = Totals({1: {"requests": 10}})
    totals.take(1, "router", 1, {"requests": 5, "errors": {"500": 1}})
    totals.take(1, "router", 1, {"requests": 7, "errors": {"500": 1, "503": 2}})
    assert totals.of(1) == {"requests": 17, "errors": {"500": 1, "503": 2}}
    totals.take(1, "router", 2, {"requests": 1, "errors": {"503": 1}})
    totals.take(1, "revision", 0, {"bad_inputs": {"missing": {"age": 3}}})
    assert totals.of(1) == {
        "requests": 18,
        "errors": {"500": 1, "503": 3},
        "bad_inputs": {"missing": {"age": 3}},
    }
    totals.forget(1)
    assert totals.of(1) == {}


def test_of_failures_the_last_are_kept() -> None:
    old, new = ([{"at": float(at)} for at in range(start, start + 15)] for start in (0, 15))
    assert added({"failures": old}, {"failures": new})["failures"] == [
        {"at": float(at)} for at in range(10, 30)
    ]
