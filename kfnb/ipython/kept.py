"""The magics for what Kubeflow Pipelines keeps beside runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kfnb import options
from kfnb.ipython.magic import Magics, reads
from kfnb.resources.runs import api
from kfnb.resources.runs import line as managing

if TYPE_CHECKING:
    from kfnb.model import ExperimentList, UploadedPipeline, UploadList
    from kfnb.resources.schedules.handle import Schedule, ScheduleList


class KeptMagics(Magics):
    """Experiments, uploads, schedules."""

    @reads(options.experiments)
    def kf_experiments(self, line: str) -> ExperimentList:
        found = options.experiments().read(line)
        return self.bound(found.bind, api.experiments())

    @reads(options.upload)
    def kf_upload(self, line: str) -> UploadedPipeline | UploadList:
        found = options.upload().read(line)
        return self.bound(found.bind, managing.upload(found, print))

    @reads(options.schedule)
    def kf_schedule(self, line: str) -> Schedule | ScheduleList | None:
        found, arguments = options.schedule().read_with_arguments(line)
        return self.bound(found.bind, managing.schedule(found, arguments, print))
