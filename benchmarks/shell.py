"""A shell with kfnb in it and a home of its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


@contextmanager
def notebook_shell() -> Iterator[InteractiveShell]:
    """A fresh notebook; what it runs is kept in a folder that is gone afterwards."""
    settings = Config()
    settings.HistoryManager.enabled = False
    with tempfile.TemporaryDirectory() as home:
        os.environ["KFNB_HOME"] = home
        shell = InteractiveShell(config=settings)
        shell.run_cell("%load_ext kfnb").raise_error()
        yield shell
        shell.run_cell("%unload_ext kfnb")
        shell.restore_sys_module_state()
