"""A monitor's place in the object store: what its pods and kernels read and write.

==================  ==========================================================================
``monitor.json``    what it watches, and what with
``kit-DIGEST.zip``  what its pods run, and what they compare with: see ``kit``
``record.json``     what it has found and done
``reports/``        each report, by its time
==================  ==========================================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from kfnb.errors import BackendError
from kfnb.remote.objects.errors import ObjectMissing
from kfnb.remote.objects.store import ObjectStore
from kfnb.resources.monitors.kubeflow.record import MonitorRecord, as_json, record_of
from kfnb.resources.monitors.model import Report
from kfnb.resources.monitors.stored import columns_as_json, columns_of, report_as_json, report_of

_ABOUT, _RECORD, _REPORTS = "monitor.json", "record.json", "reports"
_AT_ONCE, _MOST_KNOWN = 8, 2048


@dataclass(frozen=True)
class MonitorPlace:
    """The folder ``path`` (``bucket/key``) of ``store``. Every error is a ``BackendError``."""

    store: ObjectStore
    path: str

    def about(self) -> Mapping[str, Any]:
        """What ``describe`` wrote. Raises ``ObjectMissing``."""
        found: Mapping[str, Any] = self._read(_ABOUT)
        return found

    def describe(self, about: Mapping[str, Any]) -> None:
        """Write what the monitor is."""
        self._write(_ABOUT, about)

    def record(self) -> MonitorRecord:
        """What it has found and done; an empty record before the first check."""
        try:
            return record_of(self._read(_RECORD))
        except ObjectMissing:
            return MonitorRecord()
        except (TypeError, LookupError, ValueError) as error:
            raise _damaged(self.path, error) from None

    def keep(self, record: MonitorRecord) -> None:
        """Write what it has found and done."""
        self._write(_RECORD, as_json(record))

    def add(self, report: Report) -> None:
        """Keep a report."""
        whole = {**report_as_json(report), "columns": columns_as_json(report)}
        self._write(f"{_REPORTS}/{report.until:017.6f}.json", whole)

    def reports(self, most: int) -> list[Report]:
        """The newest reports, the oldest first."""
        named = sorted(one.path for one in self.store.list_all(f"{self.path}/{_REPORTS}"))[-most:]
        try:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                return list(pool.map(lambda path: _report(self.store, path), named))
        except (TypeError, LookupError, ValueError) as error:
            raise _damaged(self.path, error) from None

    def remove(self) -> None:
        """Delete all of it."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda one: self.store.delete(one.path), self.store.list_all(self.path)))

    def _read(self, name: str) -> Any:
        return json.loads(self.store.read(f"{self.path}/{name}"))

    def _write(self, name: str, body: Mapping[str, Any]) -> None:
        self.store.write(f"{self.path}/{name}", json.dumps(body, default=str).encode())


@lru_cache(maxsize=_MOST_KNOWN)
def _report(store: ObjectStore, path: str) -> Report:
    """A report, which is never written again: a monitor that is followed reads each once."""
    found = json.loads(store.read(path))
    return replace(report_of(found), columns=columns_of(found["columns"]))


def _damaged(path: str, error: Exception) -> BackendError:
    return BackendError(f"the records in {path} are damaged, or of another kfnb: {error!r}")
