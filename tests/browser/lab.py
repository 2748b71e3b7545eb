"""A real JupyterLab with a real kernel, and what a person does there, by Playwright. The screenshots use it too."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, Playwright

LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"
_PLACES = {
    "KFNB_HOME": "kfnb",
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
}


def chromium() -> str | None:
    """The browser's program; None where there is none. ``CHROMIUM`` in the environment names another."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


def launch(playwright: Playwright) -> Browser:
    """Start the browser. In a container it has no sandbox of its own, and it only sees pages of ours."""
    return playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])


class Lab:
    """JupyterLab on a folder of notebooks, at an address that nobody else knows of."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.notebooks = folder / "notebooks"
        self._address = address

    def write(self, name: str, cells: Sequence[str]) -> Path:
        """A notebook of code cells."""
        path = self.notebooks / name
        path.write_text(json.dumps(notebook(cells)), encoding="utf-8")
        return path

    def theme(self, name: str) -> None:
        """Set the theme of the next page, and all cells to be in the page at once."""
        for plugin, settings in (
            ("apputils-extension/themes", {"theme": name}),
            ("notebook-extension/tracker", {"windowingMode": "none"}),
        ):
            self._settle(f"@jupyterlab/{plugin}", settings)

    def save_widgets(self, *, on: bool) -> None:
        """Have the next page save the state of widgets in notebooks, or not."""
        self._settle("@jupyter-widgets/jupyterlab-manager/plugin", {"saveState": on})

    def _settle(self, plugin: str, settings: dict[str, object]) -> None:
        path = self.folder / "settings" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings), encoding="utf-8")

    def open(self, page: Page, name: str) -> Sheet:
        """Open a notebook, the file browser closed, and wait for its kernel."""
        page.goto(f"{self._address}/lab/tree/{name}?reset")
        sheet = Sheet(page)
        sheet.wait_until_ready()
        if page.locator("#jp-left-stack").is_visible():
            page.keyboard.press("Control+b")
            page.locator("#jp-left-stack").wait_for(state="hidden")
        return sheet


class Sheet:
    """A notebook that is open in the page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def wait_until_ready(self) -> None:
        """Wait for the cells and for a kernel that does nothing."""
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
        self.page.locator(".jp-Toolbar-kernelName", has_text="Python 3").wait_for(timeout=60_000)
        self.page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for(timeout=60_000)

    def run_all(self) -> None:
        """Run all cells."""
        self.page.locator(".lm-MenuBar-item", has_text="Run").click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    def finished(self) -> None:
        """Wait until no cell runs any more."""
        self.page.wait_for_function(
            "() => ![...document.querySelectorAll('.jp-InputPrompt')]"
            ".some(one => one.textContent.includes('[*]'))",
            timeout=180_000,
        )

    def cell(self, source: str) -> Locator:
        """The code cell that holds ``source``."""
        return self.page.locator(
            ".jp-CodeCell", has=self.page.locator(".jp-InputArea", has_text=source)
        ).first

    def save(self) -> None:
        """Save the notebook, and wait until it is."""
        self.page.keyboard.press("Control+s")
        self.page.locator(".jp-mod-dirty").first.wait_for(state="detached", timeout=20_000)

    def reload(self) -> None:
        """Load the page anew."""
        self.page.reload()
        self.wait_until_ready()

    def restart(self) -> None:
        """Start the kernel anew."""
        self.page.get_by_role("button", name="Restart the kernel", exact=True).click()
        self.page.locator(".jp-Dialog button.jp-mod-warn").click()
        self.page.locator(".jp-Dialog").wait_for(state="detached")

    def shut_down(self) -> None:
        """End the kernel, and load the page anew without one."""
        self.page.locator(".lm-MenuBar-item", has_text="Kernel").click()
        self.page.get_by_role("menuitem", name="Shut Down Kernel", exact=True).click()
        self.page.locator(".jp-Toolbar-kernelName", has_text="No Kernel").wait_for(timeout=20_000)
        self.page.reload()
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)


def notebook(cells: Sequence[str]) -> dict[str, object]:
    """A notebook of code cells, as JSON data."""
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    return {
        "cells": [
            {
                "id": f"cell-{number}",
                "cell_type": "code",
                "source": source,
                "metadata": {},
                "outputs": [],
                "execution_count": None,
            }
            for number, source in enumerate(cells)
        ],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


@contextlib.contextmanager
def jupyterlab(folder: Path, **environment: str) -> Iterator[Lab]:
    """JupyterLab of this Python, with all that it keeps in ``folder``."""
    port = _free_port()
    lab = Lab(folder, f"http://127.0.0.1:{port}")
    lab.notebooks.mkdir()
    lab.theme(LIGHT)
    own = {name: str(folder / path) for name, path in _PLACES.items()}
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
        *(f"--port={port}", "--IdentityProvider.token=", f"--ServerApp.root_dir={lab.notebooks}"),
    ]
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen(
            command, cwd=lab.notebooks, env={**os.environ, **own, **environment}, stdout=log, stderr=log
        )
        try:
            _wait_for(port)
            yield lab
        finally:
            server.terminate()
            server.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.2)
    raise RuntimeError("JupyterLab did not start")
