"""A monitor's folder: ``monitors/NAME`` in the home.

==================  ==========================================================================
``monitor.json``    what it watches, and the id of the schedule whose ticks are its checks
``monitor.db``      what it has found and done, see ``records``
``references/``     what each version is compared with, made when it is first served
``pipelines/``      the pipelines that retrain, compiled when the monitor was made
``addresses.json``  the webhooks that get alarms: such an address is a password
``lock``            locked while it is checked
==================  ==========================================================================
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kfnb.errors import BackendError, NotFound, did_you_mean
from kfnb.jobs import private
from kfnb.jobs.folder import HINT, JobFolder, names, usable
from kfnb.resources.monitors.local.records import MonitorRecords
from kfnb.resources.monitors.model import MonitorSpec
from kfnb.resources.monitors.reference import MonitorReference
from kfnb.resources.monitors.stored import reference_of, spec_of

_SHELF = "monitors"
_FILE = "monitor.json"
_TIMEOUT = 60.0
"""Seconds that a check waits for another one."""


@dataclass(frozen=True)
class MonitorFolder(JobFolder):
    """The folder of one monitor, which is named by the monitor's name."""

    @property
    def name(self) -> str:
        """The monitor's name."""
        return self.path.name

    @property
    def records(self) -> MonitorRecords:
        """What it has found and done."""
        return MonitorRecords(self.path)

    def spec(self) -> MonitorSpec:
        """What it watches. Raises ``BackendError``."""
        try:
            return spec_of(self.get(_FILE)["spec"])
        except (TypeError, LookupError, AttributeError):
            raise BackendError(f"{self.path / _FILE} is damaged, or of another version of kfnb") from None

    def schedule(self) -> str:
        """The id of its schedule; empty before there is one. Raises ``BackendError``."""
        return str(self.get(_FILE).get("schedule", ""))

    def record(self, spec: MonitorSpec, schedule: str = "") -> None:
        """Write what it watches. Raises ``BackendError``."""
        with usable(self.path, HINT):
            self.put(_FILE, {"spec": asdict(spec), "schedule": schedule})

    # -- references

    def reference(self, version: str) -> MonitorReference | None:
        """What a version is compared with; None if it was not made yet. Raises ``BackendError``."""
        file = self._reference(version)
        if not (self.path / file).exists():
            return None
        try:
            return reference_of(self.get(file))
        except (TypeError, AttributeError):
            return None  # of another version of kfnb: it is made anew

    def keep_reference(self, reference: MonitorReference) -> None:
        """Keep what a version is compared with. Raises ``BackendError``."""
        with usable(self.path / "references", HINT):
            private.make(self.path / "references")
            self.put(self._reference(reference.version), asdict(reference))

    def forget_references(self) -> None:
        """Remove them: the baseline has changed."""
        shutil.rmtree(self.path / "references", ignore_errors=True)

    @staticmethod
    def _reference(version: str) -> str:
        return f"references/{hashlib.sha256(version.encode()).hexdigest()[:16]}.json"

    # -- what actions need

    def pipeline(self, name: str) -> Path:
        """The compiled pipeline of that name."""
        return self.path / "pipelines" / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.json"

    def keep_pipeline(self, name: str, spec: Mapping[str, Any], platform: Mapping[str, Any] | None) -> None:
        """Keep a compiled pipeline. Raises ``BackendError``."""
        import json

        file = self.pipeline(name)
        with usable(file, HINT):
            private.make(file.parent)
            documents = [spec] if platform is None else [spec, platform]
            private.write(file, "\n---\n".join(map(json.dumps, documents)))

    def addresses(self) -> Mapping[str, str]:
        """The addresses of webhooks, by how they are shown. Raises ``BackendError``."""
        if not (self.path / "addresses.json").exists():
            return {}
        found: Mapping[str, str] = self.get("addresses.json")
        return found

    def keep_addresses(self, addresses: Mapping[str, str]) -> None:
        """Keep addresses of webhooks. Raises ``BackendError``."""
        with usable(self.path, HINT):
            self.put("addresses.json", dict(addresses))

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the lock of a check. Raises ``BackendError`` if another process holds it for a minute."""
        lock = self.lock(timeout=_TIMEOUT)
        if lock is None:
            message = f"monitor {self.name} is being checked by another process"
            raise BackendError(message, code="still-running", hint="try again later", ref=self.name)
        try:
            yield
        finally:
            os.close(lock)


def made(home: Path, name: str) -> MonitorFolder:
    """The folder of a monitor, which is created if there is none. Raises ``BackendError``."""
    path = home / _SHELF / name
    with usable(path, HINT):
        private.shut(home / _SHELF)
        private.make(path)
    return MonitorFolder(path)


def existing(home: Path) -> list[MonitorFolder]:
    """The monitors of a home, by name. Raises ``BackendError``."""
    found = [MonitorFolder(home / _SHELF / name) for name in names(home / _SHELF)]
    return [one for one in found if (one.path / _FILE).exists()]


def find(home: Path, name: str) -> MonitorFolder:
    """The monitor of that name. Raises ``NotFound``."""
    known = {one.name: one for one in existing(home)}
    if name not in known:
        hint = did_you_mean(name, list(known), "%kf_monitors lists them")
        raise NotFound(f"unknown monitor {name}", hint=hint, ref=name)
    return known[name]
