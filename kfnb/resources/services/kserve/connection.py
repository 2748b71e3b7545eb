"""The connection to a cluster's KServe, its object store and its model registry: from the user's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from kfnb import target as destination
from kfnb.errors import BackendError, KfnbError
from kfnb.pipeline.pipeline import default_image
from kfnb.remote import environment
from kfnb.remote.current import Current
from kfnb.remote.environment import KubeflowEnvironment
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.objects import ObjectAddress
from kfnb.resources.models.api import model
from kfnb.resources.models.kubeflow.connection import connect as connect_registry
from kfnb.resources.models.kubeflow.folders import StoredFolders
from kfnb.resources.runs.kubeflow.connection import WITHIN, Access, Ways, credentials
from kfnb.resources.runs.kubeflow.objects import Store
from kfnb.resources.runs.kubeflow.storage import Storage
from kfnb.resources.services.kserve.account import StoreAccount
from kfnb.resources.services.kserve.addresses import Entrance, ServiceAddresses
from kfnb.resources.services.kserve.engine import KServeEngine
from kfnb.resources.services.kserve.label_folder import LabelFolder
from kfnb.resources.services.kserve.logger import log_of
from kfnb.resources.services.kserve.mode import KServeSettings, read_settings
from kfnb.resources.services.kserve.objects import MODEL_ID, VERSION_ID
from kfnb.resources.services.kserve.predictor import ServingPlace
from kfnb.resources.services.kserve.resources import ServingResources
from kfnb.resources.services.kserve.uploads import FolderStore, facts_of, upload
from kfnb.resources.services.model import Target
from kfnb.settings import settings


@dataclass(frozen=True)
class ServingSettings:
    """The user's settings that serving on a cluster needs."""

    access: Access
    namespace: str
    home: Path
    account: str = ""
    image: str = ""
    index_urls: tuple[str, ...] = ()
    log: str = ""


def connect() -> KServeEngine:
    """The engine of the cluster that the settings name. No request is sent yet. Raises ``BackendError`` without one."""
    kubernetes = destination.require_kubernetes()
    chosen = settings()
    access = Access(**{one.name: getattr(chosen, one.name) for one in fields(Access)})
    given = ServingSettings(
        access,
        destination.namespace(),
        Path(chosen.home),
        chosen.serving_account,
        chosen.base_image,
        tuple(chosen.index_urls),
        chosen.serving_log.rstrip("/"),
    )
    around = environment.read()
    return _current.get((given, around), lambda: engine_at(kubernetes, given, around))


_current: Current[KServeEngine] = Current()


def engine_at(kubernetes: Kubernetes, given: ServingSettings, around: KubeflowEnvironment) -> KServeEngine:
    """The engine for these settings."""
    access = given.access
    ways = Ways(access.context, kubernetes)
    storage = Storage(given.namespace, kubernetes, access.pipeline_root, access.installed)
    store = Store(storage, ways.reached, ca_file=access.ca_file, verify=access.verify)
    folders = StoredFolders(
        store.root, lambda uri: store.filesystem(storage.session_for(uri), uri), given.home / "models"
    )

    def serving() -> KServeSettings:
        return read_settings(kubernetes, (access.installed, "kserve"))

    resources = ServingResources(kubernetes, given.namespace)

    def labels(name: str) -> LabelFolder:
        root, session = storage.root()
        below = f"{given.namespace}/{name}"
        folder = log_of(resources.service(name), below, ObjectAddress.parse(root).service)
        return LabelFolder(store.filesystem(session, root)[0].store, folder.labels)

    return KServeEngine(
        resources,
        StoredPlaces(
            folders,
            StoreAccount(kubernetes, storage, given.account),
            given.image,
            given.index_urls,
            given.log,
        ),
        ServiceAddresses(kubernetes, given.namespace, _entrance(kubernetes, access, around)),
        serving,
        ways.close,
        labels,
    )


def _entrance(kubernetes: Kubernetes, access: Access, around: KubeflowEnvironment) -> Entrance:
    within = around.in_cluster and not access.context
    public = bool(access.host) and WITHIN.fullmatch(access.host) is None
    gateway = access.host if "://" in access.host else f"https://{access.host}"
    return Entrance(
        within,
        gateway if public else "",
        lambda: credentials(access, around).headers(),
        lambda: read_settings(kubernetes, (access.installed, "kserve")).gateway,
        access.ca_file,
        access.verify,
    )


class StoredPlaces:
    """Puts the folders that serve versions into the namespace's store: see ``engine.RevisionPlaces``."""

    def __init__(
        self,
        folders: FolderStore,
        account: StoreAccount,
        image: str = "",
        index_urls: tuple[str, ...] = (),
        log: str = "",
    ) -> None:
        self._folders, self._account, self._image, self._index_urls = folders, account, image, index_urls
        self._log = log

    def place(self, target: Target) -> ServingPlace:
        """Where a version's folder is, after it was put there."""
        image = target.image or self._image or _image_of(target)
        if target.storage:
            return ServingPlace(
                target.storage, image, self._account.named, self._index_urls, facts_of(target), self._log
            )
        account = self._account.ready()
        return ServingPlace(upload(self._folders, target), image, account, self._index_urls, log=self._log)

    def labels(self, target: Target) -> Mapping[str, str]:
        """The registry's ids of a version that is in Kubeflow's registry."""
        if target.registry != "kubeflow":
            return {}
        try:
            model_id, version_id = connect_registry().identifiers(target.model, target.version)
        except BackendError:  # a label more or less serves no request
            return {}
        return {MODEL_ID: model_id, VERSION_ID: version_id}

    def columns(self, target: Target) -> tuple[str, ...]:
        """The columns of a version's signature."""
        try:
            return tuple(
                one.name for one in model(f"{target.registry}:{target.ref}").snapshot().signature.inputs
            )
        except KfnbError:  # of a version that another program serves, or of a registry that does not answer
            return ()


def _image_of(target: Target) -> str:
    """The image with the Python that a version was saved by."""
    python = ".".join(model(f"{target.registry}:{target.ref}").snapshot().python.split(".")[:2])
    return f"python:{python}-slim" if python else default_image()
