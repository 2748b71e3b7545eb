"""The public functions of models."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kfnb.entities import Artifact, RunSnapshot
from kfnb.errors import RunNotFound, UsageError, did_you_mean
from kfnb.resources.models import measured
from kfnb.resources.models.checks import check_alias, check_metrics, check_name
from kfnb.resources.models.engine import ModelRegistry, VersionQuery
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.models.leaderboard import Leaderboard, entries_of, ranked
from kfnb.resources.models.location import owner as user
from kfnb.resources.models.location import registry_folder
from kfnb.resources.models.model import (
    AliasChange,
    AliasHistory,
    RegisteredModel,
)
from kfnb.resources.models.packing import Packing, packed
from kfnb.resources.models.promotion import CHAMPION
from kfnb.resources.models.promotion import rollback as roll_back
from kfnb.resources.models.reference import parse, resolve
from kfnb.resources.models.registration import Registration, draft_of, source_of
from kfnb.resources.models.registration import registered as registered_as
from kfnb.resources.models.traces import ModelRecords
from kfnb.target import backend_name
from kfnb.text.timespec import instant

if TYPE_CHECKING:
    from kfnb.resources.runs.handle import Run

_DATA = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}@[1-9][0-9]*")


def register(  # noqa: PLR0913 - what is known of a model; they are keywords
    model: Any,
    name: str,
    *,
    run: str | Run | RunSnapshot | None = None,
    metrics: Mapping[str, float] | None = None,
    parameters: Mapping[str, Any] | None = None,
    data: Any = None,
    transform: Any = None,
    alias: str | None = None,
    description: str = "",
    tags: Mapping[str, str] | None = None,
    example: Any = None,
    pickle: bool = False,
    trust: Sequence[str] = (),
    backend: str | None = None,
    notify: Callable[[str], None] = print,
) -> ModelVersion:
    """Register a model as a version of the model ``name``. Content that it has already is the same version.

    ``model`` is a value, an ``Artifact`` of a run, or the path of a file or model folder. ``run`` is the run that made
    it, which gives metrics and parameters unless they are given. ``data`` are the versions of data sets, such as
    ``"churn-data@2"``, that it was made of and measured on. ``transform`` is the object of a ``%%kf_transform`` cell,
    which makes of rows what the model takes. ``alias`` names the version. ``example`` is a DataFrame or an array that
    the model takes, or the transform; up to 100 rows are kept. ``pickle`` allows a pickle, which executes code when it
    is loaded, and ``trust`` names types that are not known to be safe. ``backend`` is ``local``, the default, or
    ``kubeflow``. ``notify`` is called with what becomes of metrics and words for content that was there already.
    Raises ``UsageError``, ``BackendError``.
    """
    check_name(name)
    if alias is not None:
        check_alias(alias)
    known = _known(model, _run(run), metrics, parameters, _data(data))
    known = replace(
        known,
        name=name,
        description=description or known.description,
        tags={str(key): str(value) for key, value in (tags or {}).items()},
    )
    registry = registry_of(backend_name(backend) if backend else None)
    how = Packing(example, transform, pickle, trust)
    with packed(model, how) as folder:
        kept, notes = registered_as(registry, draft_of(known, folder, user()), folder)
    version = ModelVersion(registry, kept)
    for text in how.remarks:
        warnings.warn(text, stacklevel=2)
    for note in notes:
        notify(note)
    if alias is not None:
        version.promote(alias, because="registered")
    return version


def model(ref: str | ModelVersion) -> ModelVersion:
    """A version: ``churn@3``, ``churn@champion``, or the newest for ``churn``. Raises ``UsageError``."""
    if isinstance(ref, ModelVersion):
        return ref
    reference = parse(ref)
    registry = registry_of(reference.backend)
    return ModelVersion(registry, resolve(registry, reference))


def models(  # noqa: PLR0913 - how versions are chosen and ranked; they are keywords
    name: str | None = None,
    *,
    by: str | None = None,
    owner: str | None = None,
    since: str | float | datetime | None = None,
    data: str | None = None,
    alias: str | None = None,
    tag: str | None = None,
    archived: bool = False,
    runs: bool = False,
    maximize: bool | None = None,
    backend: str | None = None,
) -> Leaderboard:
    """The leaderboard: versions of all users' models, best first by the metric ``by``.

    What was measured on the same version of the data is ranked together. ``since`` is a moment or a span before now
    (``"7d"``), ``tag`` is ``name`` or ``name=value``. With ``runs``, the metrics of runs and the best trials of studies
    are listed too. ``backend`` is ``local`` or ``kubeflow``, by default ``local``. Raises ``UsageError``,
    ``BackendError``.
    """
    query = VersionQuery(
        name=check_name(name) if name else "",
        owner=owner or "",
        data=_data_ref(data) if data else "",
        alias=alias or "",
        tag=tag or "",
        since=None if since is None else instant(since),
        archived=archived,
        outline=not runs,
    )
    registry = registry_of(backend_name(backend) if backend else None)
    versions = registry.versions(query)
    entries = [entry for one in versions for entry in entries_of(one, registry.name, query.data)]
    if runs:
        entries += [*measured.of_runs({one.source.id for one in versions}), *measured.of_studies()]
    board = ranked(entries, by or "", maximize=maximize, only=name or "")
    board.chosen = any((owner, since, data, alias, tag))
    return board


def registered() -> list[RegisteredModel]:
    """All models, by name, without their versions."""
    return registry_of().models()


def history(name: str) -> AliasHistory:
    """The changes of a model's aliases, newest first. Raises ``UsageError``."""
    reference = parse(name)
    changes = registry_of(reference.backend).history(reference.name)
    return AliasHistory(one for one in changes if reference.alias in ("", one.alias))


def artifact_of(run: str | Run | RunSnapshot, text: str) -> Artifact:
    """The artifact ``task.output`` of a run. Raises ``UsageError``, ``RunNotFound``."""
    found = _run(run)
    assert found is not None
    known = {
        f"{task.name}.{name}": value
        for task in found.tasks
        for name, value in task.outputs.items()
        if isinstance(value, Artifact)
    }
    if text not in known:
        hint = did_you_mean(text, known, f"it has {', '.join(known)}" if known else "it has none")
        raise UsageError(f"run {found.id} has no artifact {text}", code="not-found", hint=hint, ref=text)
    return known[text]


def rollback(name: str, alias: str = CHAMPION, because: str = "") -> AliasChange:
    """Let an alias of a model name the version that it named before. Raises ``UsageError``, ``Conflict``."""
    reference = parse(name)
    return roll_back(registry_of(reference.backend), reference.name, alias, by=user(), because=because)


def registry_of(backend: str | None = None) -> ModelRegistry:
    """The registry of a backend, by default this machine's. Raises ``BackendError`` if no cluster is known."""
    if backend == "kubeflow":
        from kfnb.resources.models.kubeflow import connect

        return connect()
    from kfnb.resources.models.local.engine import LocalRegistry

    return LocalRegistry(registry_folder())


def records() -> ModelRecords:
    """The versions of the registry of this machine, as the catalog reads them."""
    return ModelRecords(registry_of("local"), str(registry_folder()))


def is_run_known(version: ModelVersion) -> bool:
    """Whether the run that made a version is there; runs on a cluster are not asked for."""
    source = version.snapshot().source
    if source.kind != "kfp" or source.backend != "local":
        return True
    from kfnb.resources.runs.api import handles

    try:
        handles(source.id)
    except RunNotFound:
        return False
    return True


def _known(
    model: Any,
    run: RunSnapshot | None,
    metrics: Mapping[str, float] | None,
    parameters: Mapping[str, Any] | None,
    data: tuple[str, ...],
) -> Registration:
    """What is known of a model: what is given, else what ``kf.save`` was given, else what its run has."""
    saved = measured.saved_with(model)
    of_run = measured.metrics_of(run) if run else {}
    return Registration(
        metrics=check_metrics(metrics if metrics is not None else saved.get("metrics") or of_run),
        parameters=dict(parameters if parameters is not None else run.arguments if run else {}),
        data=data or tuple(filter(None, [str(saved.get("data") or "")])) or _data_behind(run, model),
        source=source_of(run),
        description=str(saved.get("description") or ""),
    )


def _data_behind(run: RunSnapshot | None, model: Any) -> tuple[str, ...]:
    """The data of the task that made an artifact, and of those before it."""
    if run is None or not isinstance(model, Artifact):
        return ()
    from kfnb.resources.models.saved import data_behind

    makers = [one for one in run.tasks if any(model == output for output in one.outputs.values())]
    return data_behind(run, makers[0]) if makers else ()


def _run(run: Any) -> RunSnapshot | None:
    if run is None or isinstance(run, RunSnapshot):
        return run
    from kfnb.resources.runs.api import handles

    return handles(run)[0].snapshot()


def _data(data: Any) -> tuple[str, ...]:
    """The versions of data sets that are given, which have to exist. Raises ``UsageError``."""
    if data is None:
        return ()
    from kfnb.resources.datasets.api import dataset

    given: Iterable[Any] = data if isinstance(data, list | tuple) else (data,)
    return tuple(dataset(_data_ref(one)).ref for one in given)


def _data_ref(data: Any) -> str:
    ref = str(getattr(data, "ref", data))
    if not _DATA.fullmatch(ref):
        message = f"data={ref!r}: give a version of a data set"
        raise UsageError(message, code="invalid-argument", hint="such as churn-data@2", ref=ref)
    return ref
