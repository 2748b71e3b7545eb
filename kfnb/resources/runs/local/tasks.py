"""A single task: kept from an earlier attempt at the run, taken from the cache, or run, with retries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import Any

from kfnb.artifacts.digests import Digests
from kfnb.entities import Purpose, RunState, TaskError
from kfnb.resources.runs.local.cache import Cache
from kfnb.resources.runs.local.executor_io import TaskInvocation
from kfnb.resources.runs.local.journal import Journal
from kfnb.resources.runs.local.launcher import Launcher
from kfnb.resources.runs.local.resolve import Result
from kfnb.resources.runs.local.resource_pool import ResourcePool, Share
from kfnb.resources.runs.local.spec import Container, PipelineSpec, PythonProgram, Retries, TaskSpec
from kfnb.resources.runs.local.step_errors import StepFailed, StepFault


@dataclass
class TaskRunner:
    """Runs tasks with the resources of ``room``. ``cache`` is None if the run does not use it.

    ``digests`` are those of the artifacts that the run takes and makes, which its events record.
    """

    pipeline: PipelineSpec
    journal: Journal
    launcher: Launcher
    cache: Cache | None
    room: ResourcePool
    digests: Digests = field(default_factory=Digests)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def do(self, step: TaskSpec, work: TaskInvocation, *, reuse: bool) -> Result:
        """Do ``work``; with ``reuse``, the result of an earlier attempt at the run is kept."""
        earlier = self.journal.done(work.id)
        if reuse and earlier is not None:
            return Result(RunState.SUCCEEDED, earlier.outputs, reused=True)
        work = replace(work, artifacts=await _aside(work, lambda: self.digests.of_inputs(work.artifacts)))
        cache = self._cache(step, work)
        key = await _aside(work, lambda: cache.key(work, step.cache_key)) if cache else ""
        found = await _aside(work, lambda: cache.find(key, work)) if cache else None
        if found is not None:
            found = await _aside(work, partial(self.digests.of_outputs, found))
            self.journal.started(work.id, work.shown)
            self.journal.succeeded(work.id, found, cached=True, usage=cache.saves(key) if cache else None)
            return Result(RunState.SUCCEEDED, found)
        result = await self._attempts(step.retries, work)
        if cache and result.state is RunState.SUCCEEDED:
            # a file may have changed while the step waited or ran
            same = await _aside(work, lambda: cache.key(work, step.cache_key)) == key
            if same:
                await _aside(work, lambda: cache.store(key, work, result.outputs, result.usage))
        return result

    async def pause(self, seconds: float) -> None:
        """Wait, unless the run is stopped meanwhile."""
        with suppress(asyncio.TimeoutError, TimeoutError):
            await asyncio.wait_for(self.stopped.wait(), seconds)

    def _cache(self, step: TaskSpec, work: TaskInvocation) -> Cache | None:
        body = work.component.body
        if not step.cache or not isinstance(body, PythonProgram | Container) or body.demands.writes_to_volume:
            return None
        return self.cache

    async def _attempts(self, retries: Retries, work: TaskInvocation) -> Result:
        begun = time.monotonic()
        for attempt in count(1):
            result = await self._attempt(work)
            pause = retries.pause(attempt, time.monotonic() - begun)
            if result.state is not RunState.FAILED or pause is None:
                break
            self.journal.state(work.id, RunState.PENDING, result.error)
            await self.pause(pause)
        return result

    async def _attempt(self, work: TaskInvocation) -> Result:
        async with self.room.taken(work.id, _share(work)):
            if self.stopped.is_set():
                return self._canceled(work)
            self.launcher.warm_up(self.pipeline)
            self.journal.started(work.id, work.shown)
            meter = self.launcher.meter
            meter.begin(work)
            try:
                outputs = await self.launcher.run(work)
            except (StepFailed, StepFault) as fault:
                self.journal.used(work.id, meter.end(work, Purpose.FAILED))
                if self.stopped.is_set():
                    return self._canceled(work)
                error = fault.error if isinstance(fault, StepFailed) else TaskError(str(fault))
                return Result(RunState.FAILED, error=error)
            usage = meter.end(work, Purpose.WORK)
            outputs = await _aside(work, partial(self.digests.of_outputs, outputs))
            self.journal.succeeded(work.id, outputs, usage=usage)
            return Result(RunState.SUCCEEDED, outputs, usage=usage)

    def _canceled(self, work: TaskInvocation) -> Result:
        self.journal.state(work.id, RunState.CANCELED)
        return Result(RunState.CANCELED)


def _share(work: TaskInvocation) -> Share:
    """The resources that a task takes. Containers are not sampled, so they count as explicit requests."""
    supply = work.supply
    return Share(
        supply.cores, supply.gpus, explicit=supply.explicit or isinstance(work.component.body, Container)
    )


async def _aside(work: TaskInvocation, action: Callable[[], Any]) -> Any:
    """Do ``action`` with artifacts or the cache: in a thread if files may be read, so that other tasks continue."""
    if work.artifacts or work.component.output_artifacts:
        return await asyncio.to_thread(action)
    return action()
