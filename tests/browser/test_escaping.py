"""Whatever a run carries is shown as text: nothing of it acts in the page."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from lab import Sheet
from playwright.sync_api import expect

from kfnb.ui.frame import Frame

HERE = Path(__file__).parent

HOSTILE = f"""
%load_ext kfnb
import sys; sys.path.insert(0, {str(HERE)!r})
from made_up import MadeUp
from kfnb.resources.runs.events import encode
from kfnb.entities import Artifact
BAD = '\\'"><img src=x onerror="window.taken=1"><script>window.taken=2</script></script><svg onload=window.taken=3>'
backend = MadeUp(BAD + "-run", lines=[BAD, "\\x1b[31m" + BAD])
made = {{
    name: encode(Artifact(BAD + name, "system." + name, "/no/" + BAD, {{BAD: BAD, "format": BAD, "shape": BAD}}))
    for name in ("Dataset", "Model", "Metrics", "ClassificationMetrics", "HTML", "Markdown", BAD)
}}
error = {{"message": BAD, "traceback": BAD, "place": BAD}}
backend.put(
    ("created", "", {{"name": BAD, "pipeline": BAD, "backend": BAD, "experiment": BAD, "arguments": {{BAD: BAD}},
                     "url": "javascript:window.taken=4", "environment": {{BAD: BAD}}}}),
    ("note", "", {{"text": BAD}}),
    ("state", "", {{"state": "RUNNING"}}),
    ("task", "a", {{"name": BAD + "a"}}),
    ("task", "g", {{"name": BAD + "g", "group": True, "needs": [BAD + "a"], "takes": {{BAD + "a": [BAD]}}}}),
    ("task", "g/0", {{"name": BAD, "group": True, "parent": "g", "iteration": 0}}),
    ("task", "g/0/b", {{"name": BAD + "b", "parent": "g/0"}}),
    ("task", "g/1", {{"name": BAD, "group": True, "parent": "g", "iteration": 1}}),
    ("task", "g/1/b", {{"name": BAD + "b", "parent": "g/1"}}),
    ("inputs", "g/0/b", {{"values": {{BAD: BAD}}}}),
    ("inputs", "g/1/b", {{"values": {{BAD: BAD + "1"}}}}),
    ("state", "a", {{"state": "RUNNING"}}),
    ("doing", "a", {{"text": BAD}}),
    ("state", "g/0/b", {{"state": "FAILED", "error": error}}),
    ("inputs", "a", {{"values": {{BAD: BAD, **made}}}}),
    ("outputs", "a", {{"values": {{BAD: BAD, **made}}, "metrics": {{BAD: BAD}}}}),
    ("outputs", "", {{"values": {{BAD: BAD}}, "metrics": {{BAD: BAD}}}}),
)
"""
RUNS = """
from kfnb.resources.runs.handle import RunList
RunList(lambda: [backend.get(backend.run.id)] * 2)
"""


def looked_at(sheet: Sheet, source: str, name: str):
    return sheet.cell(source).get_by_role("region", name=re.compile(name)).last


def test_nothing_that_a_run_carries_acts_in_the_page(lab, page):
    page.add_init_script("window.taken = 0")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/x") else None)
    lab.write("hostile.ipynb", [HOSTILE, "backend.run", RUNS.strip()])
    sheet = lab.open(page, "hostile.ipynb")
    sheet.run_all()
    picture = looked_at(sheet, "backend.run", "^Run of")
    expect(picture.get_by_role("treeitem").first).to_be_visible(timeout=60_000)
    for _ in range(picture.get_by_role("treeitem").count()):
        picture.get_by_role("treeitem").nth(_).click()
        page.wait_for_timeout(300)
        if picture.get_by_role("complementary").count():
            expect(picture.get_by_role("tab", name="Details")).to_be_visible()
            page.wait_for_timeout(700)
            picture.get_by_role("tab", name="Log").click()
            page.wait_for_timeout(500)
            picture.get_by_role("tab", name="Details").click()
    for tab in ("Timeline", "Tasks", "Graph"):
        picture.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(300)
    expect(picture.get_by_text("onerror").first).to_be_visible()
    assert picture.get_by_role("link").count() == 0
    table = looked_at(sheet, "RunList", "^Runs")
    expect(table.get_by_text("onerror").first).to_be_visible()
    assert page.evaluate("window.taken") == 0
    assert not asked


LOADS = [
    '<link rel="preconnect" href="URL"><link rel="prefetch" href="URL"><link rel="preload" as="image" href="URL">',
    '<meta http-equiv="refresh" content="0;url=URL">',
    '<link rel="stylesheet" href="URL"><style>@import url(URL); body { background: url(URL) }</style>',
    '<img src="URL"><svg><image href="URL"/><use href="URL#a"/></svg>',
    '<video src="URL" autoplay poster="URL"></video><object data="URL"></object><embed src="URL">',
    '<iframe src="URL"></iframe>',
    "<IFRAME/src=URL></IFRAME>",
    '<iframe a=b" src=URL c=" srcdoc= x="y"></iframe>',
    '<iframe title=" srcdoc=x" src="URL"></iframe>',
    '<iframe srcdoc="&lt;iframe src=URL&gt;&lt;/iframe&gt;"></iframe>',
    '<frameset><frame src="URL"></frameset>',
    '<script type="speculationrules">{"prefetch": [{"source": "list", "urls": ["URL"]}]}</script>',
]


@pytest.mark.parametrize("hostile", LOADS)
def test_no_server_hears_that_a_page_which_a_step_wrote_was_looked_at(page, hostile):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        page.set_content(
            f"<body>{Frame('Report', '<p>hello</p>' + hostile.replace('URL', address)).to_html()}"
        )
        expect(page.frame_locator("iframe").first.get_by_text("hello")).to_be_visible()
        page.wait_for_timeout(700)
        server.settimeout(0.05)
        with pytest.raises(TimeoutError):
            server.accept()
