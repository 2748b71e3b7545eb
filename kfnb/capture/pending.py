"""A component whose cell is about to run, and what observes the cell."""

from __future__ import annotations

from dataclasses import dataclass

from kfnb.capture.component import Component
from kfnb.capture.dependencies import Dependencies
from kfnb.capture.environment_context import Environment
from kfnb.capture.file_watch import FileWatch
from kfnb.capture.object_changes import ObjectWatch
from kfnb.capture.pickles import PickleWatch
from kfnb.capture.seeds import KernelSeed
from kfnb.capture.variables import VariableWatch


@dataclass(frozen=True)
class Pending:
    """A component whose cell is about to run; ``watch`` holds the state of its inputs before.

    When the cell has run, however it ended, ``environment`` must be restored, and ``files``, ``variables`` and
    ``pickles`` must be stopped.
    """

    component: Component
    dependencies: Dependencies
    watch: ObjectWatch
    environment: Environment
    files: FileWatch
    variables: VariableWatch
    pickles: PickleWatch
    seed: KernelSeed

    def end(self) -> None:
        """Restore the kernel after the cell."""
        self.variables.stop()
        self.files.stop()
        self.pickles.stop()
        self.seed.stop()
        self.environment.restore()
