"""The made-up noun in a page: a real kernel tells all of a kettle, and each change, by no more than its ``live``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ipython.started_kernel import started_kernel
from tests.ipython.test_board import Page

REGISTER = """
from kfnb import registry
from tests.registry.row import KETTLES
registry.NOUNS.append(KETTLES)
"""


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """The page of a kernel whose kfnb knows the noun."""
    with started_kernel(tmp_path, tmp_path / "home") as client:
        page = Page(client)
        page.run(REGISTER)
        page.run("%load_ext kfnb")
        yield page


def html_of(message: dict[str, Any]) -> str:
    (part,) = message["parts"]
    assert part["id"] == "html"
    return str(part["html"])


def test_a_kettle_that_is_displayed_changes_in_the_page_until_it_boils(page: Page) -> None:
    page.run("%kf_boil tea --seconds 4")
    whole = page.told("whole", type="kettle", id="local/tea")
    assert re.search(r"is at \d+ of 100 °C", html_of(whole))
    assert page.shows(f'data-kfnb="{page.token}" data-kfnb-type="kettle" data-kfnb-id="local/tea"')
    page.hear_until(lambda _: "kettle tea boils" in str(page.heard[-1:]))
    changes = [one for one in page.heard if one and one["kind"] == "change"]
    assert [one["seq"] for one in changes] == list(range(1, len(changes) + 1))
    said = [html_of(one) for one in changes]
    assert any("is at 60 of 100 °C" in one for one in said)
    assert "Succeeded" in said[-1]
    if not page.shows("kettle tea boils"):
        assert page.hear_until(lambda _: page.shows("kettle tea boils")), "the notebook's picture is old"


def test_a_kettle_is_stopped_from_the_page_and_shown_again(page: Page) -> None:
    page.run("%kf_boil tea --seconds 60")
    page.told("whole", type="kettle")
    page.ask(type="kettle", do="stop", id="local/tea")
    assert page.told("reply", type="kettle", id="local/tea")["ok"]
    assert page.hear_until(lambda _: "Canceled" in str(page.heard[-1:]))
    page.heard.clear()
    page.ask(type="kettle", do="watch", id="local/tea")
    assert "Canceled" in html_of(page.told("whole", type="kettle", id="local/tea"))


def test_a_cell_that_waits_for_a_kettle_that_is_shown_above_says_how_it_went(page: Page) -> None:
    page.run("%kf_boil tea -o mine")
    page.told("whole", type="kettle")
    printed: list[str] = []
    id = page.client.execute("mine.wait()", allow_stdin=True)

    def ended(message: dict[str, Any]) -> bool:
        if message["header"]["msg_type"] == "stream":
            printed.append(message["content"]["text"])
        of_it = message["parent_header"].get("msg_id") == id
        return of_it and message["content"].get("execution_state") == "idle"

    assert page.hear_until(ended)
    assert re.fullmatch(r"kettle tea: Succeeded after \d.*\. A cell above shows it\n", "".join(printed))


def test_without_a_person_it_is_a_picture_of_its_end(page: Page) -> None:
    page.run("%kf_boil tea", attended=False)
    assert page.shows("kettle tea boils")
    assert not page.shows("data-kfnb")
    assert not page.heard
