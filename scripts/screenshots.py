"""Take the screenshots in docs/images/ anew, of a real JupyterLab with a real kernel.

    python3 -m venv /tmp/screenshots && /tmp/screenshots/bin/pip install playwright
    apt-get install -y chromium
    /tmp/screenshots/bin/python scripts/screenshots.py

It runs the JupyterLab of ``.venv`` (``make install``) in a folder of its own, on this machine's own address, and
needs about two minutes. ``JUPYTER`` and ``CHROMIUM`` in the environment name other programs. It is no part of
``make test``.
"""  # noqa: INP001 (a script, in no package)

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
JUPYTER = os.environ.get("JUPYTER", str(ROOT / ".venv" / "bin" / "jupyter"))
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
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


def main() -> None:
    """Take all of them."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        folder = Path(place)
        notebooks = folder / "notebooks"
        notebooks.mkdir()
        shutil.copy(ROOT / "examples" / "quickstart.ipynb", notebooks)
        (notebooks / "failing.ipynb").write_text(json.dumps(notebook(FAILING)))
        with jupyterlab(folder, notebooks) as address:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": WIDTH, "height": TALLEST})
            quickstart(page, address, folder)
            failing(page, address, folder)
            browser.close()


def quickstart(page: Page, address: str, folder: Path) -> None:
    """A run as it goes on and when it is done, a loop in the dark, and a component."""
    theme(folder, "JupyterLab Light")
    open_notebook(page, f"{address}/quickstart.ipynb?reset")
    run_all(page)
    sweep = cell(page, "%kf_submit diagnosis_sweep")
    sweep.get_by_text("● Running").first.wait_for(timeout=120_000)
    take(page, sweep, "run-live")
    finished(page)
    take(page, cell(page, "%kf_submit diagnosis --C 1.0"), "run-light")
    take(page, cell(page, "%kf_show evaluate"), "component")
    page.keyboard.press("Control+s")
    page.wait_for_timeout(2000)
    theme(folder, "JupyterLab Dark")
    open_notebook(page, f"{address}/quickstart.ipynb?reset")
    take(page, cell(page, "%kf_submit diagnosis_sweep"), "run-dark")


def failing(page: Page, address: str, folder: Path) -> None:
    """A run that failed: what went wrong stands first."""
    theme(folder, "JupyterLab Light")
    open_notebook(page, f"{address}/failing.ipynb?reset")
    run_all(page)
    run = cell(page, "%kf_submit prices_report")
    run.get_by_text("Never ran because of it").wait_for(timeout=120_000)
    finished(page)
    take(page, run, "run-failed")


def open_notebook(page: Page, address: str) -> None:
    """Open a notebook, the file browser closed."""
    page.goto(address)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
    page.locator(".jp-Toolbar-kernelName", has_text="Python 3").wait_for(timeout=60_000)
    page.wait_for_timeout(2500)
    if page.locator("#jp-left-stack").is_visible():
        page.keyboard.press("Control+b")
        page.wait_for_timeout(500)


def run_all(page: Page) -> None:
    """Run all cells."""
    page.locator(".lm-MenuBar-item", has_text="Run").click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def finished(page: Page) -> None:
    """Wait until no cell and no run goes on."""
    page.wait_for_function(
        "() => ![...document.querySelectorAll('.jp-InputPrompt')].some(one => one.textContent.includes('[*]'))"
        " && !document.body.innerText.includes('● Running')",
        timeout=120_000,
    )
    page.wait_for_timeout(1500)


def cell(page: Page, source: str) -> Locator:
    """The code cell that holds ``source``."""
    return page.locator(".jp-CodeCell", has=page.locator(".jp-InputArea", has_text=source)).first


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


def theme(folder: Path, name: str) -> None:
    """Set JupyterLab's theme for the next page, and all cells to be in the page at once."""
    for plugin, settings in (
        ("apputils-extension/themes", {"theme": name}),
        ("notebook-extension/tracker", {"windowingMode": "none"}),
    ):
        path = folder / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))


def notebook(sources: tuple[str, ...]) -> dict[str, object]:
    """A notebook of code cells, as JSON data."""
    cells = [
        {"id": f"cell-{number}", "cell_type": "code", "source": source, "metadata": {}, "outputs": [],
         "execution_count": None}
        for number, source in enumerate(sources)
    ]  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


@contextlib.contextmanager
def jupyterlab(folder: Path, notebooks: Path) -> Iterator[str]:
    """A JupyterLab that nobody else knows of; yields the address of its folder of notebooks."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {name: str(folder / path) for name, path in _PLACES.items()}
    command = [
        *(JUPYTER, "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"),
        *("--IdentityProvider.token=", f"--ServerApp.root_dir={notebooks}"),
    ]
    log = (folder / "lab.log").open("w")
    server = subprocess.Popen(command, cwd=notebooks, env={**os.environ, **own}, stdout=log, stderr=log)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}/lab/tree"
    finally:
        server.terminate()
        server.wait()
        log.close()


_PLACES = {
    "KFNB_HOME": "kfnb",
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
}


def _wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.2)
    raise SystemExit("JupyterLab did not start")


if __name__ == "__main__":
    main()
