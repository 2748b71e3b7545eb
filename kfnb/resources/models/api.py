"""The public functions of models."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kfnb.entities import RunSnapshot, Task
from kfnb.errors import NotFound, UsageError
from kfnb.resources.models.checks import (
    check_alias,
    check_metrics,
    check_name,
    check_tags,
    is_data_version,
)
from kfnb.resources.models.engine import ModelRegistry, VersionQuery
from kfnb.resources.models.from_runs import run_snapshot
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.models.leaderboard import Leaderboard, LeaderboardQuery, ranked
from kfnb.resources.models.leaderboard_entries import entries_in, metrics_of
from kfnb.resources.models.location import registry_folder
from kfnb.resources.models.model import (
    AliasChange,
    AliasHistory,
    RegisteredModel,
)
from kfnb.resources.models.packer import Packing, packed
from kfnb.resources.models.promotion import CHAMPION
from kfnb.resources.models.promotion import rollback as roll_back
from kfnb.resources.models.reference import parse, resolve
from kfnb.resources.models.registration import Registration, draft_of, maker_of, register_draft, source_of
from kfnb.resources.models.run_data import data_behind, data_of_saved
from kfnb.resources.models.saved_metadata import saved_with
from kfnb.settings import owner as user
from kfnb.target import BACKENDS, backend_name
from kfnb.text.timespec import instant

if TYPE_CHECKING:
    from kfnb.resources.models.kubeflow.traces import ClusterModelRecords
    from kfnb.resources.models.local.traces import ModelRecords
    from kfnb.resources.runs.handle import Run

ALL = "all"
"""The backend of a leaderboard over all registries."""


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
    """Register a model as a version of the model ``name``. Registering the same content again returns the same version.

    ``model`` is a value, an ``Artifact`` of a run, or the path of a file or model folder. ``run`` is the run that made
    it, which gives metrics and parameters unless they are given. ``data`` are the versions of data sets, such as
    ``"churn-data@2"``, that it was made of and measured on. ``transform`` is the object of a ``%%kf_transform`` cell,
    which makes of rows what the model takes. ``alias`` names the version. ``example`` is a DataFrame or an array that
    the model takes, or the transform; up to 100 rows are kept. ``pickle`` allows a pickle, which executes code when it
    is loaded, and ``trust`` names types that are not known to be safe. ``backend`` is ``local``, the default, or
    ``kubeflow``. ``notify`` gets notes on content that was there already. Raises ``UsageError``, ``BackendError``.
    """
    check_name(name)
    if alias is not None:
        check_alias(alias)
    known = _known(model, run_snapshot(run), metrics, parameters, _data(data))
    known = replace(
        known,
        name=name,
        description=description or known.description,
        tags=check_tags(tags or {}),
    )
    registry = registry_of(backend_name(backend) if backend else None)
    how = Packing(example, transform, pickle, trust)
    with packed(model, how) as folder:
        kept, notes = register_draft(registry, draft_of(known, folder, user()), folder)
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
    namespace: str | None = None,
    archived: bool = False,
    runs: bool = False,
    maximize: bool | None = None,
    backend: str | None = None,
) -> Leaderboard:
    """The leaderboard: versions of all users' models, best first by the metric ``by``.

    What was measured on the same data is ranked together, by the digest of the data. ``since`` is a moment or a span
    before now (``"7d"``), ``tag`` is ``name`` or ``name=value``, ``namespace`` that of the run that made a version.
    With ``runs``, the metrics of runs and the best trials of studies are listed too; ``name`` is then also the name of
    their pipeline or study. ``backend`` is ``local`` (the default), ``kubeflow`` or ``all`` for both. Raises
    ``UsageError``, ``BackendError``.
    """
    query = LeaderboardQuery(
        name, by, owner, since, data, alias, tag, namespace, archived, runs, maximize, backend
    )
    return leaderboard(query)


def leaderboard(query: LeaderboardQuery) -> Leaderboard:
    """The leaderboard that a query is about. Raises ``UsageError``, ``BackendError``."""
    chosen = VersionQuery(
        name=check_name(query.name) if query.name else "",
        owner=query.owner or "",
        data=_data_ref(query.data) if query.data else "",
        data_digest=_digest_of(_data_ref(query.data)) if query.data else "",
        namespace=query.namespace or "",
        alias=query.alias or "",
        tag=query.tag or "",
        since=None if query.since is None else instant(query.since),
        archived=query.archived,
        outline=True,
    )
    registries = [registry_of(one) for one in _backends(query.backend)]
    entries = entries_in(registries, chosen, runs=query.runs)
    board = ranked(entries, query.by or "", maximize=query.maximize, only=query.name or "")
    board.query = query
    return board


def stamp_of(query: LeaderboardQuery) -> str:
    """A text that is another one once what a leaderboard has may have changed; empty if that is not known."""
    stamps = [registry_of(one).stamp() for one in _backends(query.backend)]
    return " ".join(stamps) if all(stamps) and not query.runs else ""


def registered(backend: str | None = None) -> list[RegisteredModel]:
    """All models of a backend's registry, by name, without their versions."""
    return registry_of(backend).models()


def history(name: str) -> AliasHistory:
    """The changes of a model's aliases, newest first. Raises ``UsageError``."""
    reference = parse(name)
    changes = registry_of(reference.backend).history(reference.name)
    return AliasHistory(one for one in changes if reference.alias in ("", one.alias))


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


def cluster_registry() -> str:
    """The address of the cluster's registry, and which version of the API it has. Raises ``BackendError``."""
    from kfnb.resources.models.kubeflow import connect

    return connect().summary


def recorded(ref: str) -> tuple[str, ClusterModelRecords]:
    """A version in the cluster's registry, as the catalog reads it: its name there, and its records.

    Raises ``UsageError``, ``BackendError``.
    """
    from kfnb.resources.models.kubeflow.traces import ClusterModelRecords

    found = model(ref).snapshot()
    return f"kubeflow:{found.ref}", ClusterModelRecords(found)


def records() -> ModelRecords:
    """The versions of the registry of this machine, as the catalog reads them."""
    from kfnb.resources.models.local.traces import ModelRecords

    return ModelRecords(registry_of("local"), str(registry_folder()))


def _known(
    model: Any,
    run: RunSnapshot | None,
    metrics: Mapping[str, float] | None,
    parameters: Mapping[str, Any] | None,
    data: Mapping[str, str],
) -> Registration:
    """The facts to register: the given ones, else those that ``kf.save`` was given, else those of the run.

    ``data`` has the digests of the data versions that are given, by reference.
    """
    saved = saved_with(model)
    of_run = metrics_of(run) if run else {}
    task = maker_of(run, model)
    behind = data_behind(run, task) if run and task else {}
    made = task or Task("", "")
    return Registration(
        metrics=check_metrics(metrics if metrics is not None else saved.get("metrics") or of_run),
        parameters=parameters if parameters is not None else run.arguments if run else {},
        data=data or _saved_data(saved, behind),
        measured_on="" if data else str(saved.get("data") or ""),
        source=source_of(run, made.id),
        code=made.code,
        description=str(saved.get("description") or ""),
    )


def _saved_data(saved: Mapping[str, Any], behind: Mapping[str, str]) -> Mapping[str, str]:
    """The data of a model that a step saved; what is not ``behind`` its task has to exist. Raises ``UsageError``."""
    found = data_of_saved(saved, behind)
    return {**behind, **_data([ref for ref in found if ref not in behind])}


def _data(data: Any) -> Mapping[str, str]:
    """The digests of the data versions that are given, by reference. Raises ``UsageError`` for an unknown one."""
    if data is None:
        return {}
    from kfnb.resources.datasets.api import dataset

    given: Iterable[Any] = data if isinstance(data, list | tuple) else (data,)
    versions = [dataset(_data_ref(one)) for one in given]
    return {one.ref: one.digest for one in versions}


def _digest_of(ref: str) -> str:
    """The digest of a data version; empty if the data store does not have it. Raises ``BackendError``."""
    try:
        return _data(ref)[ref]
    except NotFound:
        return ""


def _backends(backend: str | None) -> Sequence[str]:
    """The backends that a leaderboard is asked for. Raises ``UsageError``."""
    if backend == ALL:
        return BACKENDS
    return (backend_name(backend) if backend else "local",)


def _data_ref(data: Any) -> str:
    ref = str(getattr(data, "ref", data))
    if not is_data_version(ref):
        message = f"data={ref!r}: give a version of a data set"
        raise UsageError(message, code="invalid-argument", hint="such as churn-data@2", ref=ref)
    return ref
