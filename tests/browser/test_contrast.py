"""The contrast of words and marks in both of JupyterLab's themes: WCAG 2 AA, 4.5 to 1 and 3 to 1."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lab import DARK, LIGHT
from playwright.sync_api import expect

CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")
ENOUGH = 40

STEPS = (
    "%load_ext kfnb",
    "%%kf_component load --param rows:int=3\nprices = [1.5, 2.0, 4.0][:rows]",
    "%%kf_component judge --output mean\nmean = sum(prices) / len(prices)\n"
    "kf.log_metrics(mean=mean)\nkf.log_roc([0.0, 0.1, 1.0], [0.0, 0.9, 1.0], [1.0, 0.5, 0.0])\nprint(mean)",
    "%%kf_component publish\ndone = mean + 1",
    "%%kf_pipeline prices\nloaded = load()\nscored = judge()\nwith dsl.If(scored.outputs['mean'] > 3):\n"
    "    publish()\nwith dsl.ParallelFor([1, 2]) as n:\n    load(rows=n)",
    "%kf_submit prices",
    "%kf_pipeline short load judge publish",
    "%kf_submit short --rows 0",
    "%%kf_tune bowl --trials 12 --objective loss --minimize --algorithm random --seed 3"
    ' --space "x=float(-2,2) act=choice(relu,tanh)"\n'
    "if x > 1.5:\n    raise ValueError('too large')\n"
    "kf.report(x * x + 1, step=0)\nkf.report(x * x, step=1)\nloss = x * x + (act == 'tanh')",
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
        told = sheet.page.locator(".jp-Notebook").evaluate(CONTRAST)
        assert not told["wrong"], what + "\n" + "\n".join(dict.fromkeys(told["wrong"]))
        assert told["checked"] > ENOUGH

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
