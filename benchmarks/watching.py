"""A run of 1,000 tasks and a log of 100,000 lines, looked at in a real JupyterLab: what a person waits for.

Nothing else shows a run in a notebook, so there is nobody to compare with.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Measured

HERE = Path(__file__).parent.parent / "tests" / "browser"
sys.path.insert(0, str(HERE))

if TYPE_CHECKING:
    from lab import Sheet
    from playwright.sync_api import Page

TASKS, LINES, SECONDS, RATE = 1000, 100_000, 10, 200

SETUP = f"""
%load_ext kfnb
import sys; sys.path.insert(0, {str(HERE)!r})
import threading, time
from made_up import MadeUp

def big(name):
    backend = MadeUp(name, lines=[f"2026-11-24 06:37:22 step {{n}} loss {{1 / (n + 1):.6f}}" for n in range({LINES})])
    backend.put(("created", "", {{"name": name, "pipeline": name, "backend": "made up"}}),
                ("state", "", {{"state": "RUNNING"}}))
    for n in range({TASKS}):
        backend.put(("task", f"t{{n}}", {{"name": f"t{{n}}", "needs": [f"t{{n - 10}}"] if n >= 10 else []}}))
    backend.put(*(("state", f"t{{n}}", {{"state": "RUNNING"}}) for n in range(20)))
    return backend

def change(backend, n):
    state = "SUCCEEDED" if n // {TASKS} % 2 == 0 else "RUNNING"
    backend.put(("state", f"t{{n % {TASKS}}}", {{"state": state}}))

def sustain(backend):
    began, cpu, n = time.monotonic(), time.process_time(), 0
    while time.monotonic() - began < {SECONDS}:
        while n < (time.monotonic() - began) * {RATE}:
            change(backend, n); n += 1
        time.sleep(0.005)
    return n / {SECONDS}, (time.process_time() - cpu) / {SECONDS}

backend = big("warm"); backend.run
"""
SHOW = """
backend = big("first")
from IPython.display import display
shown_at = time.time()
display(backend.run)
"""
ONE = """
time.sleep(1.5)
changed_at = time.time()
change(backend, 5)
"""
MANY = """
import asyncio
told = await asyncio.get_running_loop().run_in_executor(None, sustain, backend)
"""

# notes, once a frame, when a picture of the run is first there and when a task's state is another
WATCHER = """
window.seen = {first: 0, states: {}, gap: 0, heap: 0};
let last = performance.now();
const now = () => (performance.timeOrigin + performance.now()) / 1000;
const look = () => {
  window.seen.gap = Math.max(window.seen.gap, performance.now() - last);
  last = performance.now();
  for (const host of document.querySelectorAll('[data-kfnb-id="first"] [data-kfnb-live]')) {
    const card = host.shadowRoot.querySelector('[role=treeitem]');
    if (card && !window.seen.first) window.seen.first = now();
    const five = host.shadowRoot.querySelector('[data-key="t5"]');
    if (five) window.seen.states[five.dataset.state] ??= now();
  }
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
LINES_SHOWN = """
() => new Promise(done => {
  const host = document.querySelector('[data-kfnb-id="first"] [data-kfnb-live]');
  const tab = [...host.shadowRoot.querySelectorAll('[role=tab]')].find(one => one.textContent == 'Log');
  const began = performance.now();
  tab.click();
  const look = () => {
    const log = host.shadowRoot.querySelector('[role=log]');
    if (log && log.textContent.includes('loss')) done((performance.now() - began) / 1000);
    else requestAnimationFrame(look);
  };
  look();
})
"""


def watching() -> Iterator[Measured]:
    """In a browser of 1120 by 900, with a kernel that does nothing else."""
    from lab import jupyterlab, launch
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as place, jupyterlab(Path(place)) as lab, sync_playwright() as driver:
        browser = launch(driver)
        page = browser.new_page(viewport={"width": 1120, "height": 900})
        page.add_init_script(WATCHER)
        lab.write(
            "big.ipynb", [cell.strip() for cell in (SETUP, SHOW, ONE, MANY, "shown_at, changed_at, told")]
        )
        sheet = lab.open(page, "big.ipynb")
        _run(sheet, 0)
        page.wait_for_timeout(3000)
        yield from _painted(sheet)
        yield from _sustained(sheet)
        yield from _log(page)
        browser.close()


def _painted(sheet: Sheet) -> Iterator[Measured]:
    _run(sheet, 1)
    sheet.page.wait_for_function("() => window.seen.first > 0")
    _run(sheet, 2)
    sheet.page.wait_for_function("() => window.seen.states.SUCCEEDED > 0")
    seen = sheet.page.evaluate("window.seen")
    sheet.page.wait_for_timeout(2000)
    sheet.page.evaluate("window.seen.gap = 0")
    _run(sheet, 3)
    shown_at, changed_at, _ = _told(sheet)
    yield Measured(f"first paint of a run of {TASKS:,} tasks", seen["first"] - shown_at, "500 ms")
    yield Measured("a change of one of them, drawn", seen["states"]["SUCCEEDED"] - changed_at, "100 ms")


def _sustained(sheet: Sheet) -> Iterator[Measured]:
    gap = sheet.page.evaluate("window.seen.gap") / 1000
    _, _, (rate, share) = _told(sheet)
    yield Measured(f"{rate:.0f} changes a second: longest time without a frame", gap, "")
    yield Measured(f"{rate:.0f} changes a second: kernel's share of a core", share, "10 %", unit="%")


def _log(page: Page) -> Iterator[Measured]:
    page.evaluate(
        """() => document.querySelector('[data-kfnb-id="first"] [data-kfnb-live]').shadowRoot
        .querySelector('[data-key="t5"]').click()"""
    )
    page.wait_for_timeout(500)
    seconds = []
    for _ in range(3):
        seconds.append(page.evaluate(LINES_SHOWN))
        page.wait_for_timeout(1500)
        page.get_by_role("tab", name="Details").click()
        page.wait_for_timeout(500)
    yield Measured(f"a log of {LINES:,} lines, opened", statistics.median(seconds), "300 ms")
    heap = page.evaluate("performance.memory.usedJSHeapSize")
    yield Measured("the page's memory after all that", heap, "", unit="MB")


def _run(sheet: Sheet, number: int) -> None:
    sheet.page.locator(".jp-CodeCell").nth(number).locator(".jp-InputArea-editor").click()
    sheet.page.keyboard.press("Shift+Enter")
    sheet.page.wait_for_timeout(200)
    sheet.finished()


def _told(sheet: Sheet) -> Any:
    """What the last cell says: when it was shown, when it changed, and a rate with its share of a core."""
    _run(sheet, 4)
    time.sleep(0.3)
    text = sheet.page.locator(".jp-CodeCell").nth(4).locator(".jp-OutputArea").inner_text()
    return json.loads(text.strip().split(":")[-1].strip().replace("(", "[").replace(")", "]"))
