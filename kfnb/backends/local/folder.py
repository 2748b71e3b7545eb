"""A run's folder: its files, its id, and the lock by which anybody can tell that its supervisor is alive.

=================  ==========================================================================================
``spec.json``      the PipelineSpec
``run.json``       everything else of the submission (``Order``)
``events.db``      the events, see ``store``
``lock``           locked (``flock``) as long as the supervisor lives; the kernel unlocks it however that dies
``supervisor.pid`` the supervisor's process id, good while the lock is held; none before it has come up
``supervisor.log`` what the supervisor itself had to say
``spare``          room on the disk for the run's last words, see ``spare``
``stop``           there if the run was asked to stop
``archived``       there if the run was put away
``timeline``       in what order the tasks' logs were written, see ``timeline``
``volumes/``       the run's volumes, where its tasks ask for some
``tasks/<id>/``    a task's program, log, outputs and artifacts
=================  ==========================================================================================
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from kfnb.errors import BackendError

_RUNS = "runs"
_HINT = "; set home to another folder"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Order:
    """What the supervisor is asked to do; ``home`` is kfnb's, ``folder`` where steps start, ``jobs`` at least 1.

    ``jobs`` is how many tasks compute at once, ``most`` how many run at once where some only wait (0: the same).
    ``platform`` is the platform-specific part of the spec, ``secrets`` the folder or file that secrets are in,
    ``linger`` for how many seconds its process may stay for the next run (see ``warm``).
    """

    name: str
    arguments: Mapping[str, Any]
    folder: str
    home: str
    cache: bool
    jobs: int
    platform: Mapping[str, Any] = field(default_factory=dict)
    secrets: str = ""
    linger: float = 0.0
    most: int = 0


@dataclass(frozen=True)
class RunFolder:
    """The folder ``path`` of one run, which is named by the run's id."""

    path: Path

    @property
    def id(self) -> str:
        """The run's id."""
        return self.path.name

    def write(self, spec: Mapping[str, Any], order: Order) -> None:
        """Put down what is to run."""
        (self.path / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
        (self.path / "run.json").write_text(json.dumps(asdict(order)), encoding="utf-8")

    def read(self) -> tuple[dict[str, Any], Order]:
        """What ``write`` put down. Raises ``BackendError``."""
        spec, order = (_read(self.path / name) for name in ("spec.json", "run.json"))
        try:
            return spec, Order(**order)
        except TypeError:
            raise BackendError(f"{self.path / 'run.json'} was written by another version of kfnb") from None

    def log(self, task: str) -> Path:
        """The file that a task's output goes to."""
        return self.path / "tasks" / task / "log"

    @property
    def timeline(self) -> Path:
        """The file that tells in what order the logs were written."""
        return self.path / "timeline"

    # the supervisor's life

    def lock(self, *, patience: float = 0.0) -> int | None:
        """Take the run's lock and return its file; None if a supervisor still holds it after ``patience`` seconds."""
        with _usable(self.path / "lock"):
            file = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        until = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return file
            except BlockingIOError:
                if time.monotonic() >= until:
                    os.close(file)
                    return None
            time.sleep(0.02)

    @property
    def pid(self) -> int | None:
        """The supervisor's process id, if it has said so yet. It is good while the lock is held."""
        with suppress(OSError, ValueError):
            return int((self.path / "supervisor.pid").read_text(encoding="ascii"))
        return None

    def start_anew(self) -> None:
        """Forget the supervisor before, as another one is to come up. Raises ``BackendError``."""
        with _usable(self.path):
            for name in ("stop", "supervisor.pid", "supervisor.log"):
                (self.path / name).unlink(missing_ok=True)

    def came_up(self) -> None:
        """Say that this process is the supervisor."""
        (self.path / "supervisor.pid").write_text(str(os.getpid()), encoding="ascii")

    @property
    def supervisor_log(self) -> Path:
        """The file that the supervisor's own output goes to."""
        return self.path / "supervisor.log"

    @property
    def stopping(self) -> bool:
        """Whether the run was asked to stop."""
        return (self.path / "stop").exists()

    def ask_to_stop(self) -> None:
        """Leave word that the run is to stop. Raises ``BackendError``."""
        with _usable(self.path):
            (self.path / "stop").touch()

    @property
    def archived(self) -> bool:
        """Whether the run was put away."""
        return (self.path / "archived").exists()

    def archive(self, *, away: bool) -> None:
        """Put the run away, or back. Raises ``BackendError``."""
        with _usable(self.path):
            if away:
                (self.path / "archived").touch()
            else:
                (self.path / "archived").unlink(missing_ok=True)

    def remove(self, *, patience: float = 0.0) -> bool:
        """Remove the folder and all in it; False if a supervisor is alive in it for longer than ``patience`` seconds.

        Raises ``BackendError``.
        """
        try:
            lock = self.lock(patience=patience)
            if lock is None:
                return False
            try:
                # in one stroke it is no run any more; a folder half removed would still look like one
                gone = self.path.with_name(f".gone-{self.id}")
                self.path.rename(gone)
                shutil.rmtree(gone)
            finally:
                os.close(lock)
        except OSError as error:
            raise BackendError(f"{self.path} cannot be removed: {error.strerror or error}") from None
        return True


def absolute(path: Path, setting: str) -> Path:
    """The absolute path that a setting names. Raises ``BackendError`` where that cannot be told (``~nobody``)."""
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise BackendError(f"{path} cannot be used: {error}; set {setting} to another path") from None


def new(home: Path) -> RunFolder:
    """A folder for a run that begins now. Ids sort by time: ``261124-063723-412k`` (UTC). Raises ``BackendError``."""
    runs = home / _RUNS
    with _usable(runs, _HINT):
        runs.mkdir(parents=True, exist_ok=True)
        while True:
            now = datetime.now(timezone.utc)
            last = _LETTERS[os.urandom(1)[0] % len(_LETTERS)]
            folder = runs / f"{now:%y%m%d-%H%M%S}-{now.microsecond // 1000:03}{last}"
            with suppress(FileExistsError):
                folder.mkdir()
                return RunFolder(folder)


def existing(home: Path, limit: int | None = None) -> list[RunFolder]:
    """The folders of all runs, the newest first, or of the newest ``limit``. Raises ``BackendError``."""
    runs = home / _RUNS
    with _usable(runs, _HINT):
        try:
            names = [entry.name for entry in os.scandir(runs) if entry.is_dir() and entry.name[0] != "."]
        except FileNotFoundError:
            return []
    return [RunFolder(runs / name) for name in sorted(names, reverse=True)[:limit]]


def find(home: Path, run_id: str) -> RunFolder | None:
    """The folder of a run, or None."""
    path = home / _RUNS / run_id
    with suppress(OSError, ValueError):  # of a name that no file can have
        if run_id[:1] not in ("", ".") and path.parent == home / _RUNS and path.is_dir():
            return RunFolder(path)
    return None


def _read(file: Path) -> Any:
    with _usable(file):
        return json.loads(file.read_text(encoding="utf-8"))


@contextmanager
def _usable(path: Path, hint: str = "") -> Iterator[None]:
    """Say in words that ``path`` cannot be used, where that turns out. ``ValueError``: it is no name, or no JSON."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BackendError(f"{path} cannot be used: {reason}{hint}") from None
