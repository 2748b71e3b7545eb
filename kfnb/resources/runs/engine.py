"""The protocol of the engines of runs: the local one and Kubeflow."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from kfnb import entities
from kfnb.entities import Amounts, LogLine, Purpose
from kfnb.entities.manifest import RunRecord
from kfnb.errors import BackendError
from kfnb.jobs.fold import Event
from kfnb.jobs.polling import Pace
from kfnb.prices.budget import Budget
from kfnb.resources.experiments.model import Experiment
from kfnb.resources.runs.selection import LISTED, Selection


@dataclass(frozen=True)
class Submission:
    """What to run.

    ``spec`` is the compiled PipelineSpec as plain JSON data (what a KFP YAML file's first document holds);
    ``platform`` its second document, empty if there is none. ``arguments`` are typed and checked already.
    ``folder`` is the notebook's: relative paths in steps that run here start there. ``study`` is the trial and
    study of the arguments (``bowl, trial 12``), empty without a study, ``schedule`` the id of the schedule that starts
    it here. ``env`` are environment variables for steps that do not run where this one does. ``inputs`` is a folder
    with artifacts among the arguments, which the run takes over; only runs here do. ``packages`` are all packages of
    the steps' environment, with their versions, and ``python`` is its Python; empty for what each step asks for, and
    for this Python. ``notes`` are kept with a run here. ``origin`` is what the manifest of the run has of the
    notebook, as JSON (see ``provenance.origin``). ``budget`` is what the run may cost: a run here ends when it is
    passed. ``notify`` is called with notes on differences, and with progress if starting the run takes long.
    """

    spec: Mapping[str, Any]
    arguments: Mapping[str, Any]
    name: str
    experiment: str = ""
    platform: Mapping[str, Any] | None = None
    cache: bool = True
    folder: str = "."
    study: str = ""
    schedule: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    inputs: str = ""
    packages: tuple[str, ...] = ()
    python: str = ""
    notes: tuple[str, ...] = ()
    origin: Mapping[str, Any] = field(default_factory=dict)
    budget: Budget | None = None
    notify: Callable[[str], None] = field(default=lambda _: None, repr=False, compare=False)


CACHED = "(not run: its outputs come from the cache, of an earlier run with the same inputs)"
"""The log of a cached task, when only that task's log is requested."""


class RunEngine(Protocol):
    """A place where pipelines run. All errors are ``kfnb.errors.BackendError``."""

    name: str

    @property
    def pace(self) -> Pace:
        """How often a run may be polled."""
        ...

    def cautions(self, submission: Submission) -> Iterator[str]:
        """Notes, a line each, on what will differ from the notebook for a submission."""
        ...

    def submit(self, submission: Submission) -> str:
        """Start a run and return its id at once. Raises ``BackendError`` with all reasons why it cannot run."""
        ...

    def get(self, run_id: str) -> entities.RunSnapshot:
        """The current state of the run. Raises ``RunNotFound``."""
        ...

    def list(self, selection: Selection = LISTED, *, limit: int = 20) -> builtins.list[entities.RunSnapshot]:
        """The newest runs first, as many as ``limit``; possibly without their tasks."""
        ...

    def events(self, run_id: str, *, after: int = 0, follow: bool = True) -> Iterator[Event]:
        """The run's events with ``seq`` above ``after``; with ``follow``, as they arrive, until the run is finished."""
        ...

    def logs(self, run_id: str, task: str | None = None, *, follow: bool = False) -> Iterator[LogLine | None]:
        """What the tasks wrote, in order; of one task (by id or name) or of all.

        With ``follow``, as they arrive, until the run is finished; None means no more lines at the moment.
        """
        ...

    def submitted(self, run_id: str) -> Submission:
        """What the run was made of: its spec as it was compiled, and its arguments."""
        ...

    def recorded(self, run_id: str) -> RunRecord:
        """What was recorded of the notebook that started the run, and of what its tasks ran on."""
        ...

    def occupied(self, run_id: str) -> Mapping[Purpose, Amounts]:
        """What a run occupied of machines until now, by what came of it; empty if nothing is known."""
        ...

    def log_place(self, run_id: str, task: str | None = None) -> str:
        """Where the complete logs are stored, for messages; empty if that is unknown."""
        ...

    def stop(self, run_id: str) -> None:
        """Ask the run and all its processes to end; does nothing if it is finished."""
        ...

    def retry(self, run_id: str) -> None:
        """Run again what did not succeed of a finished run, under the same id."""
        ...

    def archive(self, run_id: str) -> None:
        """Archive the run: only lists with archived runs show it."""
        ...

    def unarchive(self, run_id: str) -> None:
        """Restore the run to the lists."""
        ...

    def delete(self, run_id: str) -> None:
        """Delete a finished run permanently. Raises ``BackendError`` for a running run."""
        ...

    def experiments(self) -> builtins.list[Experiment]:
        """All experiments."""
        ...


def check_finished(run_id: str, state: entities.RunState) -> None:
    """Check that nothing of a run is under way. Raises ``BackendError``."""
    if not state.finished:
        message, hint = f"run {run_id} is {state}", "stop it first, or wait for it"
        raise BackendError(message, code="still-running", hint=hint, ref=run_id)
