"""A training in a real JupyterLab: its ranks as they run, and their logs, in the light and in the dark."""

from __future__ import annotations

import re
from pathlib import Path

from lab import DARK, LIGHT, Lab, Sheet
from playwright.sync_api import Locator, Page, expect

CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")

LOAD = "%%kf_component load\nitems = list(range(10))"
FIT = """
%%kf_train fit --procs 2 --param pause:float=0.0 --param wrong:bool=False
import time
mine = kf.shard(items)
for step in range(40):
    kf.log_metrics(step=step, loss=(kf.rank + 1) / (step + 1))
    kf.progress(step / 40)
    time.sleep(pause)
if wrong and kf.rank == 1:
    raise ValueError("bad shard")
"""


def opened(lab: Lab, page: Page, name: str, train: str) -> tuple[Sheet, Locator]:
    """A notebook whose last cell starts a training, and the live picture of it."""
    lab.write(name, ["%load_ext kfnb\nimport kfnb", LOAD, FIT.strip(), train])
    sheet = lab.open(page, name)
    sheet.run_all()
    return sheet, sheet.cell(train).get_by_role("region", name=re.compile("^Run of"))


def test_the_ranks_of_a_training_are_seen_while_they_run(lab: Lab, page: Page) -> None:
    _, picture = opened(lab, page, "training.ipynb", 'kfnb.train("fit", {"pause": 0.4})')
    panel = picture.get_by_role("complementary", name="Task fit")
    row = panel.get_by_role("row", name=re.compile("^1 .*Running"))
    expect(row).to_be_visible(timeout=60_000)
    expect(panel.get_by_text(re.compile(r"\d+% done · .* left · .* steps a second"))).to_be_visible(
        timeout=60_000
    )
    expect(panel.get_by_role("img", name=re.compile("^loss: mean of 2 ranks"))).to_be_visible()
    panel.get_by_role("tab", name="Log").click()
    expect(panel.get_by_role("log").get_by_text("[rank 1] step 3:")).to_be_visible(timeout=60_000)
    panel.get_by_label("Ranks").select_option(label="ranks 0 to 1, side by side")
    second = panel.get_by_role("log", name="Log of fit, rank 1")
    expect(second.get_by_text(re.compile("^step 5:"))).to_be_visible(timeout=60_000)
    expect(panel.get_by_role("log", name="Log of fit, rank 0")).to_be_visible()
    expect(second.get_by_text("loss=1.0", exact=False)).to_have_count(1)
    picture.get_by_role("button", name="Stop", exact=True).click()
    picture.get_by_role("button", name="Stop the run?").click()
    expect(picture.locator("header").get_by_text("Canceled", exact=True)).to_be_visible(timeout=60_000)


def test_the_first_failure_is_above_the_ranks_and_all_is_read_in_any_theme(lab: Lab, page: Page) -> None:
    sheet, picture = opened(lab, page, "failing-training.ipynb", 'kfnb.train("fit", {"wrong": True})')
    panel = picture.get_by_role("complementary", name="Task fit")
    expect(picture.locator("header").get_by_text("Failed", exact=True)).to_be_visible(timeout=60_000)
    expect(panel.get_by_role("row", name=re.compile("^1 .*Failed 1"))).to_be_visible(timeout=60_000)
    reason = panel.get_by_text("rank 1: ValueError: bad shard").first
    top, table = reason.bounding_box(), panel.get_by_role("table").first.bounding_box()
    assert top is not None
    assert table is not None
    assert top["y"] < table["y"]
    sheet.save()
    for theme in (LIGHT, DARK):
        lab.theme(theme)
        page.reload()
        sheet.wait_until_ready()
        expect(panel.get_by_role("row", name=re.compile("^1 .*Failed 1"))).to_be_visible(timeout=60_000)
        found = panel.evaluate(CONTRAST)
        assert found["checked"] > 30
        assert not found["wrong"]
