"""The object stores that hold artifacts, opened as the run itself opened them.

KFP records with each run and artifact how its store is reached: the provider, the endpoint, and the name of the secret
that holds the keys. The keys are read from Kubernetes when an artifact is opened, else taken from the environment;
they stay in this process.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kfnb.backends.kubeflow.signing import Keys
from kfnb.errors import Absent, BackendError, Hidden, Unreadable
from kfnb.remote.kubernetes.client import Kubernetes

_PACKAGES = {"gs": "gcsfs", "gcs": "gcsfs", "azblob": "adlfs", "abfs": "adlfs", "oss": "ossfs"}
"""Where fsspec's file systems are for stores that are not S3."""
_S3 = ("minio", "s3")
_AWS = "s3.amazonaws.com"

Secrets = Callable[[str, str], Mapping[str, str]]
"""Given a namespace and a name, a secret's data as Kubernetes has it (base64). Raises ``BackendError``."""


@dataclass(frozen=True)
class Session:
    """How a store is reached, as KFP has recorded it (``store_session_info``)."""

    provider: str = ""
    endpoint: str = ""
    region: str = ""
    secure: bool = True
    secret: str = ""
    access_key: str = "accesskey"
    secret_key: str = "secretkey"  # noqa: S105 - the name of a key within a secret

    @classmethod
    def parse(cls, text: str) -> Session:
        """Read it from JSON; of an empty or unknown text, one that says nothing."""
        try:
            told = json.loads(text or "{}")
        except ValueError:
            told = {}
        params = told.get("Params") or {}
        from_environment = str(params.get("fromEnv", "")).lower() == "true"
        return cls(
            provider=told.get("Provider", ""),
            endpoint=params.get("endpoint", ""),
            region=params.get("region", ""),
            secure=str(params.get("disableSSL", "")).lower() != "true",
            secret="" if from_environment else params.get("secretName", ""),
            access_key=params.get("accessKeyKey", cls.access_key),
            secret_key=params.get("secretKeyKey", cls.secret_key),
        )


@dataclass(frozen=True)
class Store:
    """The object stores of the runs in ``namespace``.

    ``secrets`` reads a secret of the cluster's; ``reach`` says where an address within the cluster (``host:port``) is
    reached from here.
    """

    namespace: str
    secrets: Secrets | None = field(default=None, repr=False)
    reach: Callable[[str], str] = field(default=str, repr=False)
    _open: dict[Session, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def opener(self, session: str) -> Callable[[str], tuple[Any, str]]:
        """What opens the URIs of artifacts with this session (JSON): see ``model.Artifact.store``."""
        return partial(self.filesystem, Session.parse(session))

    def filesystem(self, session: Session, uri: str) -> tuple[Any, str]:
        """The fsspec file system of a URI, and the path in it. Raises ``Unreadable``."""
        scheme, _, path = uri.partition("://")
        if scheme not in _S3:
            return _elsewhere(scheme, uri)
        if session not in self._open:
            self._open[session] = self._s3(session)
        return self._open[session], path.partition("?")[0]

    def _s3(self, session: Session) -> Any:
        from kfnb.backends.kubeflow.s3 import S3Files

        region = session.region or os.environ.get("AWS_REGION") or "us-east-1"
        host = self.reach(session.endpoint or os.environ.get("AWS_S3_ENDPOINT", "") or _AWS)
        if host == _AWS:
            host = f"s3.{region}.amazonaws.com"
        scheme = "" if "://" in host else "https://" if session.secure else "http://"
        return S3Files(f"{scheme}{host}", self._keys(session), region)

    def _keys(self, session: Session) -> Keys:
        refused = "the run's store takes its keys from the environment of its pods"
        if session.secret and self.secrets is not None:
            try:
                data = self.secrets(self.namespace, session.secret)
                return Keys(_decoded(data[session.access_key]), _decoded(data[session.secret_key]))
            except KeyError as error:
                refused = f"secret {session.secret} in namespace {self.namespace} has no key {error}"
            except BackendError as error:
                refused = str(error)
        elif session.secret:
            where = f"secret {session.secret} in namespace {self.namespace}"
            refused = (
                f"its keys are in {where}, and Kubernetes is not reached from here (%kf_config context=NAME)"
            )
        access, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
        if not access or not secret:
            raise Unreadable(
                f"the object store's keys are not known here: {refused}. "
                "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to reach it"
            )
        return Keys(access, secret, os.environ.get("AWS_SESSION_TOKEN", ""))


def read_secrets(kubernetes: Kubernetes) -> Secrets:
    """What reads secrets from Kubernetes."""

    def read(namespace: str, name: str) -> Mapping[str, str]:
        where = f"secret {name} in namespace {namespace}"
        try:
            found = kubernetes.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")
        except Hidden:
            raise BackendError(f"{where} may not be read by this notebook's account (403)") from None
        except Absent:
            raise BackendError(f"{where} does not exist") from None
        except BackendError as error:
            raise BackendError(f"{where} cannot be read: {error}") from None
        data: Mapping[str, str] = found.get("data") or {}
        return data

    return read


def _decoded(value: str) -> str:
    return base64.b64decode(value).decode()


def _elsewhere(scheme: str, uri: str) -> tuple[Any, str]:
    import fsspec

    package = _PACKAGES.get(scheme, f"fsspec's package for {scheme}://")
    try:
        found: tuple[Any, str] = fsspec.core.url_to_fs(uri)
    except ImportError:
        raise Unreadable(f"to open {uri}, install {package}: pip install {package}") from None
    except ValueError:
        raise Unreadable(f"{uri} cannot be opened: nothing here knows {scheme}://") from None
    return found
