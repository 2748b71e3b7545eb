"""Services as jobs: what drives a service, and what is recorded if that is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kfnb.jobs.eventlog import Fact
from kfnb.jobs.fold import Event
from kfnb.jobs.folder import JobFolder
from kfnb.jobs.handle import JobHandle, JobKind
from kfnb.jobs.recovery import Loss
from kfnb.resources.services.local.folder import ServiceFolder


def _lost(folder: JobFolder, events: Iterable[Event]) -> Iterator[Fact]:
    """That the driver ended without a word, if it had come up."""
    del events
    if folder.pid is not None:
        yield "lost", "", {}


KIND = JobKind("kfnb.resources.services.local.driver", Loss("service", "start brings it back", _lost))


def job(folder: ServiceFolder) -> JobHandle[ServiceFolder]:
    """A service as the job that it is."""
    return JobHandle(KIND, folder, f"service {folder.name}")
