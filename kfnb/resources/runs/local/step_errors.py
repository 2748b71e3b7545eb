"""Errors inside the engine, before they are recorded as a task's or a run's error."""

from __future__ import annotations

from kfnb.entities import TaskError


class StepFault(Exception):
    """A task cannot continue; the message is for the user, and becomes the task's error."""


class StepFailed(Exception):
    """A task's process failed, with ``error``."""

    def __init__(self, error: TaskError) -> None:
        super().__init__(error.message)
        self.error = error
