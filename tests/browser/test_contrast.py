"""The contrast of words and marks in both of JupyterLab's themes: WCAG 2 AA, 4.5 to 1 and 3 to 1."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lab import DARK, LIGHT
from playwright.sync_api import expect

CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")
ENOUGH = 100

JUDGE = """
%%kf_component judge --output mean
mean = sum(prices) / len(prices)
kf.log_metrics(mean=mean)
kf.log_roc([0.0, 0.1, 1.0], [0.0, 0.9, 1.0], [1.0, 0.5, 0.0])
print(mean)
"""
PRICES = """
%%kf_pipeline prices
loaded = load()
scored = judge()
with dsl.If(scored.outputs['mean'] > 3):
    publish()
with dsl.ParallelFor([1, 2]) as n:
    load(rows=n)
"""
TUNE = """
%%kf_tune bowl --trials 12 --objective loss --minimize --algorithm random --seed 3 \
 --space "x=float(-2,2) act=choice(relu,tanh)"
if x > 1.5:
    raise ValueError('too large')
kf.report(x * x + 1, step=0)
kf.report(x * x, step=1)
loss = x * x + (act == 'tanh')
"""
STEPS = (
    "%load_ext kfnb",
    "%%kf_component load --param rows:int=3\nprices = [1.5, 2.0, 4.0][:rows]",
    JUDGE.strip(),
    "%%kf_component publish\ndone = mean + 1",
    PRICES.strip(),
    "%kf_submit prices --no-cache",
    "%kf_pipeline short load judge publish",
    "%kf_submit short --rows 0",
    TUNE.strip(),
    "%kf_runs",
)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_words_and_marks_stand_out_from_their_paper(lab, page, theme):
    lab.theme(theme)
    name = f"contrast-{theme[-4:].strip().lower()}.ipynb"
    lab.write(name, STEPS)
    sheet = lab.open(page, name)
    sheet.run_all()
    study = sheet.cell("%%kf_tune").get_by_role("region", name=re.compile("^Study .*live$"))
    expect(study.locator("header").get_by_text("Succeeded", exact=True)).to_be_visible(timeout=120_000)
    run = sheet.cell("%kf_submit prices").get_by_role("region", name=re.compile("^Run of"))
    failed = sheet.cell("%kf_submit short").get_by_role("region", name=re.compile("^Run of"))
    expect(failed.locator("header").get_by_text("Failed", exact=True)).to_be_visible(timeout=60_000)
    sheet.finished()
    lab.theme(LIGHT)

    def check(what):
        told = [home.evaluate(CONTRAST) for home in page.locator("[data-kfnb]").all()]
        wrong = dict.fromkeys(line for one in told for line in one["wrong"])
        assert not wrong, what + "\n" + "\n".join(wrong)
        assert sum(one["checked"] for one in told) > ENOUGH

    check("graphs")
    for picture, node in ((run, "judge"), (failed, "judge")):
        picture.get_by_role("treeitem", name=re.compile(rf"^{node}\b")).first.click()
        expect(picture.get_by_role("complementary").get_by_text("Inputs").first).to_be_visible()
    check("details")
    run.get_by_role("tab", name="Log").click()
    expect(run.get_by_role("log")).to_contain_text("2.5")
    check("log")
    for tab in ("Timeline", "Tasks", "Report"):
        run.get_by_role("tab", name=tab).click()
        failed.get_by_role("tab", name=tab).click()
        check(tab)
    for tab in ("Slices", "Curves", "Trials"):
        study.get_by_role("tab", name=tab).click()
        check(tab)
