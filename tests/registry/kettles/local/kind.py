"""Kettles as jobs: what drives one, and what happens where that is lost."""

from __future__ import annotations

from kfnb.jobs.handle import JobHandle, JobKind
from kfnb.jobs.recovery import Loss
from tests.registry.kettles.local.folder import KettleFolder

KIND = JobKind(
    "tests.registry.kettles.local.driver",
    Loss("kettle", "heat it again", lambda _folder, _events: ()),
)


def job(folder: KettleFolder) -> JobHandle[KettleFolder]:
    """A kettle as the job that it is."""
    return JobHandle(KIND, folder, f"kettle {folder.path.name}")
