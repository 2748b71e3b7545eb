"""A JupyterLab for the folder's tests and a browser to look at it; without a browser they are skipped."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import lab as labs


def pytest_collection_modifyitems(items):
    """All tests of the folder go to one worker, one after the other: they share a JupyterLab."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="module")
def browser():
    """The browser. Playwright runs an event loop in this thread, which tests elsewhere must not find."""
    if labs.chromium() is None:
        pytest.skip("there is no chromium: apt-get install chromium")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=20_000)  # of machines that do other work too
    with sync_playwright() as playwright:
        browser = labs.launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One JupyterLab for all tests: to start it takes longer than most of them."""
    with labs.jupyterlab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def lab(server):
    """JupyterLab, as light as it is to begin with."""
    server.theme(labs.LIGHT)
    return server


@pytest.fixture
def page(browser):
    """A page in which nothing may go wrong unseen."""
    page = browser.new_page(viewport={"width": 1120, "height": 900})
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    page.close()
    assert not wrong
