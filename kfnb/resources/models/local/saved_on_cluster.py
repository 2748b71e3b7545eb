"""Models that a run on a cluster saved are registered here, once a session sees that the run has succeeded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from kfnb.entities import RunSnapshot
from kfnb.errors import BackendError, KfnbError
from kfnb.resources.models.checks import check_name
from kfnb.resources.models.local.cluster_runs import ClusterRuns
from kfnb.resources.models.local.saved_models import Destination, SavedModel, register_model, saved_models


@dataclass(frozen=True)
class ClusterRegistration:
    """Notes for the user on the models that a run saved, and whether another try could register no more of them."""

    notes: tuple[str, ...] = ()
    complete: bool = True


def register_saved_on_cluster(run: RunSnapshot, to: Destination) -> ClusterRegistration:
    """Register the named models that the tasks of a run on a cluster saved, once in each registry.

    The registry keeps the notes, which are the answer from then on, in any session and for any user: looking at an old
    run restores no archived version and replaces no metrics. A model that cannot be registered is a note.
    """
    models = tuple(saved_models(run))
    if not models:
        return ClusterRegistration()
    try:
        return _registered_once(run, models, to)
    except KfnbError as error:  # the registry itself cannot be used
        return ClusterRegistration((f"the models of the run are not registered: {error}",), complete=False)


def _registered_once(
    run: RunSnapshot, models: tuple[SavedModel, ...], to: Destination
) -> ClusterRegistration:
    runs = ClusterRuns(to.registry)
    known = runs.notes(run.id)
    if known is not None:
        return ClusterRegistration(known)
    notes, complete = [], True
    for model in models:
        try:
            with _downloaded(model) as copy:
                notes.append(register_model(run, copy, to))
        except KfnbError as error:
            notes.append(model.not_registered(error))
            complete = complete and not isinstance(error, BackendError)
    if complete:
        runs.add(run.id, notes)
    return ClusterRegistration(tuple(notes), complete)


@contextmanager
def _downloaded(model: SavedModel) -> Iterator[SavedModel]:
    """A model in a folder of this machine, while it is registered. Raises ``UsageError``, ``BackendError``."""
    artifact, name = model.artifact, check_name(model.name)
    with TemporaryDirectory(prefix="kfnb-model-") as temporary:
        try:
            replace(artifact, uri=f"{artifact.uri.rstrip('/')}/{name}").download(Path(temporary, name))
        except BackendError:  # the store has reported what is wrong
            raise
        except OSError as error:
            raise BackendError(f"{artifact.uri} cannot be read: {error}", ref=artifact.uri) from None
        yield replace(model, artifact=replace(artifact, uri=temporary, store=None))
