"""Completion: the words that fit, best first. It never raises, and never waits long for who does not answer."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from kfnb import settings
from kfnb.commands.expected import Expected, expected
from kfnb.commands.parser import Parser
from kfnb.pipeline.workspace import Workspace
from kfnb.resources.notebooks.api import notebooks
from kfnb.resources.runs import api
from kfnb.resources.studies import api as searching
from kfnb.resources.studies.algorithms import ALGORITHMS, EARLY_STOPPING

PATIENCE = 0.2
"""Seconds that a completion waits for what has to be asked for: runs, studies, schedules, notebooks."""

MOST_RUNS = 50
_COMPILED = (".yaml", ".yml", ".json", ".py")
_FRESH = 2.0

Given: TypeAlias = Mapping[str, tuple[str, ...]]


class Asked:
    """Answers that may be slow, by what was asked. Each question is asked in a thread, one at a time.

    Where the answer takes longer than ``PATIENCE`` seconds, that of before is given; the new one is there next time.
    """

    def __init__(self) -> None:
        self._answers: dict[Any, tuple[float, tuple[str, ...]]] = {}
        self._open: dict[Any, threading.Thread] = {}

    def __call__(self, question: Any, ask: Callable[[], Iterable[str]]) -> tuple[str, ...]:
        """The answer to a question."""
        moment, known = self._answers.get(question, (float("-inf"), ()))
        if time.monotonic() - moment < _FRESH:
            return known
        thread = self._open.get(question)
        if thread is None or not thread.is_alive():
            thread = threading.Thread(target=self._find, args=(question, ask), daemon=True)
            self._open[question] = thread
            thread.start()
        thread.join(PATIENCE)
        return self._answers.get(question, (0.0, ()))[1]

    def _find(self, question: Any, ask: Callable[[], Iterable[str]]) -> None:
        with suppress(Exception):  # whatever a backend raises: there is nothing to offer then
            self._answers[question] = (time.monotonic(), tuple(ask()))


asked = Asked()


@dataclass(frozen=True)
class Around:
    """Where words are completed: the ``workspace`` of a notebook, and its ``names``; nothing of both in a terminal."""

    workspace: Workspace | None = None
    names: Mapping[str, Any] = field(default_factory=dict)

    def named(self, kind: str) -> list[str]:
        """The notebook's names, the newest first, that are bound to an object of a class of that name."""
        own = [name for name in self.names if not name.startswith("_")]
        return [name for name in reversed(own) if type(self.names[name]).__name__ == kind]


def complete(parser: Parser, before: Sequence[str], begun: str, around: Around) -> list[str]:
    """The words that may stand after the words ``before`` and begin with ``begun``, best first."""
    try:
        found = expected(parser, before, begun)
        fitting = dict.fromkeys(word for word in _words(found, around) if word.startswith(found.begun))
    except Exception:  # a completion that cannot be made is none
        return []
    lead = begun.removesuffix(found.begun) if found.begun else begun
    return [lead + word for word in fitting]


def _words(found: Expected, around: Around) -> Iterator[str]:
    if isinstance(found.values, tuple):
        yield from found.values
    else:
        yield from KINDS[found.values](found, around)
    if found.arguments:
        for name in parameters(_subject(found.given), around):
            if f"--{name}" not in found.given:
                yield f"--{name}"
    yield from found.options


def _subject(given: Given) -> str:
    return next((given[name][0] for name in ("pipeline", "subject") if name in given), "")


def parameters(subject: str, around: Around) -> list[str]:
    """The names of the parameters of a pipeline or a component of the notebook, or of a compiled file."""
    if around.workspace is not None and subject in around.workspace.notebook.components:
        return [one.name for one in around.workspace.notebook.components[subject].options.params]
    if around.workspace is not None and subject in around.workspace.pipelines:
        return list(_wired(around.workspace, subject))
    if Path(subject).suffix in (".yaml", ".yml", ".json") and Path(subject).is_file():
        spec = api.spec_of(subject).spec
        return list(spec["root"].get("inputDefinitions", {}).get("parameters", {}))
    return []


def _wired(workspace: Workspace, name: str) -> tuple[str, ...]:
    """The parameters of a pipeline as it is now; none of one that does not fit together."""
    pipeline = workspace.pipelines[name]
    components = tuple((one.name, one.cell.order) for one in workspace.notebook.components.values())
    return asked(("parameters", id(pipeline), components), lambda: api.built(pipeline).wired.params)


def _files(begun: str, endings: tuple[str, ...] = ()) -> Iterator[str]:
    """The files and folders whose paths begin so; folders only where some of the path is typed."""
    folder, _, start = begun.rpartition("/")
    place = Path(folder or ("/" if begun.startswith("/") else ".")).expanduser()
    lead = f"{folder}/" if "/" in begun else ""
    with os.scandir(place) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.name.startswith(".") and not start.startswith("."):
            continue
        if entry.is_dir():
            yield from [f"{lead}{entry.name}/"] if begun else []
        elif not endings or entry.name.endswith(endings):
            yield lead + entry.name


def _pipelines(found: Expected, around: Around) -> Iterator[str]:
    if around.workspace is not None:
        yield from reversed(around.workspace.pipelines)
    yield from _files(found.begun, _COMPILED)


def _components(found: Expected, around: Around) -> Iterator[str]:
    if around.workspace is not None:
        yield from (
            name for name in around.workspace.notebook.components if name not in found.given.get("steps", ())
        )


def _subjects(found: Expected, around: Around) -> Iterator[str]:
    if around.workspace is not None:
        yield from reversed(around.workspace.pipelines)
        yield from around.workspace.notebook.components
    yield from _files(found.begun, _COMPILED)


def _runs(found: Expected, around: Around) -> Iterator[str]:
    before = {*found.given.get("run", ()), *found.given.get("runs", ())}
    yield from (name for name in around.named("Run") if name not in before)
    ids = asked(("runs", settings.settings().backend), lambda: (run.id for run in api.runs(limit=MOST_RUNS)))
    yield from (id for id in ids if id not in before)


def _tasks(found: Expected, around: Around) -> Iterator[str]:
    run = found.given.get("run", ("",))[0]
    held = around.names.get(run) if type(around.names.get(run)).__name__ == "Run" else None

    def ask() -> list[str]:
        tasks = (held or api.run(run)).snapshot().tasks
        return list(dict.fromkeys(task.name for task in tasks if not task.group))

    yield from asked(("tasks", held.id if held else run), ask)


def _studies(_found: Expected, around: Around) -> Iterator[str]:
    yield from around.named("Study")
    yield from asked(
        ("studies", settings.settings().backend), lambda: (study.name for study in searching.studies())
    )


def _schedules(_found: Expected, _around: Around) -> Iterable[str]:
    return asked("schedules", lambda: (one.id for one in api.schedules()))


def _experiments(_found: Expected, _around: Around) -> Iterable[str]:
    return asked(
        ("experiments", settings.settings().backend), lambda: (one.name for one in api.experiments())
    )


def _notebooks(_found: Expected, _around: Around) -> Iterable[str]:
    return asked("notebooks", lambda: (one.name for one in notebooks()))


def _settings(found: Expected, _around: Around) -> Iterator[str]:
    name, equals, value = found.begun.partition("=")
    if not equals:
        yield from (f"{one}=" for one in settings.names())
    elif name.endswith("_file") or name in ("home", "secrets"):
        yield from (f"{name}={path}" for path in _files(value))
    elif name in settings.names():
        yield from (f"{name}={one}" for one in settings.choices(name))


def _algorithm_settings(found: Expected, _around: Around) -> Iterator[str]:
    algorithm = found.given.get("algorithm", ("tpe",))[-1]
    early = found.given.get("early_stopping", ("",))[-1]
    yield from (f"{name}=" for name in (*ALGORITHMS.get(algorithm, ()), *EARLY_STOPPING.get(early, ())))


def _arguments(found: Expected, around: Around) -> Iterable[str]:
    return parameters(_subject(found.given), around)


KINDS: dict[str, Callable[[Expected, Around], Iterable[str]]] = {
    "algorithm setting": _algorithm_settings,
    "argument": _arguments,
    "component": _components,
    "experiment": _experiments,
    "file": lambda found, _around: _files(found.begun),
    "notebook": _notebooks,
    "pipeline": _pipelines,
    "run": _runs,
    "schedule": _schedules,
    "setting": _settings,
    "study": _studies,
    "subject": _subjects,
    "task": _tasks,
    "variable": lambda _found, _around: sorted(os.environ),
}
"""What each kind of word may be."""
