"""Room on the disk that is kept for a job's last words, so that a full disk does not keep them from being written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kfnb.jobs import private

_BYTES = 256 * 1024
_FILE = "spare"


@contextmanager
def kept_free(folder: Path) -> Iterator[None]:
    """Keep some room for what is in ``folder`` until the block's end, or until it is needed (``give_up``)."""
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
    """Free the room that was kept, if there is any."""
    with suppress(OSError):
        (folder / _FILE).unlink()
