"""A study's folder: its files, its name, and the lock by which anybody can tell that its driver is alive.

==================  =======================================================================
``search.json``     what is searched for (``Search``), and how the driver works (``Order``)
``events.db``       what has happened, see ``fold``
``journal.log``     Optuna's own journal, by which a study goes on
``lock``            locked as long as the driver lives
``supervisor.pid``  the driver's process id, good while the lock is held
``supervisor.log``  what the driver itself had to say
``stop``            there if the study was asked to stop
``trials/<n>/``     a trial's log, and the files that it wrote
==================  =======================================================================
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from itertools import count
from pathlib import Path
from typing import Any

from kfnb.backends.local.folder import RunFolder
from kfnb.backends.local.store import looked_at
from kfnb.errors import BackendError, StudyNotFound
from kfnb.model import Dimension, Objective
from kfnb.resources.studies.search import Search, Subject

_STUDIES = "studies"
_FILE = "search.json"
_RELEASE = 5.0
"""Seconds that a finished study's driver may take to be gone."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,62}")


@dataclass(frozen=True)
class Order:
    """How the driver works: ``home`` is kfnb's, ``jobs`` how many tasks of pipelines run at once, in all trials.

    ``trials`` is the number of trials with a result at which this attempt at the study ends, None for no limit.
    ``secrets`` and ``linger`` are those of local runs.
    """

    home: str
    jobs: int = 1
    secrets: str = ""
    linger: float = 0.0
    trials: int | None = None


@dataclass(frozen=True)
class StudyFolder(RunFolder):
    """The folder ``path`` of one study, which is named by the study's name."""

    @property
    def id(self) -> str:
        """The mark of its processes: the name alone would be that of another home's study too."""
        return f"study-{self.path.name}-{hashlib.sha256(str(self.path).encode()).hexdigest()[:12]}"

    @property
    def name(self) -> str:
        """The study's name."""
        return self.path.name

    @property
    def made(self) -> int | None:
        """When the study was made, in nanoseconds, which tells it from another of its name; None where it is gone."""
        with suppress(OSError):
            return (self.path / "lock").stat().st_mtime_ns  # nothing is ever written into it
        return None

    @property
    def optuna(self) -> Path:
        """The file of Optuna's journal."""
        return self.path / "journal.log"

    def trial(self, number: int) -> Path:
        """The folder of a trial."""
        return self.path / "trials" / str(number)

    def put(self, search: Search, order: Order) -> None:
        """Put down what is searched for, and how. Raises ``BackendError``."""
        told = {"search": asdict(search), "order": asdict(order)}
        draft = self.path / f".{_FILE}"
        try:
            draft.write_text(json.dumps(told), encoding="utf-8")
            draft.replace(self.path / _FILE)
        except (OSError, TypeError, ValueError) as error:
            raise BackendError(f"{self.path / _FILE} cannot be written: {error}") from None

    def search(self) -> tuple[Search, Order]:
        """What ``put`` put down. Raises ``BackendError``."""
        file = self.path / _FILE
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            return _search(told["search"]), Order(**told["order"])
        except (OSError, ValueError) as error:
            raise BackendError(f"{file} cannot be read: {error}") from None
        except (TypeError, KeyError):
            raise BackendError(f"{file} was written by another version of kfnb") from None


def _search(told: Mapping[str, Any]) -> Search:
    space = tuple(Dimension(**{**one, "choices": tuple(one["choices"])}) for one in told["space"])
    objective = Objective(**{**told["objective"], "further": tuple(told["objective"]["further"])})
    return Search(**{**told, "subject": Subject(**told["subject"]), "space": space, "objective": objective})


def new(home: Path, name: str) -> StudyFolder:
    """The folder for a study that begins now. One of that name that has ended is called ``NAME-1`` from then on.

    Raises ``BackendError`` for a name that is odd, or that of a study which still runs.
    """
    if not _NAME.fullmatch(name):
        raise BackendError(
            f"{name!r} is no name for a study: use letters, digits, _, - and ., beginning with a letter"
        )
    folder = home / _STUDIES / name
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            _make_room(StudyFolder(folder))
        folder.mkdir()
    except OSError as error:
        raise BackendError(f"{folder} cannot be used: {error.strerror or error}") from None
    return StudyFolder(folder)


def _make_room(folder: StudyFolder) -> None:
    """Give a study that has ended another name, as a new one takes its own; one that is damaged goes nowhere."""
    ended = True
    with suppress(BackendError), looked_at(folder.path) as log:
        ended = log.finished()
    lock = folder.lock(patience=_RELEASE if ended else 0)
    if lock is None:
        raise BackendError(
            f"study {folder.name} still runs: %kf_study {folder.name} shows it; stop it, or give another name"
        )
    try:
        others = (folder.path.with_name(f"{folder.name}-{number}") for number in count(1))
        folder.path.rename(next(other for other in others if not other.exists()))
    finally:
        os.close(lock)


def existing(home: Path) -> list[StudyFolder]:
    """The folders of all studies, the newest first."""
    found = []
    with suppress(FileNotFoundError):
        for entry in os.scandir(home / _STUDIES):
            with suppress(OSError):
                if entry.name[0] != "." and (Path(entry.path) / _FILE).is_file():
                    found.append(StudyFolder(Path(entry.path)))
    return sorted(found, key=lambda folder: folder.made or 0, reverse=True)


def find(home: Path, name: str) -> StudyFolder:
    """The folder of a study. Raises ``StudyNotFound`` with a close name."""
    folder = home / _STUDIES / name
    with suppress(OSError, ValueError):  # of a name that no file can have
        if _NAME.fullmatch(name) and (folder / _FILE).is_file():
            return StudyFolder(folder)
    close = get_close_matches(name, [one.name for one in existing(home)], 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise StudyNotFound(f"no study is called {name} in {home}{hint}")
