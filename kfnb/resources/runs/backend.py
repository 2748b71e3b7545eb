"""What a backend is: the one protocol that the local engine and Kubeflow both speak."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from kfnb import model
from kfnb.jobs.fold import Event
from kfnb.jobs.polling import Pace
from kfnb.model import LogLine
from kfnb.resources.runs.selection import LISTED, Selection


@dataclass(frozen=True)
class Submission:
    """What to run.

    ``spec`` is the compiled PipelineSpec as plain JSON data (what a KFP YAML file's first document holds);
    ``platform`` its second document, empty if there is none. ``arguments`` are typed and checked already.
    ``folder`` is the notebook's: relative paths in steps that run here start there. ``study`` says which trial of
    which study arguments are from (``bowl, trial 12``), empty if they are from none. ``env`` are environment variables
    for steps that do not run where this one does. ``tell`` is told what will differ from here, and how far it is where
    starting the run takes long.
    """

    spec: Mapping[str, Any]
    arguments: Mapping[str, Any]
    name: str
    experiment: str = ""
    platform: Mapping[str, Any] | None = None
    cache: bool = True
    folder: str = "."
    study: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    tell: Callable[[str], None] = field(default=lambda _: None, repr=False, compare=False)


CACHED = "(it did not run: its outputs are those of an earlier run with the same inputs, from the cache)"
"""What stands in the log of a task that was cached, where that one task's log is asked for."""


class Backend(Protocol):
    """A place where pipelines run. Errors are ``kfnb.errors.BackendError`` and nothing else."""

    name: str

    @property
    def pace(self) -> Pace:
        """How often a run may be looked at here."""
        ...

    def cautions(self, submission: Submission) -> Iterator[str]:
        """What will be otherwise than here, in a line each, for who is about to submit this."""
        ...

    def submit(self, submission: Submission) -> str:
        """Start a run and return its id at once. What cannot run here is refused, with all reasons."""
        ...

    def get(self, run_id: str) -> model.Run:
        """The run as it is now. Raises ``RunNotFound``."""
        ...

    def list(self, selection: Selection = LISTED, *, limit: int = 20) -> builtins.list[model.Run]:
        """The newest runs first, as many as ``limit``; without their tasks where that is cheaper."""
        ...

    def events(self, run_id: str, *, after: int = 0, follow: bool = True) -> Iterator[Event]:
        """The run's events with ``seq`` above ``after``; with ``follow``, as they come, until the run is finished."""
        ...

    def logs(self, run_id: str, task: str | None = None, *, follow: bool = False) -> Iterator[LogLine | None]:
        """What the tasks wrote, in order; of one task (by id or name) or of all.

        With ``follow``, as it comes, until the run is finished; None says that there is no more at the moment.
        """
        ...

    def log_place(self, run_id: str, task: str | None = None) -> str:
        """Where the whole of what ``logs`` gives is kept, in words; empty if that is not known."""
        ...

    def stop(self, run_id: str) -> None:
        """Ask the run and all its processes to end; harmless when it is finished."""
        ...

    def retry(self, run_id: str) -> None:
        """Run again what did not succeed of a finished run, under the same id."""
        ...

    def archive(self, run_id: str) -> None:
        """Put the run away: it is in no list that does not ask for those archived."""
        ...

    def unarchive(self, run_id: str) -> None:
        """Put the run back into the lists."""
        ...

    def delete(self, run_id: str) -> None:
        """Forget a finished run for good; one that still runs is refused."""
        ...

    def experiments(self) -> builtins.list[model.Experiment]:
        """The experiments there are."""
        ...
