"""Trainings of several processes: how soon they are up, what the launcher costs, and how soon a page tells of them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Measured, in_turn
from benchmarks.servers import free_port

HERE = Path(__file__).parent.parent / "tests" / "browser"
sys.path.insert(0, str(HERE))

if TYPE_CHECKING:
    from lab import Sheet

RANKS, ROWS, TREES, ROUNDS = 2, 1_000_000, 10, 3
MANY, LINES = 64, 10_000

UP = """
import xgboost
print("up", time.time(), flush=True)
"""
TRAIN = f"""
import numpy as np, xgboost
draw = np.random.default_rng(rank)
rows = draw.normal(size=({ROWS} // {RANKS}, 20)).astype("float32")
data = xgboost.DMatrix(rows, rows[:, 0] > 0.1)
xgboost.train({{"objective": "binary:logistic", "tree_method": "hist"}}, data, {TREES})
"""
LAUNCHED = """
import time
from kfnb.capture.embedded.communicators import kfnb_join_xgboost
from kfnb.capture.embedded.ranks import kfnb_ranks
from kfnb.capture.embedded.training import kfnb_rank
kfnb_ranks(1, {ranks}, 0, 0, [])
rank, leave = kfnb_rank(), kfnb_join_xgboost()
{cell}
leave()
"""
BY_HAND = """
import sys, time
from kfnb.capture.embedded.communicators import kfnb_await_listener
rank, port = int(sys.argv[1]), int(sys.argv[2])
from xgboost.collective import CommunicatorContext
from xgboost.tracker import RabitTracker
if rank == 0:
    tracker = RabitTracker({ranks}, host_ip="127.0.0.1", port=port)
    tracker.start()
else:
    kfnb_await_listener("127.0.0.1", port)
with CommunicatorContext(dmlc_tracker_uri="127.0.0.1", dmlc_tracker_port=port):
{cell}
if rank == 0:
    tracker.wait_for()
"""

TALK = """
%%kf_train talk --procs 2 --framework none --param turns:int=1
import time
for turn in range(turns):
    kf.rank == 0 and print("at", time.time(), flush=True)
    time.sleep(0.31)
"""
TALKING = "talking = kfnb.train('talk', {'turns': 200}); talking"
MADE_UP = f"""
import sys; sys.path.insert(0, {str(HERE)!r})
from made_up import MadeUp
lines = [f"[rank {{n % {MANY}}}] step {{n // {MANY}}} loss {{1 / (n + 1):.6f}}" for n in range({MANY * LINES})]
many = MadeUp("many", lines)
many.put(("created", "", {{"name": "many", "pipeline": "many", "backend": "made up"}}),
         ("state", "", {{"state": "RUNNING"}}), ("task", "fit", {{"name": "fit"}}),
         ("state", "fit", {{"state": "RUNNING"}}))
many.put(("ranks", "fit", {{"ranks": {{str(n): {{"state": "RUNNING", "step": 1}} for n in range({MANY})}}}}))
many.run
"""

# how long after they were written lines are in the page: what they say is when that was
DELAYS = """
() => new Promise(done => {
  const root = [...document.querySelectorAll('[data-kfnb-live]')].at(-1).shadowRoot;
  const seen = new Map();
  let old = true;
  const began = performance.now();
  const look = () => {
    for (const line of root.querySelectorAll('[role=log] .text')) {
      const at = /at ([0-9.]+)$/.exec(line.textContent)?.[1];
      const now = (performance.timeOrigin + performance.now()) / 1000;
      if (at && !seen.has(at)) seen.set(at, old ? null : now - Number(at));
    }
    old = false;
    if (performance.now() - began > 6000) done([...seen.values()].filter(delay => delay !== null));
    else requestAnimationFrame(look);
  };
  look();
})
"""
# from a click on a tab, or a choice of ranks, until lines are there, and the longest time without a frame
SHOWN = """
choice => new Promise(done => {
  const root = [...document.querySelectorAll('[data-kfnb-live]')].at(-1).shadowRoot;
  const began = performance.now();
  let [last, gap] = [began, 0];
  const logs = () => [...root.querySelectorAll('[role=log]')];
  if (choice) {
    const select = root.querySelector('select[aria-label=Ranks]');
    select.value = choice;
    select.dispatchEvent(new Event('change'));
  } else [...root.querySelectorAll('[role=tab]')].find(one => one.textContent == 'Log').click();
  const look = () => {
    gap = Math.max(gap, performance.now() - last);
    last = performance.now();
    const shown = logs().length == (choice ? 4 : 1) && logs().every(log => log.textContent.includes('loss'));
    if (shown) done([(performance.now() - began) / 1000, gap / 1000]);
    else requestAnimationFrame(look);
  };
  look();
})
"""


def training() -> Iterator[Measured]:
    """Two processes by the launcher and by hand; a training and one of 64 ranks in a browser."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        up = in_turn(ROUNDS, lambda: _launched(folder, UP), lambda: _by_hand(folder, UP))
        yield Measured(f"{RANKS} processes up, xgboost imported", up[0], "0.2 s more", up[1], "by hand")
        trained = in_turn(ROUNDS, lambda: _launched(folder, TRAIN), lambda: _by_hand(folder, TRAIN))
        yield Measured(
            f"xgboost, {ROWS:,} x 20, {RANKS} processes", trained[0], "1.05 times", trained[1], "by hand"
        )
    yield from _watched()


def _launched(folder: Path, cell: str) -> float:
    """Seconds of a training as a step launches it."""
    file = folder / "launched.py"
    file.write_text(LAUNCHED.format(ranks=RANKS, cell=cell))
    return _seconds([[sys.executable, str(file)]])


def _by_hand(folder: Path, cell: str) -> float:
    """Seconds of the same training, each of whose processes is started by itself."""
    file = folder / "by_hand.py"
    file.write_text(BY_HAND.format(ranks=RANKS, cell=cell.replace("\n", "\n    ")))
    port = free_port()
    return _seconds([[sys.executable, str(file), str(rank), str(port)] for rank in range(RANKS)])


def _seconds(commands: Sequence[Sequence[str]]) -> float:
    """Seconds until all processes are up, where they say so, or have ended."""
    threads = str(max(1, (os.cpu_count() or 1) // RANKS))
    given = {**os.environ, "OMP_NUM_THREADS": threads, "PYTHONPATH": str(HERE.parent.parent)}
    began, wall = time.monotonic(), time.time()
    running = [subprocess.Popen(one, env=given, stdout=subprocess.PIPE, text=True) for one in commands]
    said = "".join(one.communicate()[0] for one in running)
    ended = time.monotonic() - began
    if any(one.returncode for one in running):
        raise RuntimeError(f"a process failed: {said}")
    up = [float(line.split()[-1]) - wall for line in said.splitlines() if "up " in line]
    return max(up, default=ended)


def _watched() -> Iterator[Measured]:
    """In a browser of 1120 by 900."""
    from lab import jupyterlab, launch
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as place, jupyterlab(Path(place)) as lab, sync_playwright() as driver:
        browser = launch(driver)
        page = browser.new_page(viewport={"width": 1120, "height": 900})
        cells = ("%load_ext kfnb\nimport kfnb", TALK, TALKING, "talking.stop()", MADE_UP)
        lab.write("training.ipynb", [cell.strip() for cell in cells])
        sheet = lab.open(page, "training.ipynb")
        for number in range(3):
            _run(sheet, number)
        page.get_by_role("tab", name="Log").nth(1).click()
        page.get_by_role("log").get_by_text("at ").last.wait_for()
        delays = sorted(page.evaluate(DELAYS))
        yield Measured("a line of a rank, in the page", delays[len(delays) // 2], "100 ms")
        for number in (3, 4):
            _run(sheet, number)
        page.get_by_text(f"fit · {MANY} ranks").last.wait_for()
        page.wait_for_timeout(2000)
        opened, gap = page.evaluate(SHOWN, "")
        yield Measured(f"the log of {MANY} ranks with {LINES:,} lines each, opened", opened, "")
        yield Measured("the longest time without a frame meanwhile", gap, "")
        page.wait_for_timeout(8000)
        chosen, _ = page.evaluate(SHOWN, "60,61,62,63")
        yield Measured("four of its ranks side by side", chosen, "")
        browser.close()


def _run(sheet: Sheet, number: int) -> None:
    sheet.page.locator(".jp-CodeCell").nth(number).locator(".jp-InputArea-editor").click()
    sheet.page.keyboard.press("Shift+Enter")
    sheet.page.wait_for_timeout(200)
    sheet.finished()
