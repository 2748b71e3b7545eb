"""What kfnb remembers of a cluster that it started: a small file, and a log beside it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

from kfnb.errors import BackendError, UsageError
from kfnb.jobs import private
from kfnb.resources.localcluster.model import Reached, Record

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


class Records:
    """The records in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, profile: str) -> Record | None:
        """The record of a cluster; None where kfnb did not start it. Raises ``BackendError`` for a damaged file."""
        file = self._file(profile)
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
            return Record(
                **{**values, "parts": tuple(values["parts"]), "reached": Reached(values["reached"])}
            )
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, OSError):
            raise BackendError(
                f"{file} cannot be read: delete the file, and the cluster {profile} with its own tool"
            ) from None

    def all(self) -> list[Record]:
        """All managed clusters."""
        found = (self.read(file.stem) for file in sorted(self._folder.glob("*.json")))
        return [record for record in found if record is not None]

    def write(self, record: Record) -> None:
        """Remember a cluster."""
        private.make(self._folder)
        private.write(self._file(record.profile), json.dumps(asdict(record), indent=1))

    def forget(self, profile: str) -> None:
        """Leave nothing of a cluster: record, log, and the folder if it is empty."""
        self._file(profile).unlink(missing_ok=True)
        self.log(profile).unlink(missing_ok=True)
        if self._folder.is_dir() and not any(self._folder.iterdir()):
            self._folder.rmdir()

    def log(self, profile: str) -> Path:
        """The log of a cluster's life."""
        return self._file(profile).with_suffix(".log")

    def _file(self, profile: str) -> Path:
        if not _NAME.fullmatch(profile):
            raise UsageError(f"--profile {profile}: at most 40 small letters, digits and - between them")
        return self._folder / f"{profile}.json"
