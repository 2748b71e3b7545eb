"""What the tests share: a real IPython shell with kfnb in it, and a home of its own for its runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from kfnb import settings as config
from kfnb.capture.component import Component
from kfnb.ipython.kernel import Kernel

os.environ["KFNB_WARM"] = "0"  # no process outlives its test

# how long an example takes says how busy the machine is, and nothing of kfnb
hypothesis.settings.register_profile(
    "kfnb", deadline=None, print_blob=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("kfnb")


class Shell:
    """A notebook in the test's own process. Each ``run`` is a cell; ``cell_id`` says which, as JupyterLab does."""

    def __init__(self, shell: InteractiveShell, kernel: Kernel) -> None:
        self.ip = shell
        self.kernel = kernel
        self.error: Exception | None = None
        """The last error of a cell that had to fail."""

    def run(self, source: str, cell_id: str | None = None) -> Any:
        """Run a cell and return its value; its error is raised."""
        result = self.ip.run_cell(source, store_history=True, cell_id=cell_id)
        result.raise_error()
        return result.result

    def fails(self, source: str, cell_id: str | None = None) -> str:
        """Run a cell that must fail by an error of kfnb's, and return its message."""
        from kfnb.errors import KfnbError

        result = self.ip.run_cell(source, store_history=True, cell_id=cell_id)
        error = result.error_before_exec or result.error_in_exec
        assert isinstance(error, KfnbError), f"expected an error of kfnb's, got {error!r}"
        self.error = error
        return str(error)

    def component(self, name: str) -> Component:
        """The captured component of that name."""
        return self.kernel.notebook.components[name]

    def submit(self, pipeline: str, **arguments: Any) -> Any:
        """Run a pipeline of this notebook and wait for it."""
        import kfnb

        return kfnb.submit(pipeline, arguments).wait(120)

    def __getitem__(self, name: str) -> Any:
        return self.ip.user_ns[name]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A fresh shell whose notebook lies in ``tmp_path``."""
    from kfnb import ipython

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "kfnb-home"))
    settings = Config()
    settings.HistoryManager.enabled = False
    ip = InteractiveShell(config=settings)
    ipython.load(ip)
    kernel = ipython.extension_of(ip).kernel
    kernel.notebook.linear = False  # cells are edited and run again here
    yield Shell(ip, kernel)
    ipython.unload(ip)
    ip.restore_sys_module_state()
    config.reset()
