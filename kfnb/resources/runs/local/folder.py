"""A run's folder, which has these files in addition to those of every job (see ``kfnb.jobs.folder``).

================  ======================================================================
``spec.json``     the PipelineSpec
``run.json``      everything else of the submission (``RunJobSpec``)
``archived``      exists if the run is archived
``timeline``      the order in which the tasks' logs were written, see ``log_timeline``
``volumes/``      the run's volumes, where its tasks ask for some
``inputs/``       artifacts that a notebook gave it
``tasks/<id>/``   a task's program, log, outputs and artifacts
================  ======================================================================
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from kfnb.entities import Artifact
from kfnb.errors import BackendError, RunNotFound
from kfnb.jobs.folder import JobFolder, names, number, stamped, usable

_RUNS = "runs"


@dataclass(frozen=True)
class RunJobSpec:
    """The job of the supervisor; ``home`` is kfnb's, ``folder`` where steps start, ``jobs`` at least 1.

    ``jobs`` is how many tasks compute at once, ``most`` how many run at once where some only wait (0: the same).
    ``platform`` is the platform-specific part of the spec, ``secrets`` the folder or file that secrets are in,
    ``linger`` how many seconds its process waits for the next run (see ``kfnb.jobs.prefork``). ``registry`` is the
    folder of the model registry that the run registers its models in, for ``owner``; empty for none. ``data_store`` is
    the folder or address of the data that they name. ``budget`` is what the run may cost (``Budget.data``); empty
    without a limit. ``packages`` and ``python`` are those of a ``Submission``.
    """

    name: str
    arguments: Mapping[str, Any]
    folder: str
    home: str
    cache: bool
    jobs: int
    platform: Mapping[str, Any] = field(default_factory=dict)
    secrets: str = ""
    linger: float = 0.0
    most: int = 0
    registry: str = ""
    data_store: str = ""
    owner: str = ""
    packages: Sequence[str] = ()
    python: str = ""
    budget: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunFolder(JobFolder):
    """The folder ``path`` of one run, which is named by the run's id."""

    def write(self, spec: Mapping[str, Any], order: RunJobSpec) -> None:
        """Write the spec and the job. Raises ``OSError``, and ``TypeError`` or ``ValueError`` for what is not JSON."""
        number(self.path)
        self.put("spec.json", spec)
        self.put("run.json", asdict(order))

    def take_over(self, inputs: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Move the folder ``inputs`` into the run's; the arguments with the artifacts in it where they are now.

        Raises ``BackendError``.
        """
        if not inputs:
            return arguments
        with usable(self.path):
            shutil.move(inputs, self.path / "inputs")
        return {
            name: replace(value, uri=str(self.path / "inputs" / Path(value.uri).name))
            if isinstance(value, Artifact)
            else value
            for name, value in arguments.items()
        }

    def read(self) -> tuple[dict[str, Any], RunJobSpec]:
        """Read what ``write`` wrote. Raises ``BackendError``."""
        spec, order = self.get("spec.json"), self.get("run.json")
        known = {one.name for one in fields(RunJobSpec)}
        try:
            return spec, RunJobSpec(**{name: value for name, value in order.items() if name in known})
        except (TypeError, AttributeError):
            raise BackendError(f"{self.path / 'run.json'} was written by another version of kfnb") from None

    def log(self, task: str) -> Path:
        """The file that a task's output goes to."""
        return self.path / "tasks" / task / "log"

    @property
    def timeline(self) -> Path:
        """The file with the order in which the logs were written."""
        return self.path / "timeline"

    @property
    def archived(self) -> bool:
        """Whether the run was archived."""
        return (self.path / "archived").exists()

    def archive(self, *, away: bool) -> None:
        """Archive or restore the run. Raises ``BackendError``."""
        with usable(self.path):
            if away:
                (self.path / "archived").touch(mode=0o600)
            else:
                (self.path / "archived").unlink(missing_ok=True)


def new(home: Path) -> tuple[RunFolder, str]:
    """Create a folder for a run that begins now; with a note if other users could read the runs before.

    Raises ``BackendError``.
    """
    path, note = stamped(home / _RUNS)
    return RunFolder(path), note


def existing(home: Path) -> list[RunFolder]:
    """The folders of all runs, the newest first. Raises ``BackendError``."""
    return [RunFolder(home / _RUNS / name) for name in reversed(names(home / _RUNS))]


def named(home: Path, run_id: str) -> RunFolder:
    """The folder of a run, by its id or the start of it. Raises ``RunNotFound``."""
    folder = find(home, run_id)
    if folder is not None:
        return folder
    begun = [one for one in existing(home) if run_id and one.id.startswith(run_id)]
    if len(begun) > 1:
        raise RunNotFound(
            f"{len(begun)} runs begin with {run_id}, as {begun[0].id} does:",
            hint="give more characters of the id",
            ref=run_id,
        )
    if not begun:
        raise RunNotFound(f"unknown run {run_id} in {home}", ref=run_id)
    return begun[0]


def find(home: Path, run_id: str) -> RunFolder | None:
    """The folder of a run; None if it does not exist."""
    path = home / _RUNS / run_id
    with suppress(OSError, ValueError):  # an invalid file name
        if run_id[:1] not in ("", ".") and path.parent == home / _RUNS and path.is_dir():
            return RunFolder(path)
    return None
