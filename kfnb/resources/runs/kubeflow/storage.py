"""Where a namespace's runs store artifacts, and which stores and secrets its configuration names.

KFP's own pods find the store in the same places: the config map ``kfp-launcher``, else what KFP is installed with.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

from kfnb.errors import Absent, BackendError, Hidden
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.resources.runs.kubeflow.store_session import StoreSession

SETTINGS = "kfp-launcher"
"""The config map of a namespace with the artifact store of KFP's pods."""
_ROOT = "minio://mlpipeline/v2/artifacts"
_STORES = ("seaweedfs", "minio-service")
"""The services of the store that KFP is installed with: SeaweedFS since KFP 2.15, before that MinIO."""
_DEFAULT = StoreSession(
    provider="minio",
    region="minio",
    secure=False,
    secret="mlpipeline-minio-artifact",  # noqa: S106 - the name of a secret
)
"""How KFP's pods reach that store, which is in KFP's namespace."""
AMAZON = re.compile(r"s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?")
"""The endpoints of Amazon itself."""
_VARIABLES = ("AWS_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


class Storage:
    """The configuration of ``namespace`` for artifacts; ``root`` is the user's own setting.

    Without ``kubernetes``, only the store that KFP is ``installed`` with is known.
    """

    def __init__(
        self, namespace: str, kubernetes: Kubernetes | None, root: str = "", installed: str = "kubeflow"
    ) -> None:
        self.namespace = namespace
        self._kubernetes, self._root, self._installed = kubernetes, root, installed

    def root(self) -> tuple[str, StoreSession]:
        """The URI of the folder for the artifacts of runs, and its store. Raises ``BackendError``."""
        settings = self._settings()
        root, _, query = (self._root or settings.get("defaultPipelineRoot") or _ROOT).partition("?")
        scheme = root.partition("://")[0]
        session = _of_query(scheme, query) if query else self._of_settings(root, settings)
        return root.rstrip("/"), session

    def session_for(self, uri: str) -> StoreSession:
        """How to reach the store of a URI that no run's record describes. Raises ``BackendError``."""
        root, session = self.root()
        return session if f"{uri}/".startswith(f"{root}/") else self._of_settings(uri, self._settings())

    def secret(self, name: str) -> Mapping[str, str]:
        """A secret's data, as Kubernetes has it (base64). Raises ``BackendError``."""
        where = f"secret {name} in namespace {self.namespace}"
        if self._kubernetes is None:
            raise BackendError(
                f"its keys are in {where}, and Kubernetes cannot be reached from here (%kf_config context=NAME)"
            )
        try:
            found = self._kubernetes.get(f"/api/v1/namespaces/{self.namespace}/secrets/{name}")
        except Hidden:
            raise BackendError(f"this notebook's account may not read {where} (403)") from None
        except Absent:
            raise BackendError(f"{where} does not exist") from None
        except BackendError as error:
            raise BackendError(f"cannot read {where}: {error}") from None
        data: Mapping[str, str] = found.get("data") or {}
        return data

    def names_endpoint(self, session: StoreSession) -> bool:
        """Whether the endpoint is in the configuration or the user's settings, or is Amazon's."""
        endpoint = _host(session.endpoint)
        if not endpoint or AMAZON.fullmatch(endpoint):
            return True
        usual = [f"{service}.{self._installed}:9000" for service in _STORES]
        own = [environment_endpoint(), _of_query("", self._root.partition("?")[2]).endpoint]
        if endpoint in {_host(one) for one in (*usual, *own) if one}:
            return True
        return endpoint in {_host(one.endpoint) for one in self._configured()}

    def names_account(self, account: str) -> bool:
        """Whether an Azure storage account is the environment's, or in the pipeline root of the settings."""
        if account in ("", os.environ.get("AZURE_STORAGE_ACCOUNT_NAME")):
            return True
        try:
            roots = self._root, str(self._settings().get("defaultPipelineRoot") or "")
        except BackendError:
            roots = self._root, ""
        return any(f"@{account}." in root for root in roots)

    def names_secret(self, session: StoreSession) -> bool:
        """Whether the configuration names the secret with these keys, or it is KFP's own secret in each namespace."""
        if session.credentials == _DEFAULT.credentials:
            return True
        return session.credentials in {one.credentials for one in self._configured()}

    def _configured(self) -> Iterator[StoreSession]:
        """The sessions that the config map describes; empty if it cannot be read."""
        try:
            settings = self._settings()
        except BackendError:
            return
        yield _of_query("", str(settings.get("defaultPipelineRoot") or "").partition("?")[2])
        for scheme, provider in _providers(settings).items():
            default = self._default_of(scheme, provider)
            yield default
            yield from (default.with_settings(one) for one in _overrides(provider))

    def _of_settings(self, root: str, settings: Mapping[str, str]) -> StoreSession:
        scheme, _, path = root.partition("://")
        provider = _providers(settings).get(scheme) or {}
        session = self._default_of(scheme, provider)
        bucket, _, key = path.partition("/")
        for one in _overrides(provider):
            if one.get("bucketName") == bucket and key.startswith(str(one.get("keyPrefix") or "")):
                return session.with_settings(one)
        return session

    def _default_of(self, scheme: str, provider: Mapping[str, Any]) -> StoreSession:
        session = self._own() if scheme == "minio" else StoreSession(provider=scheme)
        default = provider.get("default")
        return session.with_settings(default) if isinstance(default, Mapping) else session

    def _own(self) -> StoreSession:
        """The session of the store that KFP was installed with."""
        service = _STORES[0]
        if self._kubernetes is not None:
            try:
                self._kubernetes.get(f"/api/v1/namespaces/{self._installed}/services/{service}")
            except Absent:
                service = _STORES[1]
            except BackendError:  # a user may lack access to KFP's namespace
                pass
        return replace(_DEFAULT, endpoint=f"{service}.{self._installed}:9000")

    def _settings(self) -> Mapping[str, str]:
        if self._kubernetes is None:
            return {}
        try:
            found = self._kubernetes.get(f"/api/v1/namespaces/{self.namespace}/configmaps/{SETTINGS}")
        except Absent:
            return {}
        except BackendError as error:
            where = f"the config map {SETTINGS} in namespace {self.namespace}"
            raise BackendError(
                f"the artifact store of runs is unknown: cannot read {where}: {error}"
            ) from None
        data: Mapping[str, str] = found.get("data") or {}
        return data


def environment_endpoint() -> str:
    """The S3 endpoint of the environment; empty for Amazon's."""
    return next(filter(None, (os.environ.get(name) for name in _VARIABLES)), "")


def _of_query(scheme: str, query: str) -> StoreSession:
    """How to reach the store that the query of a pipeline root describes."""
    options = {name: values[-1] for name, values in parse_qs(query).items()}
    return StoreSession(
        provider=scheme,
        endpoint=options.get("endpoint", ""),
        region=options.get("region", ""),
        secure=options.get("disableSSL", "").lower() != "true",
        path_style=options.get("s3ForcePathStyle", "").lower() != "false",
    )


def _providers(settings: Mapping[str, str]) -> Mapping[str, Mapping[str, Any]]:
    import yaml

    try:
        found = yaml.safe_load(settings.get("providers") or "")
    except yaml.YAMLError:
        found = None
    if not isinstance(found, Mapping):
        return {}
    return {str(name): one for name, one in found.items() if isinstance(one, Mapping)}


def _overrides(provider: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = provider.get("overrides")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _host(endpoint: str) -> str:
    """An endpoint in canonical form: without its scheme, and services of the cluster by their short names."""
    host, colon, port = endpoint.lower().rpartition("://")[2].rstrip("/").partition(":")
    return re.sub(r"\.svc(\.cluster\.local)?$", "", host) + colon + port
