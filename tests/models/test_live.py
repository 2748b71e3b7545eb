"""The leaderboard in a page: it follows new versions and promotions, by whomever, and little is asked for meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from registry_conformance import draft, make_folder

import kfnb
from kfnb.resources.models import api
from kfnb.resources.models.leaderboard import Leaderboard, LeaderboardEntry, ranked
from kfnb.resources.models.live import LeaderboardSubject
from kfnb.resources.models.local.engine import LocalRegistry
from kfnb.resources.models.moves import AliasMove
from kfnb.resources.models.view.leaderboard import MOST_GROUPS, draw_leaderboard
from kfnb.settings import settings
from tests.ipython.started_kernel import started_kernel
from tests.ipython.test_board import Page


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[LocalRegistry]:
    before = settings().home
    settings().home = str(tmp_path / "home")
    yield LocalRegistry(tmp_path / "home" / "registry")
    settings().home = before


@pytest.fixture
def add(registry: LocalRegistry, tmp_path: Path) -> Callable[..., None]:
    """Another user registers a version."""

    def act(text: str, accuracy: float = 0.9) -> None:
        folder = make_folder(tmp_path / text, text)
        (folder / "kfnb_model.json").write_text('{"format": "skops", "file": "model.skops"}')
        registry.register(draft("churn", folder, metrics={"accuracy": accuracy}, owner="bob"), folder)

    return act


def test_it_is_asked_for_again_only_when_the_registry_has_changed(
    registry: LocalRegistry, add: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    add("one")
    subject = LeaderboardSubject(kfnb.models())
    subject.refresh()
    queries: list[int] = []
    leaderboard = api.leaderboard
    monkeypatch.setattr(api, "leaderboard", lambda query: queries.append(1) or leaderboard(query))
    assert [subject.refresh() for _ in range(5)] == [False] * 5
    assert queries == []
    add("two", 0.95)
    assert subject.refresh()
    assert len(subject.shown.board) == 2
    registry.move_alias(AliasMove("churn", "champion", 2, expected=None, by="bob", because=""))
    assert subject.refresh()
    assert "champion" in draw_leaderboard(subject.shown)["text/plain"]
    assert not subject.refresh()
    assert len(queries) == 2
    assert not subject.over


def test_what_is_about_the_same_is_one_in_the_page(registry: LocalRegistry) -> None:
    names = [LeaderboardSubject(api.models(**about)).id for about in ({}, {}, {"owner": "ann"})]
    assert names[0] == names[1] != names[2]


def test_entries_that_were_not_asked_for_are_not_followed() -> None:
    assert LeaderboardSubject(ranked([])).over


def test_a_page_has_so_many_tables_at_most() -> None:
    entries = [LeaderboardEntry(f"m@{n}", "m", n, metrics={"a": 1.0}, data=f"d@{n}") for n in range(1, 100)]
    html = draw_leaderboard(ranked(entries).snapshot())["text/html"]
    assert html.count("<table") == MOST_GROUPS
    assert f"{99 - MOST_GROUPS} more tables" in html


@pytest.fixture
def page(registry: LocalRegistry, tmp_path: Path) -> Iterator[Page]:
    with started_kernel(tmp_path, Path(settings().home)) as client:
        page = Page(client)
        page.run("%load_ext kfnb")
        yield page


def html_of(message: dict[str, Any]) -> str:
    (part,) = message["parts"]
    return str(part["html"])


@pytest.mark.slow
def test_a_page_follows_what_others_register_and_promote(
    page: Page, add: Callable[..., None], registry: LocalRegistry
) -> None:
    add("one")
    page.run("%kf_models")
    whole = page.told("whole", type="leaderboard")
    assert "churn@1" in html_of(whole)
    assert page.shows('data-kfnb-type="leaderboard"')
    add("two", 0.95)
    assert page.hear_until(lambda _: "churn@2" in str(page.heard[-1:]))
    registry.move_alias(AliasMove("churn", "champion", 2, expected=None, by="bob", because=""))
    assert page.hear_until(lambda _: "champion" in str(page.heard[-1:]))


def test_without_a_page_it_is_a_picture(registry: LocalRegistry, add: Callable[..., None]) -> None:
    add("one")
    program = "from kfnb.cli import main; main(['models'])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "KFNB_HOME": settings().home},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "churn@1" in done.stdout
    assert isinstance(api.models(), Leaderboard)
