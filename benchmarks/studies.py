"""A study of 10,000 trials as it is drawn: static, and in a real JupyterLab, where one more trial ends.

Nothing else shows a study in a notebook as it goes on, so there is nobody to compare with.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.measure import Measured

HERE = Path(__file__).parent.parent / "tests" / "browser"
sys.path.insert(0, str(HERE))

TRIALS, ROUNDS = 10_000, 5

SETUP = f"""
%load_ext kfnb
import sys; sys.path.insert(0, {str(HERE)!r})
import time
from made_up_studies import MadeUp
from IPython.display import display
display(MadeUp("warm", 20).handle)
big = MadeUp("big", {TRIALS})
"""
SHOW = """
puts, shown_at = [], time.time()
display(big.handle)
"""
ONE = """
time.sleep(1.5)
puts.append(time.time())
big.put()
"""

# notes, once a frame, how many trials the picture says are done, and when it said so first
WATCHER = """
window.seen = {};
const look = () => {
  for (const host of document.querySelectorAll('[data-kfnb-study$="/big"] [data-kfnb-live]')) {
    const said = host.shadowRoot.querySelector('.progress-words b')?.textContent.split(' ')[0];
    if (said) window.seen[said] ??= (performance.timeOrigin + performance.now()) / 1000;
  }
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def studies() -> Iterator[Measured]:
    """The static picture, the messages, and both ends together."""
    yield from _drawn()
    yield from _live()


def _drawn() -> Iterator[Measured]:
    from made_up_studies import MadeUp

    from kfnb.resources.studies.view.study import draw_study
    from kfnb.resources.studies.wire import StudyWire

    made = MadeUp("big", TRIALS)
    study, page = made.get("big"), StudyWire("big")
    yield Measured(f"static picture of {TRIALS:,} trials", _median(lambda: draw_study(study)), "")
    size = len(draw_study(study)["text/html"].encode())
    yield Measured(f"static picture of {TRIALS:,} trials: its size", size, "1 MB", unit="MB")
    yield Measured(f"{TRIALS:,} trials as a message", _median(lambda: page.whole(study)), "")
    made.put()
    yield Measured("one more trial as a message", _once(lambda: page.change(made.get("big"), {TRIALS})), "")


def _live() -> Iterator[Measured]:
    from lab import jupyterlab, launch
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as place, jupyterlab(Path(place)) as lab, sync_playwright() as driver:
        browser = launch(driver)
        page = browser.new_page(viewport={"width": 1120, "height": 900})
        page.add_init_script(WATCHER)
        cells = (SETUP, SHOW, *[ONE] * ROUNDS, "print(shown_at, *puts)")
        lab.write("studies.ipynb", [cell.strip() for cell in cells])
        sheet = lab.open(page, "studies.ipynb")
        sheet.run_all()
        sheet.finished()
        page.wait_for_timeout(2000)
        output = sheet.cell("print(shown_at").locator(".jp-OutputArea-output").first.inner_text()
        shown_at, *puts = map(float, output.split())
        seen = page.evaluate("window.seen")
        browser.close()
    yield Measured(f"a study of {TRIALS:,} trials opens", seen[f"{TRIALS:,}"] - shown_at, "1 s")
    drawn = [seen[f"{TRIALS + number:,}"] - at for number, at in enumerate(puts, start=1)]
    yield Measured("one more trial of it, drawn", statistics.median(drawn), "100 ms")


def _once(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def _median(run: Callable[[], object]) -> float:
    return statistics.median(_once(run) for _ in range(ROUNDS))
