"""A service that is followed in a page: what it counts is seen as it comes, and the page may change what is served."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from load import loaded
from service_conformance import Versions

import kfnb
from kfnb.live.board import Board
from kfnb.resources.services.handle import Service
from kfnb.resources.services.model import ServiceState

ID = "local/churn"


class Page:
    """The page's end of a board: what it knows of the service, and the replies that it got."""

    def __init__(self, hear: Callable[[Mapping[str, Any]], None]) -> None:
        self.token, self.hear = "T", hear
        self.head: dict[str, Any] = {}
        self.sections: dict[str, str] = {}
        self.replies: list[tuple[str, bool]] = []

    def send_message(self, message: dict[str, Any], *buffers: bytes) -> None:
        del buffers
        if message["kind"] in ("whole", "change"):
            self.head |= message["head"]
            self.sections |= {part["id"]: part["html"] for part in message["parts"]}
        elif message["kind"] == "reply":
            self.replies.append((message["text"], message["ok"]))

    def ask(self, do: str, **more: Any) -> tuple[str, bool]:
        """Ask something of the kernel; its reply."""
        before = len(self.replies)
        self.hear({"do": do, "type": "service", "id": ID, **more})
        self.until(lambda: len(self.replies) > before)
        return self.replies[-1]

    def until(self, fits: Callable[[], bool], seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not fits():
            assert time.monotonic() < end, (self.head, self.replies)
            time.sleep(0.02)


@pytest.fixture
def board() -> Board:
    """A board whose page is the test's."""
    return Board(Page)


@pytest.fixture
def page(board: Board) -> Page:
    page: Page = board._channel  # type: ignore[assignment]
    return page


@pytest.fixture
def service(version: Versions) -> Service:
    """A service with a canary of 50 percent."""
    for _ in range(3):
        version()
    return kfnb.serve("churn@1").wait(30).canary("churn@2", 50, because="fewer errors").wait(30)


def followed(board: Board, service: Service, page: Page) -> None:
    board.follow(service)
    page.until(lambda: "stop" in dict(page.head.get("actions", [])))


def test_the_page_sees_requests_as_they_come(board: Board, page: Page, service: Service) -> None:
    followed(board, service, page)
    assert "churn@1 50 %, churn@2 50 %" in page.sections["traffic"]
    assert page.sections["rates"] == ""
    with loaded(service.url, clients=1, pause=0.01):
        page.until(lambda: "Requests a second until" in page.sections["rates"])
        page.until(lambda: "Not enough yet:" in page.sections["comparison"])
    assert "fewer errors" in page.sections["changes"]
    (old, new) = (one.counters for one in service.snapshot().revisions)
    assert old.paired is not None
    assert new.paired is not None
    assert old.paired.at == new.paired.at
    assert len(old.recent) > 1


def test_the_canary_is_promoted_from_the_page(board: Board, page: Page, service: Service) -> None:
    followed(board, service, page)
    text, fine = page.ask("promote", generation=page.head["generation"])
    assert (fine, text) == (True, "Sending all requests to churn@2")
    page.until(lambda: dict(page.head["actions"]).get("rollback") == "Go back to churn@1?")
    page.until(lambda: "churn@2 100 %" in page.sections["traffic"])
    assert service.history[0].action == "promote"


def test_the_canary_ends_and_the_default_before_comes_back_from_the_page(
    board: Board, page: Page, service: Service
) -> None:
    followed(board, service, page)
    assert page.ask("rollback", generation=page.head["generation"])[1]
    page.until(lambda: set(dict(page.head["actions"])) == {"stop"})
    assert service.wait(30).traffic == {"churn@1": 100}


def test_what_the_page_has_not_seen_is_not_promoted(board: Board, page: Page, service: Service) -> None:
    followed(board, service, page)
    seen = page.head["generation"]
    service.canary("churn@3", 20).wait(30)
    text, fine = page.ask("promote", generation=seen)
    assert not fine
    assert "changed meanwhile" in text
    assert service.versions == ("churn@1", "churn@3")
    assert not page.ask("promote")[1], "a request says what it has seen"


def test_a_service_is_stopped_from_the_page(board: Board, page: Page, service: Service) -> None:
    followed(board, service, page)
    assert page.ask("stop") == ("Stopping.", True)
    page.until(lambda: page.head["over"] and page.head["actions"] == [])
    assert service.state is ServiceState.STOPPED
    assert "Stopped" in page.sections["summary"]
