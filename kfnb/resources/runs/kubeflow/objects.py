"""The object stores that hold the artifacts of a namespace's runs, opened as its configuration allows.

KFP records with each run and artifact how to reach its store: the endpoint, and the name of the secret with the keys.
Anyone with write access to a namespace can write such records, so an endpoint, a secret and its keys are only used if
the namespace's configuration or the user's settings name them too, and only objects are opened: no files, no web pages.
"""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from kfnb.errors import BackendError, Unreadable
from kfnb.resources.runs.kubeflow.storage import AMAZON, SETTINGS, Storage, environment_endpoint
from kfnb.resources.runs.kubeflow.store_session import StoreSession

_AMAZON = "s3.amazonaws.com"
_DEFAULT_REGION = "us-east-1"
_MOST_OPEN = 16


class Store:
    """The object stores of the runs in the namespace of ``storage``.

    ``reach`` returns the local address for an address within the cluster (``host:port``). ``ca_file`` and ``verify``
    are those of the settings.
    """

    def __init__(
        self,
        storage: Storage,
        reach: Callable[[str], str] = str,
        *,
        ca_file: str = "",
        verify: bool = True,
    ) -> None:
        self._storage, self._reach, self._ca_file, self._verify = storage, reach, ca_file, verify
        self._open: dict[tuple[StoreSession, str, str], Any] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Store({self._storage.namespace})"

    def opener(self, session: object) -> Callable[[str], tuple[Any, str]]:
        """What opens the URIs of artifacts with this session (JSON): see ``model.Artifact.store``."""
        return partial(self.filesystem, StoreSession.parse(session))

    def root(self) -> tuple[str, Any]:
        """The URI of the folder for the artifacts of runs, and its file system. Raises ``BackendError``."""
        uri, session = self._storage.root()
        return uri, self.filesystem(session, uri)[0]

    def filesystem(self, session: StoreSession, uri: str) -> tuple[Any, str]:
        """The fsspec file system of a URI, and the path in it. Raises ``Unreadable``."""
        from kfnb.remote.objects import ObjectAddress

        address = ObjectAddress.parse(uri)
        key = session, address.service, address.account
        with self._lock:
            if key not in self._open:
                while len(self._open) >= _MOST_OPEN:
                    del self._open[next(iter(self._open))]
                self._open[key] = self._made(session, address.service, address.account)
            return self._open[key], address.path

    def _made(self, session: StoreSession, service: str, account: str) -> Any:
        from kfnb.remote.objects import ObjectStore, StoreAccess
        from kfnb.remote.objects.files import ObjectFiles

        access = partial(StoreAccess, service, ca_file=self._ca_file, verify=self._verify)
        if service == "az":
            if not self._storage.names_account(account):
                raise Unreadable(
                    f"cannot open the artifact: neither the environment nor the pipeline root names its Azure storage"
                    f" account {account}. If you trust it, set AZURE_STORAGE_ACCOUNT_NAME={account}"
                )
            found = access(account=account)
        elif service == "gs":
            found = access(account_key=self._google(session))
        else:
            self._check(session)
            region = session.region or os.environ.get("AWS_REGION") or _DEFAULT_REGION
            keys = self._keys(session)
            found = access(self._endpoint(session), region, session.path_style, keys)
        return ObjectFiles(ObjectStore(found))

    def _check(self, session: StoreSession) -> None:
        """Refuse an endpoint that only the run's record names."""
        if not self._storage.names_endpoint(session):
            raise Unreadable(
                f"cannot open the artifact: the run's record names the object store {session.endpoint[:100]!r}, but the"
                f" configuration of namespace {self._storage.namespace} (config map {SETTINGS}) does not. If you trust"
                " it, set AWS_ENDPOINT_URL_S3 to it in the environment"
            )

    def _endpoint(self, session: StoreSession) -> str:
        """The URL of the store, empty for Amazon's own."""
        named = (session.endpoint or environment_endpoint()).rstrip("/")
        if named in ("", _AMAZON):  # obstore uses the region's endpoint
            return ""
        if AMAZON.fullmatch(named):
            return f"https://{named}"
        host = self._reach(named)
        return host if "://" in host else f"{'https' if session.secure else 'http'}://{host}"

    def _keys(self, session: StoreSession) -> Any:
        """The keys in the session's secret; None to use the environment's credentials."""
        from kfnb.remote.objects import AccessKeys, has_environment_credentials

        refused = "the run's store takes its keys from the environment of its pods"
        if session.secret:
            try:
                access, secret = self._secret(session, session.access_key, session.secret_key)
                return AccessKeys(access, secret)
            except BackendError as error:
                refused = str(error)
        if not has_environment_credentials():
            raise Unreadable(
                f"the keys of the object store are unknown here: {refused}. "
                "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to reach it"
            )
        return None

    def _google(self, session: StoreSession) -> str:
        """The service account's key in the session's secret; empty to use the environment's credentials."""
        if not session.secret or not session.token_key:
            return ""
        try:
            return self._secret(session, session.token_key)[0]
        except BackendError as error:
            raise Unreadable(f"the key of the service account is unknown here: {error}") from None

    def _secret(self, session: StoreSession, *keys: str) -> list[str]:
        where = f"secret {session.secret[:100]} in namespace {self._storage.namespace}"
        if not self._storage.names_secret(session):
            raise BackendError(f"the namespace's configuration (config map {SETTINGS}) does not name {where}")
        data = self._storage.secret(session.secret)
        try:
            return [base64.b64decode(data[key], validate=True).decode() for key in keys]
        except KeyError as error:
            raise BackendError(f"{where} does not have the key {error}") from None
        except ValueError:
            raise BackendError(f"{where} does not contain text") from None
