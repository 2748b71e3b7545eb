"""Completion of the magics' words: options, and the names of components, pipelines, settings and runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from kfnb import api, config, options, searching, spawning
from kfnb.errors import KfnbError
from kfnb.pipeline.workspace import Workspace

Words = Callable[[Workspace], Iterable[str]]


def _nothing(_current: Workspace) -> Iterable[str]:
    return ()


def _components(current: Workspace) -> Iterable[str]:
    return current.notebook.components


def _pipelines(current: Workspace) -> Iterable[str]:
    return current.pipelines


def _shown(current: Workspace) -> Iterable[str]:
    return [*current.notebook.components, *current.pipelines]


def _arguments(current: Workspace) -> Iterable[str]:
    """The pipelines, and the parameters that their arguments are for."""
    params = {*current.notebook.parameters}
    params |= {param.name for one in current.notebook.components.values() for param in one.options.params}
    return [*current.pipelines, *(f"--{name}" for name in sorted(params))]


def _settings(_current: Workspace) -> Iterable[str]:
    return [f"{name}=" for name in config.names()]


def _runs(_current: Workspace) -> Iterable[str]:
    with suppress(KfnbError):  # where runs go cannot be asked
        yield from (run.id for run in api.runs())


def _schedules(current: Workspace) -> Iterable[str]:
    """What a pipeline is scheduled with, and the schedules that there are."""
    yield from _arguments(current)
    with suppress(KfnbError):  # no cluster is known here, or it cannot be asked
        yield from (one.id for one in api.schedules())


def _studies(_current: Workspace) -> Iterable[str]:
    return [study.name for study in searching.studies()]


def _notebooks(_current: Workspace) -> Iterable[str]:
    yield from options.NOTEBOOK_VERBS
    with suppress(KfnbError):  # no cluster is known here, or it cannot be asked
        yield from (one.name for one in spawning.notebooks())


_WORDS: dict[str, tuple[Callable[[], options.Parser], Words]] = {
    "%kf_config": (options.config, _settings),
    "%%kf_component": (options.component, _nothing),
    "%%kf_parameters": (options.parameters, _nothing),
    "%%kf_setup": (options.setup, _nothing),
    "%kf_pipeline": (options.pipeline_line, _components),
    "%%kf_pipeline": (options.pipeline_cell, _nothing),
    "%kf_show": (options.show, _shown),
    "%kf_compile": (options.compile_, _pipelines),
    "%kf_submit": (options.submit, _arguments),
    "%kf_run": (options.run, _runs),
    "%kf_runs": (options.runs, _nothing),
    "%kf_notebook": (options.notebook, _notebooks),
    "%kf_compare": (options.compare, _runs),
    "%kf_logs": (options.logs, _runs),
    "%kf_stop": (options.stop, _runs),
    "%kf_retry": (options.retry, _runs),
    "%kf_archive": (options.archive, _runs),
    "%kf_delete": (options.delete, _runs),
    "%kf_experiments": (options.experiments, _nothing),
    "%kf_upload": (options.upload, _pipelines),
    "%kf_schedule": (options.schedule, _schedules),
    "%kf_tune": (options.tune_line, _shown),
    "%%kf_tune": (options.tune_cell, _nothing),
    "%kf_study": (options.study, _studies),
    "%kf_studies": (options.studies, _nothing),
}


def complete(magic: str, begun: str, current: Workspace) -> list[str]:
    """The words that may stand after ``magic`` and begin with ``begun``."""
    parser, words = _WORDS[magic]
    return [word for word in (*parser().options, *words(current)) if word.startswith(begun)]
