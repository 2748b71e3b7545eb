"""Which tick to do, and how it ended; and the process that does it."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kfnb.jobs import private
from kfnb.jobs.process_spec import TAG
from kfnb.jobs.scheduler.folder import ScheduleFolder
from kfnb.jobs.scheduler.history import Missed, Reason, TickState, key_of
from kfnb.jobs.spawn import environment

_PROGRAM = "kfnb.jobs.scheduler.ticking"
BUSY = 75
"""The exit status of a tick that was not begun, since another one of the schedule runs."""


@dataclass(frozen=True)
class TickOutcome:
    """How a tick ended, in its own words: ``made`` is what it made (the id of a run)."""

    state: TickState = TickState.SUCCEEDED
    note: str = ""
    made: str = ""


@dataclass(frozen=True)
class TickOrder:
    """Which tick to do: that of the time ``due``, or one that was asked for ``by_hand`` then."""

    due: float
    by_hand: bool = False
    missed: Missed | None = None

    @property
    def key(self) -> str:
        """How the tick is called in the events."""
        return f"by-hand-{key_of(self.due)}" if self.by_hand else key_of(self.due)

    def text(self) -> str:
        """As words of a command line hold it."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> TickOrder:
        """From such words."""
        data: dict[str, Any] = json.loads(text)
        missed = data.pop("missed")
        if missed is None:
            return cls(**data)
        return cls(**data, missed=Missed(**{**missed, "reason": Reason(missed["reason"])}))


def start(folder: ScheduleFolder, order: TickOrder) -> subprocess.Popen[bytes]:
    """Start the process of a tick, which outlives this one. Raises ``OSError``, and ``BackendError``."""
    spec = folder.spec()
    with open(folder.log, "wb", opener=private.opener) as log, Path(os.devnull).open("rb") as nothing:
        return subprocess.Popen(
            [spec.python, "-m", _PROGRAM, str(folder.path), order.text()],
            cwd=spec.package,
            env={**environment(), TAG: folder.tag},
            stdin=nothing,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
