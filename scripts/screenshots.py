"""Take the screenshots in docs/images/ anew, of a real JupyterLab with a real kernel: ``make screenshots``.

Two minutes. What JupyterLab keeps lies in a folder of its own; ``CHROMIUM`` in the environment names another browser.
"""  # noqa: INP001 (a script, in no package)

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Locator, Page, expect, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from lab import DARK, LIGHT, Lab, Sheet, jupyterlab, launch  # noqa: E402 - it lies beside the tests that use it

IMAGES = ROOT / "docs" / "images"
WIDTH, TALLEST = 1120, 900
MOST_BYTES = 200_000
MARGIN = 10

FAILING = (
    "%load_ext kfnb",
    "%%kf_component load --param rows:int=3\nprices = [1.5, 2.0, 4.0][:rows]",
    "%%kf_component mean --output average\naverage = sum(prices) / len(prices)",
    "%%kf_component report\nkf.log_metrics(average=average)",
    "%kf_pipeline prices_report load mean report",
    "%kf_submit prices_report --rows 0",
)
SWEEP = "%kf_submit diagnosis_sweep"


def main() -> None:
    """Take all of them."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, jupyterlab(Path(place)) as lab, sync_playwright() as driver:
        shutil.copy(ROOT / "examples" / "quickstart.ipynb", lab.notebooks)
        lab.write("failing.ipynb", FAILING)
        browser = launch(driver)
        page = browser.new_page(viewport={"width": WIDTH, "height": TALLEST})
        light(page, lab)
        failing(page, lab)
        dark(page, lab)
        browser.close()


def light(page: Page, lab: Lab) -> None:
    """A run as it goes on and when it is done; a task of it, its time, its log; a component; runs, and two compared."""
    lab.theme(LIGHT)
    sheet = lab.open(page, "quickstart.ipynb")
    sheet.run_all()
    sweep = live(sheet, SWEEP)
    expect(node(sweep, "train")).to_have_attribute("data-state", "RUNNING", timeout=120_000)
    take(page, sheet.cell(SWEEP), "run-live")
    expect(state(sweep, "Succeeded")).to_be_visible(timeout=120_000)
    sheet.finished()
    take(page, sheet.cell(SWEEP), "run-light")
    sweep.get_by_role("tab", name="Timeline").click()
    take(page, sheet.cell(SWEEP), "run-timeline")
    one = live(sheet, "%kf_submit diagnosis --C 1.0")
    node(one, "evaluate").click()
    expect(one.get_by_role("img", name=re.compile("ROC curve"))).to_be_visible()
    take(page, sheet.cell("%kf_submit diagnosis --C 1.0"), "run-task")
    one.get_by_role("tab", name="Log").click()
    take(page, sheet.cell("%kf_compare"), "compare")
    take(page, sheet.cell("%kf_show evaluate"), "component")
    sheet.save()


def failing(page: Page, lab: Lab) -> None:
    """A run that failed: what went wrong stands first."""
    sheet = lab.open(page, "failing.ipynb")
    sheet.run_all()
    run = live(sheet, "%kf_submit prices_report")
    expect(state(run, "Failed")).to_be_visible(timeout=120_000)
    node(run, "mean").click()
    expect(run.get_by_role("complementary").get_by_text("Traceback")).to_be_visible()
    take(page, sheet.cell("%kf_submit prices_report"), "run-failed")


def dark(page: Page, lab: Lab) -> None:
    """A loop's turns in the dark."""
    lab.theme(DARK)
    sheet = lab.open(page, "quickstart.ipynb")
    sweep = live(sheet, SWEEP)
    node(sweep, "evaluate").click()
    take(page, sheet.cell(SWEEP), "run-dark")


def live(sheet: Sheet, source: str) -> Locator:
    """The live picture below a cell."""
    return sheet.cell(source).get_by_role("region", name=re.compile("^Run of"))


def node(picture: Locator, name: str) -> Locator:
    """A task in the graph."""
    return picture.get_by_role("treeitem", name=re.compile(rf"^{name}\b"))


def state(picture: Locator, word: str) -> Locator:
    """The run's state."""
    return picture.locator("header").get_by_text(word, exact=True)


def take(page: Page, shown: Locator, name: str) -> None:
    """A picture of a cell, from its code on, as much of it as a screen holds."""
    shown.evaluate("element => element.scrollIntoView()")
    page.wait_for_timeout(1000)
    box = shown.bounding_box()
    if box is None:
        raise SystemExit(f"{name}: the cell is not to be seen")
    top = max(0.0, box["y"] - MARGIN / 2)
    height = min(box["height"] + MARGIN, TALLEST - 30 - top)
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path, clip={"x": box["x"], "y": top, "width": box["width"], "height": height})
    size = path.stat().st_size
    sys.stdout.write(f"{path.relative_to(ROOT)}: {size:,} bytes\n")
    if size > MOST_BYTES:
        raise SystemExit(f"{path} is larger than {MOST_BYTES:,} bytes")


if __name__ == "__main__":
    main()
