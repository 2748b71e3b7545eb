"""The content of artifacts, read for the views, which fetch nothing."""

from __future__ import annotations

from collections.abc import Iterable

from kfnb import entities
from kfnb.artifacts.preview import preview
from kfnb.diagnostics import logger
from kfnb.entities import Artifact, Preview, Task
from kfnb.resources.runs.costs import cost_words
from kfnb.resources.runs.view.run import draw_run
from kfnb.ui.mount_point import Home

_logger = logger(__package__)

_READ = ("system.HTML", "system.Markdown")
_SHOWN_BY_METADATA = ("system.Metrics", "system.ClassificationMetrics")
_LONGEST = 2_000_001


class Drawing:
    """Draws the static view of a run, with its reports, which are read once. ``home`` marks it for a page."""

    def __init__(self, home: Home | None = None) -> None:
        self._home = home
        self._texts: dict[str, str] = {}

    def __call__(self, run: entities.RunSnapshot) -> dict[str, str]:
        """The run as a mimebundle."""
        for task in run.tasks:
            for artifact in _reports(task):
                if not self._texts.get(artifact.uri):
                    self._texts[artifact.uri] = _text(artifact)
        return draw_run(run, self._texts, home=self._home, cost=cost_words(run))


def texts_of(task: Task) -> dict[str, str]:
    """The texts of a task's reports, by URI."""
    return {artifact.uri: _text(artifact) for artifact in _reports(task)}


def previews_of(task: Task) -> dict[str, Preview]:
    """The beginnings of a task's other artifacts, by URI."""
    return {
        artifact.uri: preview(artifact)
        for artifact in _artifacts(task)
        if artifact.type not in (*_READ, *_SHOWN_BY_METADATA)
    }


def _artifacts(task: Task) -> Iterable[Artifact]:
    for value in (*task.inputs.values(), *task.outputs.values()):
        items = value if isinstance(value, list | tuple) else (value,)
        yield from (item for item in items if isinstance(item, Artifact))


def _reports(task: Task) -> Iterable[Artifact]:
    return (artifact for artifact in task.artifacts.values() if artifact.type in _READ)


def _text(artifact: Artifact) -> str:
    try:
        with artifact.open("r") as file:
            return str(file.read(_LONGEST))
    except Exception:  # fsspec's file systems raise anything: the artifact is shown without its content
        _logger.debug("Cannot read the content of artifact %s.", artifact.name, exc_info=True)
        return ""
