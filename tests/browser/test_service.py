"""A service in a real JupyterLab: requests are seen as they come, and what is served is changed by its buttons."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
from lab import DARK, LIGHT, Lab, Sheet
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as TimeOut

CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")
ENOUGH = 30

MODELS = """
import numpy as np, kfnb
from sklearn.linear_model import LinearRegression
rows = np.arange(40.0).reshape(20, 2)
for slope in (1, 2):
    kfnb.register(LinearRegression().fit(rows, slope * rows[:, 0]), "{name}")
"""
SERVE = "%kf_serve {name}@1 -o service\nservice.wait()\nservice.canary('{name}@2', 20).wait();"
ASK = """
for turn in range(60):
    service.predict(rows[:3])
"""
SHOW = "%kf_services show {name}"
END = "service.delete()"


def opened(lab: Lab, page: Page, name: str) -> Sheet:
    cells = ["%load_ext kfnb", MODELS.strip(), SERVE, SHOW, ASK.strip()]
    lab.write(f"{name}.ipynb", [cell.replace("{name}", name) for cell in cells])
    sheet = lab.open(page, f"{name}.ipynb")
    sheet.run_all()
    sheet.finished()
    return sheet


def live(sheet: Sheet, name: str) -> Locator:
    picture: Locator = sheet.cell(SHOW.replace("{name}", name)).get_by_role(
        "region", name=f"Service {name}, live"
    )
    return picture


def act(picture: Locator, word: str, question: str) -> None:
    """Press a button and, once it asks, press it again."""
    for _ in range(5):  # a machine that is busy may take longer between them than the question stands
        picture.get_by_role("button", name=word, exact=True).click()
        with suppress(TimeOut):
            picture.get_by_role("button", name=question).click(timeout=2000)
            return


def deleted(sheet: Sheet) -> None:
    """Delete the service in the last cell, in the place of what it had."""
    cell = sheet.page.locator(".jp-CodeCell").last
    cell.locator(".cm-content").click()
    sheet.page.keyboard.press("Control+a")
    sheet.page.keyboard.type(END)
    sheet.page.keyboard.press("Control+Enter")
    sheet.finished()


def test_requests_are_seen_as_they_come_and_the_canary_is_promoted_and_taken_back(
    lab: Lab, page: Page
) -> None:
    sheet = opened(lab, page, "seen")
    picture = live(sheet, "seen")
    expect(picture.get_by_role("img", name="now: seen@1 80 %, seen@2 20 %")).to_be_visible()
    requests = picture.get_by_role("table", name="Requests", exact=True)
    expect(requests.get_by_role("row", name=re.compile("^seen@2 12"))).to_be_visible()
    expect(picture.get_by_role("img", name=re.compile("^Requests a second until"))).to_be_visible()
    expect(picture.get_by_text(re.compile(r"Not enough yet: \d+ requests of"))).to_be_visible()

    act(picture, "Promote", "Send all requests to seen@2?")
    expect(picture.get_by_role("img", name="now: seen@2 100 %")).to_be_visible()
    expect(picture.get_by_role("table", name="Changes")).to_contain_text("promote")
    act(picture, "Roll back", "Go back to seen@1?")
    expect(picture.get_by_role("img", name="now: seen@1 100 %")).to_be_visible()
    act(picture, "Stop", "Stop service seen?")
    expect(picture.get_by_text("Stopped").first).to_be_visible()
    expect(picture.get_by_role("button")).to_have_count(0)
    sheet.save()
    deleted(sheet)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_it_reads_well_in_both_themes_in_a_narrow_page_and_without_a_kernel(
    lab: Lab, page: Page, theme: str
) -> None:
    name = f"looks-{theme[-4:].strip().lower()}"
    lab.theme(theme)
    sheet = opened(lab, page, name)
    picture = live(sheet, name)
    expect(picture.get_by_role("table", name="Requests", exact=True)).to_be_visible()
    lab.theme(LIGHT)
    found = page.locator("[data-kfnb]").last.evaluate(CONTRAST)
    assert found["wrong"] == []
    assert found["checked"] > ENOUGH

    page.set_viewport_size({"width": 460, "height": 900})
    title = picture.get_by_text(name, exact=True).first
    expect(title).to_be_visible()
    assert title.evaluate("one => one.getClientRects().length") == 1, "the name stays on one line"
    page.set_viewport_size({"width": 1120, "height": 900})

    deleted(sheet)
    sheet.save()
    sheet.shut_down()
    saved = sheet.cell(SHOW.replace("{name}", name)).get_by_role("region", name=f"Service {name}", exact=True)
    expect(saved).to_contain_text(f"{name}@1 80 %")
