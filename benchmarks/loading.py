"""What ``%load_ext kfnb`` costs over an IPython that is up."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.measure import Measured, in_turn

_PROGRAM = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("import json")
start = time.perf_counter()
shell.run_cell("%load_ext {extension}").raise_error()
print(time.perf_counter() - start)
"""


def loading() -> Iterator[Measured]:
    """Time kfnb's extension, beside IPython's own ``autoreload``."""
    ours, peer = in_turn(7, lambda: _seconds("kfnb"), lambda: _seconds("autoreload"))
    yield Measured("%load_ext kfnb", ours, "50 ms", peer, "%load_ext autoreload")


def _seconds(extension: str) -> float:
    program = _PROGRAM.format(extension=extension)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])
