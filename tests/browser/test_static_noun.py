"""A noun that the page has no view of, in a real JupyterLab: its static HTML is live all the same."""

from __future__ import annotations

import re

from playwright.sync_api import expect

THING = """
from dataclasses import dataclass, replace
from kfnb.ipython import _extensions
from kfnb.ipython.display import show
from kfnb.live.followables import Followable, register
from kfnb.entities import RunState
from kfnb.ui.blocks import CodeBlock, Folded, Text, Title, bundle
from kfnb.ui.states import style_of

@dataclass(frozen=True)
class Shown:
    name: str
    state: RunState = RunState.RUNNING
    steps: int = 0

class Thing:
    def __init__(self, name):
        self.shown = Shown(name)
    def snapshot(self):
        return self.shown

def draw(shown, home=None):
    blocks = [Title(shown.name, style_of(shown.state)), Text(f"step {shown.steps} <b>of 9</b>"),
              Folded("More", [CodeBlock("what few will want to see")])]
    return bundle(f"Thing {shown.name}", blocks, home)

register(Followable("thing", Thing, name=lambda thing: thing.shown.name, draw=draw))
thing = Thing("made-up")
show(thing, _extensions[id(get_ipython())].kernel)
"""
STEP = "thing.shown = replace(thing.shown, steps=4)"
END = "thing.shown = replace(thing.shown, state=RunState.SUCCEEDED, steps=9)"


def test_a_noun_that_no_view_here_knows_is_live(lab, page, tmp_path):
    lab.write("thing.ipynb", ["%load_ext kfnb", THING.strip(), STEP, END])
    sheet = lab.open(page, "thing.ipynb")
    cells = page.locator(".jp-CodeCell")
    for at in range(2):
        cells.nth(at).locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
    live = page.locator("[data-kfnb-type=thing] [data-kfnb-live]")
    expect(live.get_by_text("step 0 <b>of 9</b>")).to_be_visible(timeout=60_000)
    live.get_by_text("More").click()
    for at in (2, 3):
        cells.nth(at).locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
        expect(live.get_by_text(re.compile("step [49]"))).to_be_visible()
    expect(live.get_by_text("Succeeded")).to_be_visible()
    expect(live.get_by_text("what few will want to see")).to_be_visible()
    page.screenshot(path=str(tmp_path / "thing.png"))
    sheet.save()
    sheet.reload()
    expect(live.get_by_text("step 9 <b>of 9</b>")).to_be_visible()
