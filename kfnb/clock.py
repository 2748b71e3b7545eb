"""The time of day for what happens by the clock: schedules, monitors, and what they look at.

It is the machine's. Tests and examples may have another, which several processes share: ``KFNB_CLOCK`` names a file
with how many seconds pass in a real second, a time, and the real time that it was then. See CONTRIBUTING.md.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "KFNB_CLOCK"


@dataclass(frozen=True)
class _Clock:
    """A clock that showed ``start`` at the real time ``origin``, and goes ``rate`` times as fast."""

    rate: float = 1.0
    start: float = 0.0
    origin: float = 0.0


def now() -> float:
    """The time, in seconds since 1970."""
    clock = _clock()
    return clock.start + (time.time() - clock.origin) * clock.rate


def real(seconds: float) -> float:
    """How long ``seconds`` of the clock take, in real seconds."""
    return seconds / _clock().rate


def passed(seconds: float) -> float:
    """How many seconds pass on the clock in real ``seconds``."""
    return seconds * _clock().rate


def real_at(shown: float) -> float:
    """The machine's time when the clock shows a time: files and logs have the machine's."""
    clock = _clock()
    return clock.origin + (shown - clock.start) / clock.rate


def shown_at(real_time: float) -> float:
    """What the clock shows at a time of the machine's."""
    clock = _clock()
    return clock.start + (real_time - clock.origin) * clock.rate


def set_clock(file: Path, *, rate: float, at: float) -> None:
    """Write the file of a clock that shows ``at`` now, and goes ``rate`` times as fast as the machine's."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_text(f"{rate!r} {at!r} {time.time()!r}\n", encoding="ascii")
    draft.replace(file)


def _clock() -> _Clock:
    file = os.environ.get(VARIABLE)
    if not file:
        return _Clock()
    rate, start, origin = map(float, Path(file).read_text(encoding="ascii").split())
    return _Clock(rate, start, origin)
