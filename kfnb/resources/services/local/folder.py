"""A service's folder, which has this beside what every job's has (see ``kfnb.jobs.folder``).

======================  ============================================================================================
``service.json``        what is fixed for its life: owner, address, package indexes
``generations/N.json``  the desired state since the N-th change, with its author. Each is written once: of two writers
                        of the same number, the second finds the file there
``versions/DIGEST/``    a model folder with the program that serves it, by the digest of the model
``revisions/N/``        a revision's ``log``, and in ``check.json`` what the check of its version found
``checks/DIGEST.json``  the report of the check that a version has passed, by the digest of the model
``rN.sock``             the socket of a revision
``token``               the token that requests need, if they need one
``port``                the port that it had last
``requests/``           the requests that it answered (see ``kfnb.server.log_segments``)
``labels.db``           what was true of them, as far as it is known (see ``labels``)
======================  ============================================================================================
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import mkdtemp

from kfnb.errors import BackendError, Conflict, ServiceNotFound, did_you_mean
from kfnb.jobs import private
from kfnb.jobs.folder import JobFolder, names, number, usable
from kfnb.resources.services.desired_json import as_json, desired_of, known
from kfnb.resources.services.model import DesiredState, ServiceMove
from kfnb.resources.services.names import is_service_name

_SERVICES = "services"
_FILE = "service.json"
_DRAFT = ".draft-"
_ABANDONED = 24 * 3600.0


@dataclass(frozen=True)
class ServiceSettings:
    """What is fixed for a service's life. ``port`` is the requested one, 0 for any."""

    owner: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    protected: bool = False
    index_urls: tuple[str, ...] = ()
    created: float = 0.0


@dataclass(frozen=True)
class ServiceFolder(JobFolder):
    """The folder ``path`` of one service, which is named by the service's name."""

    @property
    def name(self) -> str:
        """The service's name."""
        return self.path.name

    @property
    def started_once(self) -> bool:
        """Whether it has an event log: a process that was killed may have made the folder alone."""
        return (self.path / "events.db").is_file()

    # what is fixed

    def settings(self) -> ServiceSettings:
        """What is fixed. Raises ``BackendError``."""
        stored = self.get(_FILE)
        try:
            found = known(ServiceSettings, stored)
        except (TypeError, AttributeError):
            raise BackendError(f"{self.path / _FILE} was written by another version of kfnb") from None
        return ServiceSettings(**{**asdict(found), "index_urls": tuple(found.index_urls)})

    @property
    def token_file(self) -> Path:
        """The file of the token."""
        return self.path / "token"

    def token(self) -> str:
        """The token that requests need; empty if they need none. Raises ``BackendError``."""
        with usable(self.token_file):
            return self.token_file.read_text(encoding="utf-8").strip() if self.token_file.exists() else ""

    @property
    def last_port(self) -> int:
        """The port that it had last; 0 if it had none."""
        with suppress(OSError, ValueError):
            return int((self.path / "port").read_text(encoding="ascii"))
        return 0

    def keep_port(self, port: int) -> None:
        """Remember the port, for the next start."""
        with suppress(OSError):
            private.write(self.path / "port", str(port))

    # the desired state

    def generation(self) -> int:
        """The number of the last change. Raises ``BackendError`` if there is none."""
        with usable(self.path / "generations"):
            shelf = self.path / "generations"
            return max(int(one.stem) for one in shelf.iterdir() if one.name[0] != ".")

    def desired(self, generation: int | None = None) -> DesiredState:
        """The desired state, or the one since that change. Raises ``BackendError``."""
        file = f"generations/{self.generation() if generation is None else generation}.json"
        try:
            return desired_of(self.get(file))
        except (TypeError, KeyError, AttributeError):
            raise BackendError(f"{self.path / file} was written by another version of kfnb") from None

    def record(self, desired: DesiredState) -> None:
        """Change the desired state. Raises ``FileExistsError`` if the change of that number exists."""
        shelf = self.path / "generations"
        private.make(shelf)
        draft = shelf / f".{os.getpid()}-{time.monotonic_ns()}"
        private.write(draft, json.dumps(as_json(desired), indent=1))
        try:
            os.link(draft, shelf / f"{desired.generation}.json")  # unlike a rename, it replaces nothing
        finally:
            draft.unlink()

    def history(self, most: int) -> tuple[ServiceMove, ...]:
        """The newest changes, the newest first."""
        last = self.generation()
        return tuple(self.desired(one).move for one in range(last, max(0, last - most), -1))

    # what serves it

    @property
    def requests(self) -> Path:
        """The folder of the requests that it answered."""
        return self.path / "requests"

    def version(self, digest: str) -> Path:
        """The folder that serves the version with that digest."""
        return self.path / "versions" / digest[:32]

    def passed_check(self, digest: str) -> Path:
        """The report of the check that the version with that digest has passed; there is none before."""
        return self.path / "checks" / f"{digest[:32]}.json"

    def keep_check(self, digest: str, report: Path) -> None:
        """Remember that the version with that digest has passed its check."""
        place = self.passed_check(digest)
        with suppress(OSError):
            private.make(place.parent)
            private.write(place, report.read_text(encoding="utf-8"))

    def revision(self, number: int) -> Path:
        """The folder of a revision."""
        return self.path / "revisions" / str(number)

    def log(self, number: int) -> Path:
        """What a revision wrote."""
        return self.revision(number) / "log"


@contextmanager
def new(home: Path, name: str, settings: ServiceSettings, token: str) -> Iterator[ServiceFolder]:
    """A folder that becomes the service's at the end of the block. Raises ``Conflict`` if there is one of that name."""
    shelf = home / _SERVICES
    try:
        private.shut(shelf)
        _clear(shelf)
        draft = Path(mkdtemp(prefix=_DRAFT, dir=shelf))
        try:
            made = ServiceFolder(draft)
            number(draft)
            made.put(_FILE, asdict(settings))
            if token:
                private.write(made.token_file, token)
            yield made
            _rename(draft, shelf / name)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise BackendError(f"{shelf / name} cannot be used: {error.strerror or error}") from None


def _rename(draft: Path, folder: Path) -> None:
    try:
        draft.rename(folder)
    except OSError:
        if not folder.exists():
            raise
        raise taken(ServiceFolder(folder)) from None


def taken(folder: ServiceFolder) -> Conflict:
    """The error of who wants to make a service whose name is taken."""
    hint = f"%kf_services show {folder.name} shows it; change it, or choose another name"
    return Conflict(f"service {folder.name} exists already", exists=True, hint=hint, ref=folder.name)


def _clear(shelf: Path) -> None:
    """Remove what a process that was killed has left."""
    for one in shelf.glob(f"{_DRAFT}*"):
        with suppress(OSError):
            if time.time() - one.stat().st_mtime > _ABANDONED:
                shutil.rmtree(one, ignore_errors=True)


def existing(home: Path) -> list[ServiceFolder]:
    """The folders of all services, by name. Raises ``BackendError``."""
    shelf = home / _SERVICES
    return [ServiceFolder(shelf / name) for name in names(shelf) if (shelf / name / _FILE).is_file()]


def find(home: Path, name: str) -> ServiceFolder:
    """The folder of a service. Raises ``ServiceNotFound`` with a close name."""
    folder = home / _SERVICES / name
    with suppress(OSError, ValueError):  # of a name that no file can have
        if is_service_name(name) and (folder / _FILE).is_file():
            return ServiceFolder(folder)
    hint = did_you_mean(name, [one.name for one in existing(home)])
    raise ServiceNotFound(f"unknown service {name} in {home}", hint=hint, ref=name)
