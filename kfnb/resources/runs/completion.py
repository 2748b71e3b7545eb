"""Completion of runs and their tasks."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.commands import completion
from kfnb.commands.bound_names import resolved
from kfnb.commands.completion import Around, Values
from kfnb.commands.expected import Expected
from kfnb.resources.runs import api
from kfnb.resources.runs.handle import Run
from kfnb.resources.services.api import services
from kfnb.settings import settings

MOST_RUNS = 50


def _runs(found: Expected, around: Around) -> Iterator[str]:
    before = {*found.given.get("run_id", ()), *found.given.get("runs", ())}
    yield from (name for name in around.named("Run") if name not in before)
    ids = completion.answers(
        ("runs", settings().backend), lambda: (run.id for run in api.runs(limit=MOST_RUNS))
    )
    yield from (id for id in ids if id not in before)


def _tasks(found: Expected, around: Around) -> Iterator[str]:
    run = found.given.get("run_id", ("",))[0]
    held = resolved(around.names, run, Run)

    def names() -> list[str]:
        tasks = api.handles(held)[0].snapshot().tasks
        return list(dict.fromkeys(task.name for task in tasks if not task.group))

    yield from completion.answers(("tasks", run if isinstance(held, str) else held.id), names)


def _logged(found: Expected, around: Around) -> Iterator[str]:
    yield from _runs(found, around)
    yield from around.named("Service")
    yield from completion.answers(
        ("services", settings().backend, settings().home), lambda: (one.name for one in services())
    )


VALUES: dict[str, Values] = {"logged": _logged, "run": _runs, "task": _tasks}
