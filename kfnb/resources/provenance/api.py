"""The public functions of provenance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kfnb import target
from kfnb.entities import RunState
from kfnb.entities.manifest import Manifest, RunRecord
from kfnb.errors import BackendError, NotFound, RunNotFound, UsageError
from kfnb.resources.models import api as models
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.provenance import assembly
from kfnb.resources.provenance.diff import ManifestDiff, difference
from kfnb.resources.provenance.exports.cyclonedx import cyclonedx
from kfnb.resources.provenance.exports.pylock import pylock
from kfnb.resources.provenance.exports.ro_crate import ro_crate
from kfnb.resources.provenance.exports.slsa import slsa
from kfnb.resources.provenance.judging import judged
from kfnb.resources.provenance.lock import other_builds
from kfnb.resources.provenance.rerun import again
from kfnb.resources.runs import api as runs
from kfnb.resources.runs.handle import Run
from kfnb.resources.services import api as services
from kfnb.resources.services.handle import Service
from kfnb.resources.studies import api as studies
from kfnb.resources.studies.handle import Study
from kfnb.settings import choices, settings

PYLOCK = "pylock"
FORMATS: dict[str, Callable[[Manifest], str]] = {
    "cyclonedx": cyclonedx,
    "ro-crate": ro_crate,
    "slsa": slsa,
    PYLOCK: pylock,
}
"""The formats that a manifest is exported in, by name."""

_MOST_RUNS = 1000
"""How far back the newest run of a stage is looked for."""


def manifest(ref: Any = None) -> Manifest:
    """What something was made with, and where, in ten layers; without ``ref``, of this kernel.

    ``ref`` is a run's id or its start, a version of a model (``churn@3``, ``churn@champion``), the name of a model, a
    service or a study (``service:churn`` where several have it), a stage (``prod``: its newest run), ``here``, or a
    run, a study, a version, a service or a manifest itself. ``local:`` and ``kubeflow:`` before it select a backend.
    Raises ``NotFound``, ``UsageError`` and ``BackendError``.
    """
    if ref is None or ref == assembly.HERE:
        return assembly.of_kernel()
    if isinstance(ref, Manifest):
        return ref
    thing = _named(ref) if isinstance(ref, str) else ref
    for kind, of in _OF.items():
        if isinstance(thing, kind):
            return of(thing)
    raise UsageError(
        f"{type(ref).__name__} has no manifest:",
        hint="give a run, a study, a version of a model, or a service",
    )


def diff(a: Any, b: Any = assembly.HERE) -> ManifestDiff:
    """What differs between two things, layer by layer, how much it matters for results, and why.

    Each is what ``manifest`` takes, ``b`` is judged against ``a``; of two runs that have succeeded, the verdict says
    how far their results agree, and what most likely explains that they do not. Raises as ``manifest`` does.
    """
    before, after = _run_or_thing(a), _run_or_thing(b)
    found = difference(manifest(before), manifest(after))
    if not (isinstance(before, Run) and isinstance(after, Run)):
        return found
    one, other = before.snapshot(), after.snapshot()
    if one.state is other.state is RunState.SUCCEEDED:
        found = found.of_what_ran()
        return replace(found, verdict=judged(one, other, found))
    return found


def _run_or_thing(ref: Any) -> Any:
    """What a text names, looked up once; other things as they are."""
    return _named(ref) if isinstance(ref, str) and ref != assembly.HERE else ref


def rerun(
    ref: Any, *, backend: str | None = None, here: bool = False, notify: Callable[[str], None] = print
) -> Run:
    """Start what made a thing again: its code, arguments and data versions, with the packages that were recorded.

    ``ref`` is a run, or a version of a model, a service or a study, for the run that made it. ``backend`` defaults to
    where that ran. With ``here`` each step gets the packages that it asks for, from this environment if it has them.
    ``kfnb.diff`` of both runs has the verdict. Raises ``UsageError`` and ``BackendError`` before anything has started,
    naming all data and packages that are not available.
    """
    original = made_by(ref)
    chosen = runs.engine_of(backend or original.backend)
    submission = again(original, manifest(original), local=chosen.name == "local", here=here, notify=notify)
    if submission.packages and chosen.name == "local":
        python = runs.prepare(submission)
        other = list(other_builds(manifest(original), python)) if python else []
        if other:
            notify(f"note: other builds of the same versions: {', '.join(other)}")
    return Run(chosen, chosen.submit(submission))


def made_by(ref: Any) -> Run:
    """The run that made what a reference names. Raises ``NotFound`` and ``UsageError``."""
    thing = _run_or_thing(ref)
    if isinstance(thing, Service):
        serving = thing.snapshot().desired.targets[0]
        thing = models.model(f"{serving.registry}:{serving.model}@{serving.version}")
    if isinstance(thing, ModelVersion) and thing.run:
        return runs.run(f"{thing.snapshot().source.backend}:{thing.run}")
    if isinstance(thing, Study):
        best = thing.snapshot().best
        if best is not None and best.run:
            return runs.run(f"{thing.snapshot().backend}:{best.run}")
    if isinstance(thing, Run):
        return thing
    raise UsageError(
        f"{getattr(thing, 'ref', ref)} was not made by a run that is known:",
        hint="give a run, or a version of a model that a run saved",
    )


def export(found: Manifest, form: str) -> str:
    """A manifest as the text of another tool's format, one of ``FORMATS``. Raises ``UsageError``, ``BackendError``."""
    return pylock(found, settings().index_urls) if form == PYLOCK else FORMATS[form](found)


def _named(ref: str) -> Run | ModelVersion | Service | Study:
    """What a reference names. Raises ``NotFound`` and ``UsageError``."""
    backend, rest = target.split_reference(ref)
    kind, colon, name = rest.partition(":")
    if colon and kind in _KINDS:
        return _KINDS[kind](f"{backend}:{name}" if backend else name)
    if ref in choices("stage") and ref:
        return _newest_of(ref)
    if "@" in rest:
        return models.model(ref)
    unreachable: BackendError | None = None
    for find in _KINDS.values():
        try:
            return find(ref)
        except (NotFound, UsageError) as error:  # it may be the name of something else
            if isinstance(error, RunNotFound) and error.hint:  # it is the start of several ids
                raise
        except BackendError as error:
            unreachable = unreachable or error
    if unreachable is not None:
        raise unreachable
    hint = "give a run, a version of a model (churn@3), or the name of a model, a service or a study"
    raise NotFound(f"unknown reference {ref}:", hint=hint, ref=ref)


def _newest_of(stage: str) -> Run:
    """The newest run with the label of a stage. Raises ``NotFound``."""
    for one in runs.runs(limit=_MOST_RUNS):
        if one.environment.get("stage") == stage:
            return runs.run(one.id)
    hint = f"%kf_config stage={stage} labels the runs that are started after it"
    raise NotFound(f"no run has the stage {stage}:", hint=hint, ref=stage)


def _of_run(run: Run) -> Manifest:
    return assembly.of_run(run.snapshot(), run.recorded())


def _of_version(version: ModelVersion) -> Manifest:
    known = version.snapshot()
    try:
        made = _of_run(runs.run(f"{known.source.backend}:{version.run}")) if version.run else None
    except NotFound:  # it was deleted, or is another home's
        made = None
    return assembly.of_version(known, made, known.source.task)


def _of_service(service: Service) -> Manifest:
    known = service.snapshot()
    serving = known.desired.targets[0]
    version = _of_version(models.model(f"{serving.registry}:{serving.model}@{serving.version}"))
    return assembly.of_service(known, version)


def _of_study(study: Study) -> Manifest:
    known = study.snapshot()
    best = known.best
    made = _of_run(runs.run(f"{known.backend}:{best.run}")) if best is not None and best.run else None
    return assembly.of_study(known, made, RunRecord() if made else study.recorded())


_KINDS: dict[str, Callable[[str], Run | ModelVersion | Service | Study]] = {
    "model": models.model,
    "service": services.service,
    "study": studies.study_of,
    "run": runs.run,
}
"""What a reference may name, by the word before it; looked for in this order where there is none."""

_OF: dict[type, Callable[[Any], Manifest]] = {
    Run: _of_run,
    ModelVersion: _of_version,
    Service: _of_service,
    Study: _of_study,
}
