"""A kernel in a process of its own, as JupyterLab starts one, and the client that talks to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

ROOT = Path(__file__).parents[2]


@contextmanager
def started_kernel(folder: Path, home: Path) -> Iterator[BlockingKernelClient]:
    """A kernel that works in a folder, with that home; it imports this checkout's kfnb and tests."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    manager = KernelManager(kernel_name="python3")
    environment = {**os.environ, "PYTHONPATH": path, "KFNB_HOME": str(home)}
    manager.start_kernel(cwd=str(folder), env=environment)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
