"""The protocol of the engines of schedules: this machine's, and a cluster's."""

from __future__ import annotations

import builtins
from typing import Protocol

from kfnb.resources.runs.engine import Submission
from kfnb.resources.schedules.model import Recurrence, ScheduleSnapshot
from kfnb.resources.uploads.model import UploadedPipeline


class ScheduleEngine(Protocol):
    """Stores schedules, and starts runs by them. Errors are ``BackendError``."""

    name: str

    def create(
        self, submission: Submission, rhythm: Recurrence, uploaded: UploadedPipeline | None = None
    ) -> ScheduleSnapshot:
        """Create a schedule for a submission; ``uploaded`` is the stored version to run, if any."""
        ...

    def list(self) -> builtins.list[ScheduleSnapshot]:
        """All schedules."""
        ...

    def get(self, schedule_id: str) -> ScheduleSnapshot:
        """The current state of the schedule with that id, beginning of an id, or name."""
        ...

    def pause(self, schedule_id: str) -> None:
        """Start no more runs; does nothing if it is paused."""
        ...

    def resume(self, schedule_id: str) -> None:
        """Start runs again."""
        ...

    def run(self, schedule_id: str) -> str:
        """Start a run of it now, also if it is paused, and return the run's id."""
        ...

    def delete(self, schedule_id: str) -> None:
        """Delete the schedule; its runs stay."""
        ...
