"""What goes wrong inside the engine, before it is written down as a task's or a run's error."""

from __future__ import annotations

from kfnb.model import TaskError


class StepFault(Exception):
    """A task cannot go on; the message is for the user, and becomes the task's error."""


class StepFailed(Exception):
    """A task's process failed; ``error`` says how."""

    def __init__(self, error: TaskError) -> None:
        super().__init__(error.message)
        self.error = error
