"""A kettle's folder, which has ``order.json`` and ``log`` beside what every job's has (see ``kfnb.jobs.folder``)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from kfnb.errors import BackendError
from kfnb.jobs import private
from kfnb.jobs.folder import JobFolder, names, number, usable

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_ORDER = "order.json"


@dataclass(frozen=True)
class Order:
    """What the driver is to do."""

    goal: float
    seconds: float


@dataclass(frozen=True)
class KettleFolder(JobFolder):
    """The folder ``path`` of one kettle, which is named by the kettle's name."""

    @property
    def id(self) -> str:
        """The tag of its processes, unlike that of a kettle of the same name in another home."""
        return f"kettle-{self.path.name}-{hashlib.sha256(str(self.path).encode()).hexdigest()[:12]}"

    @property
    def log(self) -> Path:
        """What the flame prints."""
        return self.path / "log"

    @property
    def order(self) -> Order:
        """What the driver is to do."""
        return Order(**self.get(_ORDER))


def new(home: Path, name: str, order: Order) -> tuple[KettleFolder, str]:
    """The folder of a new kettle, and a note where others could see into the kettles before."""
    if not _NAME.fullmatch(name):
        raise BackendError(f"{name!r} is not a name for a kettle: use letters, digits, _ and -")
    folder = KettleFolder(home / "kettles" / name)
    if folder.path.exists():
        raise BackendError(f"kettle {name} exists: take it off first, or give another name")
    with usable(folder.path):
        note = private.shut(folder.path.parent)
        folder.path.mkdir(mode=0o700)
        number(folder.path)
        folder.put(_ORDER, asdict(order))
    return folder, note


def find(home: Path, name: str) -> KettleFolder:
    """The folder of a kettle. Raises ``BackendError``."""
    folder = home / "kettles" / name
    if not (_NAME.fullmatch(name) and folder.is_dir()):
        raise BackendError(f"unknown kettle {name}")
    return KettleFolder(folder)


def existing(home: Path) -> list[KettleFolder]:
    """The folders of all kettles."""
    return [KettleFolder(home / "kettles" / name) for name in names(home / "kettles")]
