"""The meaning of a pipeline: which task runs when, with what, and what follows from how it ended.

Every task of a DAG is a coroutine that waits for those it needs, so independent ones go on at once; all of it in one
thread. A group (a branch, a loop's iteration, a nested pipeline, an exit handler's body) is a DAG within a task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from kfnb.backends.local.cache import Cache
from kfnb.backends.local.condition import holds, warm_up
from kfnb.backends.local.exchange import Work
from kfnb.backends.local.faults import StepFailed, StepFault
from kfnb.backends.local.journal import Journal
from kfnb.backends.local.launch import Launcher
from kfnb.backends.local.loop import items, joined
from kfnb.backends.local.resolve import Inputs, Result, resolve, with_defaults
from kfnb.backends.local.spec import Component, Dag, Loop, Pipeline, Program, Step
from kfnb.backends.local.summary import Summary, added_up
from kfnb.model import RunState, TaskError

_WARM_UP = 0.05
"""Seconds after a run's start at which to get ready for its conditions."""


@dataclass
class _Scope:
    """One DAG that runs. ``prefix`` begins its tasks' ids, ``keep``: what an earlier attempt finished may stand."""

    group: str
    prefix: str
    component: Component
    inputs: Inputs
    keep: bool
    index: int | None = None
    tasks: dict[str, asyncio.Task[Result]] = field(default_factory=dict)

    @property
    def dag(self) -> Dag:
        assert isinstance(self.component.body, Dag)
        return self.component.body


@dataclass
class Engine:
    """Runs one pipeline. ``words`` are the run's placeholders, ``folder`` its own, ``jobs`` the tasks at once."""

    pipeline: Pipeline
    journal: Journal
    launcher: Launcher
    cache: Cache | None
    words: Mapping[str, str]
    folder: Path
    jobs: int

    def __post_init__(self) -> None:
        self.summary = Summary(self.pipeline)
        self._slots = asyncio.Semaphore(self.jobs)
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Start nothing more. The processes are for the caller to end."""
        self._stopped.set()

    async def run(self, inputs: Inputs) -> Result:
        """Run the pipeline on ``inputs``, its own, and say how that ended."""
        if self.pipeline.has_conditions:
            asyncio.get_running_loop().call_later(_WARM_UP, warm_up)  # while the first tasks run
        inputs = with_defaults(self.pipeline.root, inputs)
        return await self._dag(_Scope("", "", self.pipeline.root, inputs, keep=True))

    async def _dag(self, scope: _Scope) -> Result:
        steps = scope.dag.steps
        self.journal.tasks(scope.group, scope.prefix, steps, self.pipeline.groups(scope.dag), scope.index)
        scope.tasks = {name: asyncio.create_task(self._step(scope, step)) for name, step in steps.items()}
        results = {name: await task for name, task in scope.tasks.items()}
        return added_up(scope.dag, results)

    async def _step(self, scope: _Scope, step: Step) -> Result:
        ended = {need: await scope.tasks[need] for need in step.needs}
        verdict = self._verdict(step, ended)
        if verdict is not None:
            return self._leave_out(scope, step, verdict)
        component = self.pipeline.components[step.component]
        keep = scope.keep and all(result.kept for result in ended.values())
        task = scope.prefix + step.name
        words = {**self.words, "pipeline_task_name": step.name, "pipeline_task_uuid": task}
        try:
            inputs = resolve(step, component, scope.inputs, ended, words)
            if step.condition and not holds(step.condition, inputs.parameters):
                return self._leave_out(scope, step, Result(RunState.SKIPPED, kept=keep))
            return await self._start(scope, step, inputs, keep)
        except StepFault as fault:
            if isinstance(component.body, Dag):
                self.summary.never_ran(step)
            return self._failed(task, step.name, TaskError(str(fault)))

    def _verdict(self, step: Step, ended: Mapping[str, Result]) -> Result | None:
        """Why ``step`` does not run at all, if so."""
        states = {result.state for result in ended.values()}
        if self._stopped.is_set():
            return Result(RunState.CANCELED)
        if step.anyway or states <= {RunState.SUCCEEDED}:
            return None
        if RunState.CANCELED in states:
            return Result(RunState.CANCELED)
        blocked = RunState.FAILED in states or any(result.blocked for result in ended.values())
        return Result(RunState.SKIPPED, blocked=blocked, kept=all(result.kept for result in ended.values()))

    def _leave_out(self, scope: _Scope, step: Step, verdict: Result) -> Result:
        """``step`` does not run, and what is in it does not either."""
        task = scope.prefix + step.name
        self.journal.state(task, verdict.state)
        body = self.pipeline.components[step.component].body
        if verdict.blocked:
            self.summary.never_ran(step)
        if isinstance(body, Dag) and step.loop is None:
            inner = _Scope(task, f"{task}/", self.pipeline.components[step.component], Inputs(), keep=False)
            self.journal.tasks(task, inner.prefix, body.steps, self.pipeline.groups(body), None)
            for part in body.steps.values():
                self._leave_out(inner, part, replace(verdict, blocked=False))
        return verdict

    async def _start(self, scope: _Scope, step: Step, inputs: Inputs, keep: bool) -> Result:
        task = scope.prefix + step.name
        component = self.pipeline.components[step.component]
        if not isinstance(component.body, Dag):
            return await self._work(task, step, component, inputs, keep)
        self.journal.started(task)
        if step.loop is not None:
            result = await self._loop(task, step.loop, component, inputs, keep)
        else:
            result = await self._dag(_Scope(task, f"{task}/", component, inputs, keep))
        if result.state is RunState.SUCCEEDED:
            self.journal.succeeded(task, result.outputs)
        else:
            self.journal.state(task, result.state, result.error)
        return replace(result, kept=keep and result.kept)

    async def _loop(self, task: str, loop: Loop, component: Component, inputs: Inputs, keep: bool) -> Result:
        rounds = items(loop, component, inputs)
        limit = asyncio.Semaphore(loop.limit or max(len(rounds), 1))

        async def iterate(index: int, inner: Inputs) -> Result:
            async with limit:
                return await self._dag(_Scope(task, f"{task}/{index}/", component, inner, keep, index))

        assert isinstance(component.body, Dag)
        return joined(
            component.body, await asyncio.gather(*(iterate(i, inner) for i, inner in enumerate(rounds)))
        )

    # one task

    async def _work(self, task: str, step: Step, component: Component, inputs: Inputs, keep: bool) -> Result:
        earlier = self.journal.earlier.get(task)
        if keep and earlier is not None and earlier.state is RunState.SUCCEEDED:
            return Result(RunState.SUCCEEDED, earlier.outputs, kept=True)
        work = Work(
            task, step.name, self.folder / "tasks" / task, component, inputs.parameters, inputs.artifacts
        )
        key = self._key(step, work)
        found = self.cache.find(key, work) if self.cache and key else None
        if found is not None:
            self.journal.started(task, work.shown)
            self.journal.succeeded(task, found, cached=True)
            return Result(RunState.SUCCEEDED, found)
        result = await self._attempts(step, work)
        if self.cache and key and result.state is RunState.SUCCEEDED:
            self.cache.keep(key, work, result.outputs)
        return result

    def _key(self, step: Step, work: Work) -> str:
        if self.cache is None or not step.cache or not isinstance(work.component.body, Program):
            return ""
        return self.cache.key(work, work.component.body, step.cache_key)

    async def _attempts(self, step: Step, work: Work) -> Result:
        for attempt in range(1, step.retries.count + 2):
            result = await self._attempt(work)
            if result.state is not RunState.FAILED or attempt > step.retries.count:
                break
            self.journal.state(work.id, RunState.PENDING, result.error)
            await self._pause(step.retries.pause(attempt))
        if result.state is RunState.FAILED and result.error:
            return self._failed(work.id, step.name, result.error)
        return result

    async def _attempt(self, work: Work) -> Result:
        async with self._slots:
            if self._stopped.is_set():
                self.journal.state(work.id, RunState.CANCELED)
                return Result(RunState.CANCELED)
            self.launcher.warm_up(self.pipeline)
            self.journal.started(work.id, work.shown)
            try:
                outputs = await self.launcher.run(work)
            except (StepFailed, StepFault) as fault:
                if self._stopped.is_set():
                    self.journal.state(work.id, RunState.CANCELED)
                    return Result(RunState.CANCELED)
                error = fault.error if isinstance(fault, StepFailed) else TaskError(str(fault))
                return Result(RunState.FAILED, error=error)
            self.journal.succeeded(work.id, outputs)
            return Result(RunState.SUCCEEDED, outputs)

    async def _pause(self, seconds: float) -> None:
        """Wait, unless the run is stopped meanwhile."""
        try:
            await asyncio.wait_for(self._stopped.wait(), seconds)
        except (asyncio.TimeoutError, TimeoutError):
            return

    def _failed(self, task: str, name: str, error: TaskError) -> Result:
        self.journal.state(task, RunState.FAILED, error)
        self.summary.failed(task, name, error)
        return Result(RunState.FAILED, error=error)
