"""What runs in a process of its own for a kettle."""

from __future__ import annotations

import time


def burn(seconds: float) -> int:
    """Burn for so many seconds; the exit status."""
    print("at work", flush=True)  # noqa: T201 - its log
    time.sleep(seconds)
    return 0
