"""Runs one task's work: in a fork of the supervisor, or in a fresh process if it cannot be forked."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NoReturn

from kfnb.entities import Artifact, TaskError, read_carried
from kfnb.jobs import private
from kfnb.jobs.processes import GRACE, Processes
from kfnb.resources.runs.failure import from_description
from kfnb.resources.runs.local import container, runner
from kfnb.resources.runs.local.activity import Activity
from kfnb.resources.runs.local.container_engine import engine
from kfnb.resources.runs.local.environment import (
    Requirements,
    build,
    is_built,
    missing,
    parse,
    pinned,
    python_of,
)
from kfnb.resources.runs.local.executor_io import LOG, RANK_EVENTS, TaskInvocation, collect, job, prepare
from kfnb.resources.runs.local.failure import from_status
from kfnb.resources.runs.local.importer import BESIDE, fetch, is_remote, linked, local_path, name_of
from kfnb.resources.runs.local.log_timeline import Timeline
from kfnb.resources.runs.local.meter import Meter
from kfnb.resources.runs.local.mounts import enter
from kfnb.resources.runs.local.pod_resources import Supplier
from kfnb.resources.runs.local.preload import preload
from kfnb.resources.runs.local.rank_events import followed, unfinished
from kfnb.resources.runs.local.recorded import places
from kfnb.resources.runs.local.spec import Container, Importer, PipelineSpec, PythonProgram, VolumeChange
from kfnb.resources.runs.local.step_errors import StepFailed, StepFault
from kfnb.resources.runs.missing_files import with_advice
from kfnb.text.parameter_values import stored

_FAILURE = "failure.json"
_TRAINING_GRACE = 13.0
"""Seconds that a training has to end: its launcher gives its processes 10 of them."""


@dataclass
class Launcher:
    """Starts processes for tasks of the run in ``folder_of_run``. ``envs`` holds environments.

    Steps start in ``folder``. ``activity`` watches their processes, ``meter`` has what they used. ``report`` is called
    with a task's id and what is done for it; with an empty text when that is finished. ``ranks`` is called with the id
    of a training and what is new of its processes. ``packages`` and ``python`` are those of a ``Submission``.
    """

    processes: Processes
    envs: Path
    folder: Path
    folder_of_run: Path
    supplier: Supplier
    timeline: Timeline
    activity: Activity
    meter: Meter
    report: Callable[[str, str], None]
    ranks: Callable[[str, Mapping[str, Any]], None]
    packages: tuple[str, ...] = ()
    python: str = ""
    warm: bool = False
    noted: set[str] = field(default_factory=set)

    def warm_up(self, pipeline: PipelineSpec) -> None:
        """Prepare to fork steps of ``pipeline``, unless that was done."""
        if not self.warm:
            self.warm = True
            programs = [
                program
                for program in pipeline.programs
                if not (program.env or program.demands.variables or program.processes)
            ]
            requirements = {program.installs: self._requirements(program) for program in programs}
            here = [program for program in programs if not missing(requirements[program.installs])]
            names = {name for program in here for name in requirements[program.installs].names}
            preload(((program.source, program.function) for program in here), names)

    async def run(self, work: TaskInvocation) -> dict[str, Any]:
        """Run ``work`` once and return its outputs. Raises ``StepFailed`` or ``StepFault``."""
        try:
            return await self._run(work)
        except OSError as error:
            raise StepFault(f"cannot write its files: {error}") from None

    async def _run(self, work: TaskInvocation) -> dict[str, Any]:
        body = work.component.body
        if not (
            self.folder_of_run / "run.json"
        ).exists():  # a step that still ran may have created the folder again
            raise StepFault(f"the folder of its run was deleted ({self.folder_of_run})")
        prepare(work)
        if isinstance(body, PythonProgram):
            requirements = self._requirements(body)
            self._note_once(work, requirements.other_kfp)
            await self._build(work, requirements)
            async with followed(work.folder / RANK_EVENTS, partial(self.ranks, work.id)):
                await self._process(work, self._action(work, body), body.source)
            return collect(work, self.folder)
        if isinstance(body, Container):
            (work.folder / "outputs").mkdir(mode=0o700, exist_ok=True)
            private.let_in(self.folder_of_run)
            command = container.command(work, body, _engine(), self.folder_of_run)
            try:
                await self._process(
                    work, partial(container.act, command, work.supply.env, work.folder), "", "container"
                )
            finally:
                await asyncio.to_thread(container.remove, work.folder)
            return collect(work, self.folder)
        if isinstance(body, VolumeChange):
            return self._volume(work, gone=body.gone)
        assert isinstance(body, Importer)
        return await self._import(work, body)

    def _requirements(self, program: PythonProgram) -> Requirements:
        """What a step needs: all packages of the run's environment, or what the step itself asks for."""
        return pinned(parse(program.installs), self.packages, self.python)

    async def _build(self, work: TaskInvocation, requirements: Requirements) -> None:
        """Build the environment of a step, if it needs its own and it does not exist."""
        if missing(requirements) and not is_built(requirements, self.envs):
            self.report(work.id, f"building an environment for {requirements.words}")
            await self._process(work, partial(_built, work, requirements, self.envs), "")
            self.report(work.id, "")

    def _action(self, work: TaskInvocation, program: PythonProgram) -> Callable[[], int]:
        spec = job(work, program, self.folder, places(self.folder_of_run, self.envs.parent, work.folder))
        requirements = self._requirements(program)
        if missing(requirements):
            action: Callable[[], int] = partial(_elsewhere, spec, python_of(requirements, self.envs))
        elif program.env or work.supply.env or program.processes:
            # libraries read variables when they are imported, and a fork has imported them already; the processes of
            # a training are forks of one that has imported none
            action = partial(_execute, Path(sys.executable), spec)
        else:
            action = partial(runner.run, spec)
        return partial(_supplied, work, action) if work.supply.env or work.supply.mounts else action

    def _note_once(self, work: TaskInvocation, text: str) -> None:
        """Begin the task's log with ``text``, unless another task's log did."""
        if text and text not in self.noted:
            self.noted.add(text)
            private.append(work.folder / LOG, f"{text}\n")

    def _volume(self, work: TaskInvocation, *, gone: bool) -> dict[str, Any]:
        parameters = work.parameters
        name = str(
            parameters.get("pvc_name") or f"{self.folder_of_run.name}{parameters.get('pvc_name_suffix', '')}"
        )
        folder = self.supplier.volume(name)
        if gone:
            shutil.rmtree(folder, ignore_errors=True)
            return {}
        private.make(folder)
        return {"name": name}

    async def _import(self, work: TaskInvocation, importer: Importer) -> dict[str, Any]:
        uri = str(work.parameters.get(importer.parameter, importer.uri))
        beside = read_carried(uri, importer.metadata)
        if beside is not None:
            path = linked(beside, self.folder, work.folder / "artifacts" / BESIDE)
        elif not is_remote(uri):
            path = local_path(uri, self.folder)
        else:
            path = str(work.folder / "artifacts" / name_of(uri))
            failure = str(work.folder / _FAILURE)
            await self._process(work, partial(runner.guarded, partial(fetch, uri, Path(path)), failure), "")
        made = work.component.output_artifacts
        return {name: Artifact(name, importer.type, path, stored(importer.metadata)) for name in made}

    async def _process(
        self, work: TaskInvocation, action: Callable[[], int], source: str, what: str = "process"
    ) -> None:
        log = work.folder / LOG
        limit = work.supply.timeout
        body = work.component.body
        trains = isinstance(body, PythonProgram) and body.processes > 0
        since = log.stat().st_size if log.exists() else 0
        # the client of a container engine is not the container
        measured = what != "container"

        def began(pid: int) -> None:
            self.activity.began(work.id, pid)
            if measured:
                self.meter.started(work.id, pid)

        used = partial(self.meter.ended, work.id) if measured else (lambda _: None)
        try:
            with self.timeline.watched(work.id, log):
                status = await self.processes.run(
                    action,
                    log=log,
                    folder=self.folder,
                    timeout=limit,
                    began=began,
                    used=used,
                    grace=_TRAINING_GRACE if trains else GRACE,
                )
        except (asyncio.TimeoutError, TimeoutError):
            left = ", ".join(map(str, unfinished(work.folder / RANK_EVENTS))) if trains else ""
            still = f"; still running: rank {left}" if left else ""
            raise StepFault(f"timed out after {limit:g} s{still}") from None
        finally:
            self.activity.ended(work.id)
        error = _error(work, status, source, what, since, self.folder)
        if error is not None:
            private.append(log, f"{error.traceback or error.message}\n")
            raise StepFailed(error)


@lru_cache(maxsize=1)
def _engine() -> str:
    """The container engine, looked up once per run."""
    return engine()


def _error(
    work: TaskInvocation, status: int, source: str, what: str, since: int, notebook: Path
) -> TaskError | None:
    """The failure of the process (or other ``what``) that ended with wait status ``status``, if it failed.

    Its output is in the log from the byte ``since`` on.
    """
    try:
        failure = json.loads((work.folder / _FAILURE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return from_status(status, what, work.folder / LOG, since) if status else None
    if "fault" in failure:
        return TaskError(failure["fault"])
    return with_advice(from_description(failure, source), failure, notebook, work.folder / "work")


def _supplied(work: TaskInvocation, action: Callable[[], int]) -> int:
    """In the task's process: do ``action`` with the variables and the mounts of the step."""
    os.environ.update(work.supply.env)
    try:
        enter(work.supply.mounts, work.folder / "view")
    except OSError as error:
        text = f"cannot mount {', '.join(mount.path for mount in work.supply.mounts)}: {error}"
        private.write(work.folder / _FAILURE, json.dumps({"fault": text}))
        return 1
    return action()


def _built(work: TaskInvocation, requirements: Requirements, envs: Path) -> int:
    """In a separate process: build an environment with ``requirements``."""
    _alone()
    try:
        build(requirements, envs)
    except StepFault as fault:
        private.write(work.folder / _FAILURE, json.dumps({"fault": str(fault)}))
        return 1
    return 0


def _elsewhere(spec: dict[str, Any], python: Path) -> int:
    """In the task's process: become the ``python`` of another environment."""
    _alone()
    return _execute(python, spec)


def _alone() -> None:
    for name in ("PYTHONPATH", "PYTHONHOME"):
        os.environ.pop(name, None)


def _execute(python: Path, spec: dict[str, Any]) -> NoReturn:
    file = Path(spec["failure"]).with_name("job.json")
    private.write(file, json.dumps(spec))
    # the step's own variables too, as Python reads some when it starts; unbuffered, so that its log can be followed
    environ = {**os.environ, **spec["env"], "PYTHONUNBUFFERED": "1"}
    os.execve(python, [str(python), runner.__file__, str(file)], environ)  # noqa: S606 - no shell is needed
