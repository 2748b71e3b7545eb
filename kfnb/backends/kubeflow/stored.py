"""Where a cluster keeps the artifacts of its runs, and how that store is reached: as KFP's own pods find it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

from kfnb.backends.kubeflow.objects import Session, Store
from kfnb.errors import Absent, BackendError
from kfnb.remote.kubernetes.client import Kubernetes

_SETTINGS = "kfp-launcher"
"""The config map of a namespace in which an administrator tells KFP's pods where artifacts go."""
_ROOT = "minio://mlpipeline/v2/artifacts"
_DEFAULT = Session(
    provider="minio",
    endpoint="seaweedfs.kubeflow:9000",
    region="minio",
    secure=False,
    secret="mlpipeline-minio-artifact",  # noqa: S106 - the name of a secret
)
"""How KFP's pods reach the store that they are installed with: from KFP 2.15 on SeaweedFS, before it MinIO."""
_BEFORE = "minio-service"


class ArtifactRoot:
    """The folder in which runs keep artifacts: ``root``, as it is set, else what KFP has for the namespace."""

    def __init__(self, store: Store, kubernetes: Kubernetes | None, root: str = "") -> None:
        self._store, self._kubernetes, self._root = store, kubernetes, root

    def find(self) -> tuple[str, Any]:
        """The folder's URI, and the file system that it is in. Raises ``BackendError``."""
        told = self._told()
        root, _, query = (self._root or told.get("defaultPipelineRoot") or _ROOT).partition("?")
        filesystem, _ = self._store.filesystem(_session(root, query, told, self._installed()), root)
        return root.rstrip("/"), filesystem

    def _installed(self) -> Session:
        """The session of the store that KFP was installed with."""
        service, _, rest = _DEFAULT.endpoint.partition(".")
        if self._kubernetes is not None:
            try:
                self._kubernetes.get(f"/api/v1/namespaces/{rest.partition(':')[0]}/services/{service}")
            except Absent:
                return replace(_DEFAULT, endpoint=f"{_BEFORE}.{rest}")
            except BackendError:  # a user may not see what is installed
                pass
        return _DEFAULT

    def _told(self) -> Mapping[str, str]:
        if self._kubernetes is None:
            return {}
        try:
            found = self._kubernetes.get(f"/api/v1/namespaces/{self._store.namespace}/configmaps/{_SETTINGS}")
        except Absent:
            return {}
        except BackendError as error:
            where = f"the config map {_SETTINGS} in namespace {self._store.namespace}"
            raise BackendError(
                f"where runs keep artifacts is not known: {where} cannot be read: {error}"
            ) from None
        data: Mapping[str, str] = found.get("data") or {}
        return data


def _session(root: str, query: str, told: Mapping[str, str], installed: Session) -> Session:
    """How the store of ``root`` is reached, which the query of a root tells if it has one."""
    scheme, _, path = root.partition("://")
    if query:
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        return Session(
            provider=scheme,
            endpoint=asked.get("endpoint", ""),
            region=asked.get("region", ""),
            secure=asked.get("disableSSL", "").lower() != "true",
        )
    provider = _providers(told).get(scheme) or {}
    default = provider.get("default") or {}
    session = installed if scheme == "minio" else Session(provider=scheme)
    session = _with(session, default)
    bucket, _, key = path.partition("/")
    for one in provider.get("overrides") or ():
        if one.get("bucketName") == bucket and key.startswith(str(one.get("keyPrefix") or "")):
            return _with(session, one)
    return session


def _providers(told: Mapping[str, str]) -> Mapping[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(told.get("providers") or "")
    except yaml.YAMLError:
        found = None
    return found if isinstance(found, Mapping) else {}


def _with(session: Session, told: Mapping[str, Any]) -> Session:
    """The session with what a provider's settings say of it."""
    keys = told.get("credentials") or {}
    secret = keys.get("secretRef") or {}
    if keys.get("fromEnv"):
        session = replace(session, secret="")
    elif secret:
        session = replace(
            session,
            secret=str(secret.get("secretName", "")),
            access_key=str(secret.get("accessKeyKey", session.access_key)),
            secret_key=str(secret.get("secretKeyKey", session.secret_key)),
        )
    secure = session.secure if "disableSSL" not in told else str(told["disableSSL"]).lower() != "true"
    return replace(
        session,
        endpoint=str(told.get("endpoint") or session.endpoint),
        region=str(told.get("region") or session.region),
        secure=secure,
    )
