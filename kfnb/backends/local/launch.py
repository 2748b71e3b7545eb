"""Runs one task's work: in a fork of the supervisor, or in a fresh process where a fork would not do."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from kfnb.backends.local import runner
from kfnb.backends.local.environment import Requirements, missing, parse, python_of
from kfnb.backends.local.exchange import LOG, Work, collect, job, prepare
from kfnb.backends.local.failure import from_description, from_status
from kfnb.backends.local.faults import StepFailed, StepFault
from kfnb.backends.local.importer import fetch, is_remote, local_path
from kfnb.backends.local.preload import preload
from kfnb.backends.local.processes import Processes
from kfnb.backends.local.spec import Importer, Pipeline, Program
from kfnb.model import Artifact, TaskError

_FAILURE = "failure.json"


@dataclass
class Launcher:
    """Starts processes for tasks. ``envs`` holds environments, ``folder`` is where steps start."""

    processes: Processes
    envs: Path
    folder: Path
    warm: bool = False

    def warm_up(self, pipeline: Pipeline) -> None:
        """Get ready to fork steps of ``pipeline``, if that has not been done."""
        if not self.warm:
            self.warm = True
            programs = [program for program in pipeline.programs if not program.env]
            here = [program for program in programs if not missing(parse(program.installs))]
            preload((program.source, program.function) for program in here)

    async def run(self, work: Work) -> dict[str, Any]:
        """Run ``work`` once and return its outputs. Raises ``StepFailed`` or ``StepFault``."""
        try:
            return await self._run(work)
        except OSError as error:
            raise StepFault(f"its files cannot be written: {error}") from None

    async def _run(self, work: Work) -> dict[str, Any]:
        body = work.component.body
        prepare(work)
        if isinstance(body, Program):
            await self._process(work, self._action(work, body), body.source)
            return collect(work)
        assert isinstance(body, Importer)
        return await self._import(work, body)

    def _action(self, work: Work, program: Program) -> Callable[[], int]:
        told = job(work, program)
        requirements = parse(program.installs)
        if missing(requirements):
            return partial(_elsewhere, told, requirements, self.envs)
        if program.env:  # libraries read variables when they are imported, and a fork has them imported
            return partial(_execute, Path(sys.executable), told)
        return partial(runner.run, told)

    async def _import(self, work: Work, importer: Importer) -> dict[str, Any]:
        uri = str(work.parameters.get(importer.parameter, importer.uri))
        if not is_remote(uri):
            path = local_path(uri, self.folder)
        else:
            path = str(work.folder / "artifacts" / (Path(uri).name or "artifact"))
            failure = str(work.folder / _FAILURE)
            await self._process(work, lambda: runner.guarded(lambda: fetch(uri, Path(path)), failure), "")
        made = work.component.output_artifacts
        return {name: Artifact(name, importer.type, path, importer.metadata) for name in made}

    async def _process(self, work: Work, action: Callable[[], int], source: str) -> None:
        log = work.folder / LOG
        status = await self.processes.run(action, log=log, folder=self.folder)
        error = _error(work, status, source)
        if error is not None:
            with log.open("a", encoding="utf-8") as file:
                file.write(f"{error.traceback or error.message}\n")
            raise StepFailed(error)


def _error(work: Work, status: int, source: str) -> TaskError | None:
    """What the process that ended with wait status ``status`` died of, if it did."""
    try:
        told = json.loads((work.folder / _FAILURE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return from_status(status) if status else None
    return TaskError(told["fault"]) if "fault" in told else from_description(told, source)


def _elsewhere(told: dict[str, Any], requirements: Requirements, envs: Path) -> int:
    """In the task's process: become the Python of an environment that has ``requirements``."""
    for name in ("PYTHONPATH", "PYTHONHOME"):
        os.environ.pop(name, None)
    try:
        python = python_of(requirements, envs)
    except StepFault as fault:
        Path(told["failure"]).write_text(json.dumps({"fault": str(fault)}), encoding="utf-8")
        return 1
    return _execute(python, told)


def _execute(python: Path, told: dict[str, Any]) -> NoReturn:
    file = Path(told["failure"]).with_name("job.json")
    file.write_text(json.dumps(told), encoding="utf-8")
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}  # its log is read while it runs
    os.execve(python, [str(python), runner.__file__, str(file)], environ)  # noqa: S606 - no shell is wanted
