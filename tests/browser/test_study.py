"""A study in a real JupyterLab, in a real browser, as a person looks at it."""

from __future__ import annotations

import re
from contextlib import suppress

from lab import Sheet
from playwright.sync_api import TimeoutError as TimeOut
from playwright.sync_api import expect

LOAD = "%load_ext kfnb"
TUNE = """
%%kf_tune {study} --trials {trials} --parallel 2 --objective loss --minimize --algorithm random --seed 3 \
 --space "x=float(-2,2) y=log(0.01,100) act=choice(relu,tanh)"
import math, time
print("x is", x)
if x > 1.5:
    raise ValueError("x is <b>too large</b>")
for step in range(3):
    time.sleep({pause})
    kf.report(x * x + math.log10(y) ** 2 + 1 / (step + 1), step=step)
loss = x * x + math.log10(y) ** 2 + (act == "tanh") / 10
"""


def opened(lab, page, name, *, trials=14, pause=0.05):
    lab.write(f"study-{name}.ipynb", [LOAD, TUNE.strip().format(study=name, trials=trials, pause=pause)])
    sheet = lab.open(page, f"study-{name}.ipynb")
    sheet.run_all()
    return sheet


def live(sheet: Sheet):
    """The live picture below the cell that tunes."""
    return sheet.cell("%%kf_tune").get_by_role("region", name=re.compile("^Study .*, live$"))


def in_state(picture, word):
    return picture.locator("header").get_by_text(word, exact=True)


def test_a_study_is_seen_as_it_goes_on_and_a_trial_tells_all_of_itself(lab, page):
    picture = live(opened(lab, page, "study"))
    expect(picture.get_by_text(re.compile(r"about .* left"))).to_be_visible(timeout=60_000)
    expect(in_state(picture, "Succeeded")).to_be_visible(timeout=120_000)
    expect(picture.get_by_role("img", name=re.compile("loss of .* trials"))).to_be_visible()
    expect(picture.get_by_role("table", name="Parameter importance")).to_contain_text("%", timeout=30_000)

    picture.get_by_role("button", name=re.compile("^Best trial")).click()
    panel = picture.get_by_role("complementary", name=re.compile("^Trial"))
    expect(panel.get_by_role("table", name="Parameters")).to_contain_text("act")
    expect(panel.get_by_role("img", name=re.compile("^loss: "))).to_be_visible()
    panel.get_by_role("tab", name="Log").click()
    expect(panel.get_by_role("log")).to_contain_text("x is")


def test_trials_are_chosen_on_an_axis_filtered_and_opened_with_their_errors(lab, page):
    picture = live(opened(lab, page, "choose", trials=20, pause=0))
    expect(in_state(picture, "Succeeded")).to_be_visible(timeout=120_000)
    axis = picture.get_by_role("slider", name=re.compile("by act"))
    axis.scroll_into_view_if_needed()
    box = axis.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.45, steps=5)
    page.mouse.up()
    expect(axis).to_have_attribute("aria-valuetext", "act tanh")
    chosen = picture.get_by_role("status").filter(has_text="of 20 trials")
    expect(chosen).to_contain_text("act tanh")

    picture.get_by_role("tab", name="Trials").click()
    rows = picture.get_by_role("table", name="Trials").get_by_role("row")
    expect(rows.filter(has_text="relu")).to_have_count(0)
    assert rows.filter(has_text="tanh").count() > 0
    picture.get_by_role("button", name="Show all").click()
    assert rows.filter(has_text="relu").count() > 0
    picture.get_by_role("searchbox", name="Filter the trials").fill("too large")
    expect(rows.nth(1)).to_contain_text("Failed")
    rows.nth(1).get_by_role("button").click()
    panel = picture.get_by_role("complementary", name=re.compile("^Trial"))
    expect(panel.get_by_role("alert")).to_contain_text("ValueError: x is <b>too large</b>")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


def test_a_study_is_stopped_from_its_picture(lab, page):
    picture = live(opened(lab, page, "stop", trials=500, pause=0.2))
    expect(picture.get_by_text(re.compile("of 500 trials"))).to_be_visible(timeout=60_000)
    for _ in range(5):  # a machine that is busy may take longer between them than the question stands
        picture.get_by_role("button", name="Stop", exact=True).click()
        with suppress(TimeOut):
            picture.get_by_role("button", name="Stop the study?").click(timeout=2000)
            break
    expect(in_state(picture, "Canceled")).to_be_visible(timeout=60_000)


def test_a_saved_notebook_shows_it_without_a_kernel(lab, page):
    sheet = opened(lab, page, "saved", trials=6, pause=0)
    expect(in_state(live(sheet), "Succeeded")).to_be_visible(timeout=120_000)
    sheet.finished()
    sheet.save()
    sheet.shut_down()
    output = sheet.cell("%%kf_tune").locator(".jp-OutputArea")
    expect(output.get_by_role("region", name="Study saved")).to_contain_text("Best trial")
    expect(output.get_by_role("img", name=re.compile("as lines over x, y, act, loss"))).to_be_visible()
    assert (lab.notebooks / "study-saved.ipynb").stat().st_size < 200_000
