"""The local engine of kettles."""

from __future__ import annotations

import builtins
import time
from pathlib import Path

from kfnb.entities import RunState
from kfnb.errors import BackendError
from kfnb.jobs.folder import absolute
from kfnb.jobs.handle import open_home
from kfnb.jobs.polling import JobObserver, Pace
from tests.registry.kettles.local.fold import KettleFold
from tests.registry.kettles.local.folder import KettleFolder, Order, existing, find, new
from tests.registry.kettles.local.kind import job
from tests.registry.kettles.model import Kettle


class LocalKettleEngine:
    """Kettles in the home."""

    name = "local"
    pace = Pace(0.05, 0.5)

    def __init__(self, home: Path) -> None:
        self._home = absolute(home, "home")

    def put_on(self, name: str, goal: float, seconds: float) -> None:
        """Start the process that heats it."""
        open_home(self._home)
        folder, note = new(self._home, name, Order(goal, seconds))
        notes = [("note", "", {"text": note})] if note else []
        job(folder).start([("created", "", {"goal": goal, "created": time.time()}), *notes], create=True)

    def observe(self, name: str) -> JobObserver[str]:
        """Look at a kettle again and again."""
        folder = find(self._home, name)
        return JobObserver(KettleFold(name), lambda after: job(folder).events(after, follow=False))

    def get(self, name: str) -> Kettle:
        """Read its events."""
        return _read(find(self._home, name))

    def list(self) -> builtins.list[Kettle]:
        """Read the events of all; a damaged one is FAILED."""
        return [_outline(folder) for folder in existing(self._home)]

    def stop(self, name: str) -> None:
        """End its processes."""
        job(find(self._home, name)).stop()

    def again(self, name: str) -> None:
        """Heat a finished kettle again."""
        folder = find(self._home, name)
        if not job(folder).finished():
            raise BackendError(f"kettle {name} is still on")
        job(folder).start([("state", "", {"state": RunState.PENDING})])

    def take_off(self, name: str) -> None:
        """Remove its folder."""
        job(find(self._home, name)).delete()

    def logs(self, name: str) -> str:
        """What its flame has printed."""
        log = find(self._home, name).log
        return log.read_text(encoding="utf-8") if log.exists() else ""


def _read(folder: KettleFolder) -> Kettle:
    fold = KettleFold(folder.path.name)
    fold.take(job(folder).events(0, follow=False))
    return fold.kettle


def _outline(folder: KettleFolder) -> Kettle:
    try:
        return _read(folder)
    except BackendError as error:
        return Kettle(folder.path.name, state=RunState.FAILED, error=str(error))
