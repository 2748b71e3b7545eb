"""The connection to a cluster's Trainer and its object store: from the user's settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from kfnb import target
from kfnb.remote import environment
from kfnb.remote.current import Current
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.resources.models.local.saved_models import Destination
from kfnb.resources.runs.kubeflow.connection import Access, Ways
from kfnb.resources.runs.kubeflow.objects import Store
from kfnb.resources.runs.kubeflow.storage import Storage
from kfnb.resources.training.trainer.engine import TrainerEngine
from kfnb.resources.training.trainer.resources import TrainerResources
from kfnb.resources.training.trainer.storage import TrainingObjects
from kfnb.settings import settings


@dataclass(frozen=True)
class TrainerSettings:
    """The user's settings that training on a cluster needs."""

    access: Access
    namespace: str
    index_urls: tuple[str, ...] = ()


def connect(registry: Callable[[], Destination]) -> TrainerEngine:
    """The engine of the cluster that the settings name; saved models are registered in ``registry``.

    No request is sent yet. Raises ``BackendError`` without a cluster.
    """
    kubernetes = target.require_kubernetes()
    chosen = settings()
    access = Access(**{one.name: getattr(chosen, one.name) for one in fields(Access)})
    given = TrainerSettings(access, target.namespace(), tuple(chosen.index_urls))
    return _current.get((given, environment.read()), lambda: engine_at(kubernetes, given, registry))


_current: Current[TrainerEngine] = Current()


def engine_at(
    kubernetes: Kubernetes, given: TrainerSettings, registry: Callable[[], Destination]
) -> TrainerEngine:
    """The engine for these settings."""
    access = given.access
    ways = Ways(access.context, kubernetes)
    storage = Storage(given.namespace, kubernetes, access.pipeline_root, access.installed)
    store = Store(storage, ways.reached, ca_file=access.ca_file, verify=access.verify)
    return TrainerEngine(
        TrainerResources(kubernetes, given.namespace),
        TrainingObjects(storage, store),
        registry,
        pip=_pip_options(given.index_urls),
        account=access.service_account,
        close=ways.close,
    )


def _pip_options(index_urls: tuple[str, ...]) -> tuple[str, ...]:
    if not index_urls:
        return ()
    first, *others = index_urls
    return ("--index-url", first, *(word for one in others for word in ("--extra-index-url", one)))
