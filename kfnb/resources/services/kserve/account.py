"""The service account by which KServe's storage initializer reads the object store, and the secret with its keys.

KServe finds keys in the secrets that a service account lists, under its own names and with the store's address in
annotations. Those of the namespace's store are copied within the cluster's API; they are never decoded or shown.
"""

from __future__ import annotations

from typing import Any

from kfnb.errors import Absent, BackendError, Hidden, Refused
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.fields import Item, mapping, rows, word
from kfnb.resources.runs.kubeflow.storage import Storage
from kfnb.resources.runs.kubeflow.store_session import StoreSession
from kfnb.resources.services.kserve.objects import GROUP

ACCOUNT, SECRET = "kfnb-serving", "kfnb-serving-store"
_OWN = {"app.kubernetes.io/managed-by": "kfnb"}
_ACCESS, _SECRET = ("AWS_ACCESS_KEY_ID", "awsAccessKeyID"), ("AWS_SECRET_ACCESS_KEY", "awsSecretAccessKey")
"""The keys in KServe's secrets: as its config map names them, and as it calls them without one."""
_HINT = (
    "name a service account of yours that lists a secret for KServe: %kf_config serving_account=NAME "
    "(docs/serving.md, 'The object store')"
)


class StoreAccount:
    """The service account that pods of served models get in the namespace of ``storage``; ``named`` is the user's."""

    def __init__(self, kubernetes: Kubernetes, storage: Storage, named: str = "") -> None:
        self._kubernetes, self._storage, self.named = kubernetes, storage, named
        self._core = f"/api/v1/namespaces/{storage.namespace}"

    def ready(self) -> str:
        """The account's name, once it may read the store; empty for the namespace's own. Raises ``BackendError``."""
        if self.named:
            self._check(self.named)
            return self.named
        _, session = self._storage.root()
        if not session.secret:
            return ""  # the pods' own identity, as that of runs
        if session.token_key:
            what = "the keys of Google's store in secret"
            raise BackendError(
                f"{what} {session.secret} are not in the form that KServe reads;",
                hint=_HINT,
                ref="serving_account",
            )
        self._put("secrets", SECRET, _secret(session, self._storage.secret(session.secret)))
        self._put_account()
        return ACCOUNT

    def _check(self, name: str) -> None:
        try:
            self._kubernetes.get(f"{self._core}/serviceaccounts/{name}")
        except Absent:
            message = f"service account {name} does not exist in namespace {self._storage.namespace}"
            raise BackendError(
                message, hint="set another: %kf_config serving_account=NAME", ref=name
            ) from None
        except Hidden:
            return  # whether it exists is seen when its pods start

    def _put_account(self) -> None:
        path = f"{self._core}/serviceaccounts"
        there = self._existing(path, ACCOUNT)
        if SECRET in [word(one, "name") for one in rows(there, "secrets")]:
            return
        body: dict[str, Any] = {"apiVersion": "v1", "kind": "ServiceAccount"}
        body |= {"metadata": {"name": ACCOUNT, "labels": _OWN}, "secrets": [{"name": SECRET}]}
        self._write(path, ACCOUNT, body, exists=bool(there))

    def _put(self, kind: str, name: str, body: dict[str, Any]) -> None:
        path = f"{self._core}/{kind}"
        there = self._existing(path, name)
        same = mapping(there, "data") == body["data"]
        requested = body["metadata"]["annotations"]
        if (
            same
            and {key: mapping(there, "metadata", "annotations").get(key) for key in requested} == requested
        ):
            return
        self._write(path, name, body, exists=bool(there))

    def _existing(self, path: str, name: str) -> Item:
        try:
            return self._kubernetes.get(f"{path}/{name}")
        except Absent:
            return {}
        except BackendError as error:
            raise BackendError(f"{error};", code=error.code, hint=_HINT, ref="serving_account") from None

    def _write(self, path: str, name: str, body: dict[str, Any], *, exists: bool) -> None:
        try:
            if exists:
                self._kubernetes.patch(f"{path}/{name}", body)
            else:
                self._kubernetes.create(path, body)
        except (Hidden, Refused) as error:
            raise BackendError(f"{error};", code=error.code, hint=_HINT, ref="serving_account") from None
        except BackendError as error:  # the server's words on a refused secret may quote it
            message = f"{body['kind']} {name} cannot be written ({error.code});"
            raise BackendError(message, code=error.code, hint=_HINT, ref="serving_account") from None


def _secret(session: StoreSession, data: Item) -> dict[str, Any]:
    """The secret that KServe reads, with the keys of the store's own."""
    try:
        keys = {
            name: data[key]
            for names, key in ((_ACCESS, session.access_key), (_SECRET, session.secret_key))
            for name in names
        }
    except KeyError as missing:
        message = f"secret {session.secret} does not have the key {missing}"
        raise BackendError(message, ref=session.secret) from None
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET, "labels": _OWN, "annotations": _annotations(session)},
        "type": "Opaque",
        "data": keys,
    }


def _annotations(session: StoreSession) -> dict[str, str]:
    """Where the store is, for KServe's storage initializer."""
    endpoint = session.endpoint.rpartition("://")[2].rstrip("/")
    found = {
        "s3-endpoint": endpoint,
        "s3-usehttps": "1" if session.secure else "0",
        "s3-region": session.region,
        "s3-usevirtualbucket": "" if session.path_style else "true",
    }
    return {f"{GROUP}/{name}": value for name, value in found.items() if value}
