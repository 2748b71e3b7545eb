"""The semantics of a pipeline: which task runs when, with which inputs, and what follows from how it ended.

Every task of a DAG is a coroutine that waits for the tasks it needs, so independent tasks run at once, all in one
thread. A group (a branch, a loop's iteration, a nested pipeline, an exit handler's body) is a DAG within a task.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path

from kfnb.entities import RunState, TaskError
from kfnb.resources.runs.local.condition import holds, warm_up
from kfnb.resources.runs.local.executor_io import TaskInvocation
from kfnb.resources.runs.local.journal import AnnouncedTasks, Journal
from kfnb.resources.runs.local.loop import items, joined
from kfnb.resources.runs.local.placeholder import Context
from kfnb.resources.runs.local.pod_resources import Supplier
from kfnb.resources.runs.local.resolve import Inputs, Result, resolve, resolve_name, with_defaults
from kfnb.resources.runs.local.spec import (
    ComponentSpec,
    Container,
    DagSpec,
    LoopSpec,
    PipelineSpec,
    PythonProgram,
    TaskSpec,
)
from kfnb.resources.runs.local.step_errors import StepFault
from kfnb.resources.runs.local.summary import Summary, added_up
from kfnb.resources.runs.local.tasks import TaskRunner
from kfnb.text.conditions import decided

_WARM_UP = 0.05
"""Seconds after a run's start at which to load the library for conditions."""


@dataclass
class _RunningDag:
    """A running DAG. ``prefix`` begins its tasks' ids; ``reuse``: results of an earlier attempt may be kept."""

    group: str
    prefix: str
    component: ComponentSpec
    inputs: Inputs
    reuse: bool
    index: int | None = None
    tasks: dict[str, asyncio.Task[Result]] = field(default_factory=dict)

    @property
    def dag(self) -> DagSpec:
        assert isinstance(self.component.body, DagSpec)
        return self.component.body


@dataclass(frozen=True)
class _Call:
    """A task of a running DAG: ``ended`` is how the tasks it needs ended, ``words`` are its placeholders."""

    scope: _RunningDag
    step: TaskSpec
    component: ComponentSpec
    ended: Mapping[str, Result]
    words: Mapping[str, str]
    reuse: bool

    @property
    def task(self) -> str:
        """The task's id."""
        return self.scope.prefix + self.step.name


@dataclass
class PipelineScheduler:
    """Runs one pipeline. ``words`` are the run's placeholders, ``folder`` its folder."""

    pipeline: PipelineSpec
    journal: Journal
    tasks: TaskRunner
    supplier: Supplier
    words: Mapping[str, str]
    folder: Path

    def __post_init__(self) -> None:
        self.summary = Summary(self.pipeline)
        self._stopped = self.tasks.stopped

    def stop(self) -> None:
        """Start no more tasks. The caller ends the processes."""
        self._stopped.set()

    async def run(self, inputs: Inputs) -> Result:
        """Run the pipeline with ``inputs``, and return how it ended."""
        if self.pipeline.has_conditions:
            asyncio.get_running_loop().call_later(_WARM_UP, warm_up)  # while the first tasks run
        inputs = with_defaults(self.pipeline.root, inputs)
        return await self._dag(_RunningDag("", "", self.pipeline.root, inputs, reuse=True))

    async def _dag(self, scope: _RunningDag) -> Result:
        self._announce(scope.group, scope.dag, {scope.prefix: scope.index})
        return await self._through(scope)

    def _announce(self, group: str, dag: DagSpec, prefixes: Mapping[str, int | None]) -> None:
        tasks = AnnouncedTasks(dag.steps, self.pipeline.groups(dag), self.pipeline.codes(dag))
        self.journal.tasks(group, prefixes, tasks)

    async def _through(self, scope: _RunningDag) -> Result:
        """Run a DAG whose tasks are announced."""
        steps = scope.dag.steps
        scope.tasks = {name: asyncio.create_task(self._step(scope, step)) for name, step in steps.items()}
        results = {name: await task for name, task in scope.tasks.items()}
        return added_up(scope.dag, results)

    async def _step(self, scope: _RunningDag, step: TaskSpec) -> Result:
        ended = {need: await scope.tasks[need] for need in step.needs}
        verdict = self._verdict(step, ended)
        if verdict is not None:
            return self._leave_out(scope, step, verdict)
        call = self._call(scope, step, ended)
        try:
            inputs = resolve(step, call.component, scope.inputs, ended, call.words)
            if step.condition and not self._holds(call, inputs):
                return self._leave_out(scope, step, Result(RunState.SKIPPED, reused=call.reuse))
            return await (self._group if isinstance(call.component.body, DagSpec) else self._work)(
                call, inputs
            )
        except StepFault as fault:
            if isinstance(call.component.body, DagSpec):
                self.summary.never_ran(call.task, step)
            return self._failed(call, TaskError(str(fault)))

    def _holds(self, call: _Call, inputs: Inputs) -> bool:
        """Whether a task's condition holds; recorded in the journal."""
        condition = call.step.condition
        taken = holds(condition, inputs.parameters)
        self.journal.decided(call.task, decided(condition, inputs.parameters, taken=taken))
        return taken

    def _call(self, scope: _RunningDag, step: TaskSpec, ended: Mapping[str, Result]) -> _Call:
        words = {"pipeline_task_name": step.name, "pipeline_task_uuid": scope.prefix + step.name}
        reuse = scope.reuse and all(result.reused for result in ended.values())
        return _Call(
            scope, step, self.pipeline.components[step.component], ended, {**self.words, **words}, reuse
        )

    def _verdict(self, step: TaskSpec, ended: Mapping[str, Result]) -> Result | None:
        """Why ``step`` is skipped, if it is."""
        states = {result.state for result in ended.values()}
        if self._stopped.is_set():
            return Result(RunState.CANCELED)
        if states <= ({RunState.SUCCEEDED, RunState.FAILED} if step.anyway else {RunState.SUCCEEDED}):
            return None
        if RunState.CANCELED in states:
            return Result(RunState.CANCELED)
        blocked = RunState.FAILED in states or any(result.blocked for result in ended.values())
        return Result(
            RunState.SKIPPED, blocked=blocked, reused=all(result.reused for result in ended.values())
        )

    def _leave_out(self, scope: _RunningDag, step: TaskSpec, verdict: Result) -> Result:
        """Skip ``step`` and everything in it."""
        task = scope.prefix + step.name
        self.journal.state(task, verdict.state)
        body = self.pipeline.components[step.component].body
        if verdict.blocked:
            self.summary.never_ran(task, step)
        if isinstance(body, DagSpec) and step.loop is None:
            inner = _RunningDag(
                task, f"{task}/", self.pipeline.components[step.component], Inputs(), reuse=False
            )
            self._announce(task, body, {inner.prefix: None})
            for part in body.steps.values():
                self._leave_out(inner, part, replace(verdict, blocked=False))
        return verdict

    # groups of tasks

    async def _group(self, call: _Call, inputs: Inputs) -> Result:
        task, reuse, begun = call.task, call.reuse, time.monotonic()
        earlier = self.journal.done(task)
        if reuse and earlier is not None:
            return Result(RunState.SUCCEEDED, earlier.outputs, reused=True)
        for attempt in count(1):
            self.journal.started(task)
            if call.step.loop is not None:
                result = await self._loop(task, call.step.loop, call.component, inputs, reuse)
            else:
                result = await self._dag(_RunningDag(task, f"{task}/", call.component, inputs, reuse))
            pause = call.step.retries.pause(attempt, time.monotonic() - begun)
            if result.state is not RunState.FAILED or pause is None:
                break
            await self._before_another(task, result, pause)
            reuse = False  # a retry of a group runs everything in it again
        if result.state is RunState.SUCCEEDED:
            self.journal.succeeded(task, result.outputs)
        else:
            self.journal.state(task, result.state, result.error)
        return replace(result, reused=reuse and result.reused)

    async def _before_another(self, task: str, result: Result, pause: float) -> None:
        self.journal.state(task, RunState.PENDING, result.error)
        self.summary.forget(f"{task}/")
        await self.tasks.pause(pause)

    async def _loop(
        self, task: str, loop: LoopSpec, component: ComponentSpec, inputs: Inputs, reuse: bool
    ) -> Result:
        rounds = items(loop, component, inputs)
        self.journal.loop(task, len(rounds))
        assert isinstance(component.body, DagSpec)
        turns = [
            _RunningDag(task, f"{task}/{index}/", component, inner, reuse, index)
            for index, inner in enumerate(rounds)
        ]
        if loop.limit:
            limit = asyncio.Semaphore(loop.limit)
            running = [self._in_turn(limit, scope) for scope in turns]
        else:
            self._announce(task, component.body, {scope.prefix: scope.index for scope in turns})
            running = [self._through(scope) for scope in turns]
        return joined(self.pipeline, component.body, await asyncio.gather(*running))

    async def _in_turn(self, limit: asyncio.Semaphore, scope: _RunningDag) -> Result:
        async with limit:
            return await self._dag(scope)

    # tasks that run something

    async def _work(self, call: _Call, inputs: Inputs) -> Result:
        work = TaskInvocation(
            call.task,
            call.step.name,
            self.folder / "tasks" / call.task,
            call.component,
            inputs.parameters,
            inputs.artifacts,
        )
        result = await self.tasks.do(call.step, self._supplied(call, work), reuse=call.reuse)
        if result.state is RunState.FAILED and result.error:
            return self._failed(call, result.error)
        return result

    def _supplied(self, call: _Call, work: TaskInvocation) -> TaskInvocation:
        """``work`` with the resources that its step requests."""
        if not isinstance(call.component.body, PythonProgram | Container):
            return work
        scope = call.scope
        find = partial(
            resolve_name, group=scope.component, outer=scope.inputs, ended=call.ended, words=call.words
        )
        context = Context(work.parameters, work.artifacts, call.words)
        supply = self.supplier.supply(call.component.body, find, context, work.folder)
        return replace(work, supply=supply)

    def _failed(self, call: _Call, error: TaskError) -> Result:
        self.journal.state(call.task, RunState.FAILED, error)
        self.summary.failed(call.task, call.step.name, error)
        return Result(RunState.FAILED, error=error)
