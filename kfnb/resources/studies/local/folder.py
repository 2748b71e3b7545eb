"""A study's folder, which has this beside what every job's has (see ``kfnb.jobs.folder``).

================  ===============================================================
``search.json``   what is searched for (``Search``), and how the driver works (``Order``)
``journal.log``   Optuna's own journal, by which a study continues
``trials/<n>/``   a trial's log, and the files that it wrote
================  ===============================================================
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from itertools import count
from pathlib import Path
from typing import Any

from kfnb.errors import BackendError, StudyNotFound
from kfnb.jobs import private
from kfnb.jobs.eventlog import reading
from kfnb.jobs.folder import JobFolder, number
from kfnb.jobs.handle import RELEASE
from kfnb.resources.studies.model import Dimension, Objective
from kfnb.resources.studies.search import Search, TrialSubject

_STUDIES = "studies"
_FILE = "search.json"
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
class StudyFolder(JobFolder):
    """The folder ``path`` of one study, which is named by the study's name."""

    @property
    def name(self) -> str:
        """The study's name."""
        return self.path.name

    @property
    def optuna(self) -> Path:
        """The file of Optuna's journal."""
        return self.path / "journal.log"

    def trial(self, number: int) -> Path:
        """The folder of a trial."""
        return self.path / "trials" / str(number)

    def write(self, search: Search, order: Order) -> None:
        """Put down what is searched for, and how. Raises ``BackendError``."""
        try:
            number(self.path)
            self.put(_FILE, {"search": asdict(search), "order": asdict(order)})
        except (OSError, TypeError, ValueError) as error:
            raise BackendError(f"{self.path / _FILE} cannot be written: {error}") from None

    def read(self) -> tuple[Search, Order]:
        """What ``write`` put down. Raises ``BackendError``."""
        stored = self.get(_FILE)
        try:
            return _search(stored["search"]), Order(**_known(Order, stored["order"]))
        except (TypeError, KeyError, AttributeError):
            raise BackendError(f"{self.path / _FILE} was written by another version of kfnb") from None


def _search(stored: Mapping[str, Any]) -> Search:
    objective = _known(Objective, stored["objective"])
    return Search(
        **{
            **_known(Search, stored),
            "subject": TrialSubject(**_known(TrialSubject, stored["subject"])),
            "space": tuple(
                Dimension(**{**_known(Dimension, one), "choices": tuple(one["choices"])})
                for one in stored["space"]
            ),
            "objective": Objective(**{**objective, "further": tuple(objective["further"])}),
        }
    )


def _known(cls: Any, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that a dataclass has fields for."""
    names = {one.name for one in fields(cls)}
    return {name: value for name, value in stored.items() if name in names}


def new(home: Path, name: str) -> tuple[StudyFolder, str]:
    """The folder for a study that begins now, and a note where others could see into studies before.

    A study of that name that has ended is called ``NAME-1`` from then on. Raises ``BackendError`` for a name that is
    odd, or that of a study which still runs.
    """
    if not _NAME.fullmatch(name):
        raise BackendError(
            f"{name!r} is not a valid name for a study: use letters, digits, _, - and ., beginning with a letter"
        )
    folder = home / _STUDIES / name
    try:
        note = private.shut(folder.parent)
        if folder.exists():
            _make_room(StudyFolder(folder))
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise BackendError(f"{folder} cannot be used: {error.strerror or error}") from None
    return StudyFolder(folder), note


def _make_room(folder: StudyFolder) -> None:
    """Give a study that has ended another name, as a new one takes its own; one that is damaged goes nowhere."""
    ended = True
    with suppress(BackendError), reading(folder.path) as log:
        ended = log.finished()
    lock = folder.lock(timeout=RELEASE if ended else 0)
    if lock is None:
        raise BackendError(
            f"study {folder.name} is still running: %kf_study {folder.name} shows it; stop it, or choose another name"
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
    hint = f"did you mean {close[0]}?" if close else ""
    raise StudyNotFound(f"unknown study {name} in {home}", hint=hint, ref=name)
