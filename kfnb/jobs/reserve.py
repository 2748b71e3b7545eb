"""Disk space reserved for a job's last events, so that they can be written when the disk is full."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kfnb.jobs import private

_BYTES = 256 * 1024
_FILE = "spare"


@contextmanager
def reserved(folder: Path) -> Iterator[None]:
    """Reserve disk space for ``folder`` until the block's end, or until it is needed (``give_up``)."""
    file = folder / _FILE
    with suppress(OSError), open(file, "wb", opener=private.opener) as spare:
        os.posix_fallocate(spare.fileno(), 0, _BYTES) if hasattr(os, "posix_fallocate") else spare.write(
            bytes(_BYTES)
        )
    try:
        yield
    finally:
        give_up(folder)


def give_up(folder: Path) -> None:
    """Free the reserved space, if there is any."""
    with suppress(OSError):
        (folder / _FILE).unlink()
