"""The connection to Kubeflow: from the user's settings, else from the environment."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kfnb import entities
from kfnb.entities import LogLine
from kfnb.entities.manifest import RunRecord
from kfnb.errors import BackendError
from kfnb.remote.credentials import Credentials
from kfnb.remote.environment import INSTALLED, KubeflowEnvironment
from kfnb.remote.kfp.server import KfpServer
from kfnb.remote.kubernetes import kubeconfig
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.portforward.forward import Forward, Forwards
from kfnb.resources.models.local.saved_models import Destination
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.kubeflow.file_uploads import Uploads
from kfnb.resources.runs.kubeflow.mlmd import Metadata
from kfnb.resources.runs.kubeflow.objects import Store
from kfnb.resources.runs.kubeflow.origins import NOT_KEPT, Origins
from kfnb.resources.runs.kubeflow.pods import Pods
from kfnb.resources.runs.kubeflow.run_details import RunDetails
from kfnb.resources.runs.kubeflow.storage import Storage
from kfnb.resources.runs.kubeflow.submitter import SubmissionTerms
from kfnb.resources.runs.kubeflow.task_facts import TaskFacts
from kfnb.resources.runs.kubeflow.tracked_run import DetailSource
from kfnb.resources.runs.kubeflow.trainings import ON_ONE_NODE, Trainings

_API, _API_PORT = "ml-pipeline", 8888
_METADATA, _METADATA_PORT = "metadata-grpc-service", 8080
WITHIN = re.compile(
    r"(?:https?://)?(?P<service>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)(\.svc(\.[a-z0-9.-]+)?)?(:\d+)?/?"
)
"""The address of a service within a cluster."""
_UNKNOWN = (
    "no Kubeflow is configured: neither host nor context nor KF_PIPELINES_ENDPOINT is set, and this is not a pod of a "
    "cluster. Set %kf_config host=https://ADDRESS/pipeline token_file=FILE, or %kf_config context=NAME for a context "
    "of your kubeconfig"
)

_NO_METADATA = (
    "ML Metadata was not found from host {}. Set its address: %kf_config metadata=HOST:PORT (a cluster's service "
    "metadata-grpc-service, port 8080), or %kf_config context=NAME for a context of your kubeconfig"
)


@dataclass(frozen=True)
class Access:
    """The user's settings of the same names. Secrets are not shown."""

    host: str = ""
    token: str = field(default="", repr=False)
    token_file: str = ""
    cookies: str = field(default="", repr=False)
    context: str = ""
    namespace: str = ""
    installed: str = INSTALLED
    ca_file: str = ""
    verify: bool = True
    metadata: str = ""
    pipeline_root: str = ""
    service_account: str = ""
    upload_limit: int = 200


def connect(
    access: Access,
    around: KubeflowEnvironment,
    registry: Callable[[], Destination] | None = None,
    trainings: Trainings = ON_ONE_NODE,
    origins: Origins = NOT_KEPT,
) -> KubeflowRunEngine:
    """The engine for these settings. No request is sent yet. Raises ``BackendError`` if no address is known.

    ``registry`` and ``origins`` are those of ``KubeflowRunEngine``, ``trainings`` that of ``SubmissionTerms``.
    """
    kubernetes = kubeconfig.kubernetes(access.context, within=around.in_cluster)
    ways = Ways(access.context, kubernetes)
    url, hint = _address(access, around, ways)
    server = KfpServer(
        url,
        credentials=credentials(access, around),
        namespace=access.namespace or around.namespace or kubeconfig.namespace(access.context),
        ca=access.ca_file,
        verify=access.verify,
        direct=around.in_cluster and url.startswith("http://") and WITHIN.fullmatch(url) is not None,
        hint=hint,
    )
    return KubeflowRunEngine(
        server,
        SubmissionTerms(
            root=access.pipeline_root,
            account=access.service_account,
            uploads=Uploads(lambda: _store(access, server, kubernetes, ways).root(), access.upload_limit),
            trainings=trainings,
        ),
        home=_home(url, access, around),
        insight=_Lazily(lambda: _insight(access, server, kubernetes, ways)),
        registry=registry,
        origins=origins,
        close=ways.close,
    )


def _address(access: Access, around: KubeflowEnvironment, ways: Ways) -> tuple[str, Callable[[], str]]:
    """The address of Kubeflow Pipelines, and the hint if it does not answer there."""
    other = "Set another: %kf_config host=ADDRESS, or %kf_config context=NAME to go through a kubeconfig"
    if access.host:
        url = access.host if "://" in access.host else f"https://{access.host}"
        return url.rstrip("/"), lambda: f"It is the host of the settings. {other}"
    if access.context:
        forward = ways.forward(_API, access.installed, _API_PORT)
        where = (
            f"It is a port-forward to {_API} in namespace {access.installed} through context {access.context}"
        )
        return f"http://{forward.address}", lambda: ": ".join(filter(None, (where, forward.trouble)))
    if around.endpoint:
        url = around.endpoint if "://" in around.endpoint else f"http://{around.endpoint}"
        return url.rstrip("/"), lambda: f"It is the address in KF_PIPELINES_ENDPOINT. {other}"
    if around.in_cluster:
        url = f"http://{_API}.{access.installed}:{_API_PORT}"
        return url, lambda: f"It is the default address of Kubeflow Pipelines in a cluster. {other}"
    raise BackendError(_UNKNOWN)


def credentials(access: Access, around: KubeflowEnvironment) -> Credentials:
    """The credentials of the settings, else of the environment."""
    if access.token or access.token_file:
        file = Path(access.token_file).expanduser() if access.token_file and not access.token else None
        return Credentials(access.token, file, access.cookies)
    usual = around.token_file if not (access.context or access.cookies) else None
    return Credentials("", usual, access.cookies)


def _home(url: str, access: Access, around: KubeflowEnvironment) -> str:
    """The address of the server's pages: relative to the dashboard in a notebook; empty through a port-forward."""
    if around.page:
        base = around.page.rstrip("/")
    elif around.notebook and WITHIN.fullmatch(url):
        base = "/_/pipeline"
    else:
        base = "" if access.context and not access.host else url
    return f"{base}/#/" if base else ""


def _insight(access: Access, server: KfpServer, kubernetes: Kubernetes | None, ways: Ways) -> RunDetails:
    address = access.metadata or _metadata(server.url, access, ways)
    return RunDetails(
        Metadata(address) if address else None,
        _store(access, server, kubernetes, ways),
        Pods(kubernetes, _namespace(access, server)) if kubernetes is not None else None,
        "" if address else _NO_METADATA.format(server.url),
    )


def _namespace(access: Access, server: KfpServer) -> str:
    """The namespace of the user's runs."""
    return access.namespace or server.users_namespace or access.installed


def _store(access: Access, server: KfpServer, kubernetes: Kubernetes | None, ways: Ways) -> Store:
    storage = Storage(_namespace(access, server), kubernetes, access.pipeline_root, access.installed)
    return Store(storage, ways.reached, ca_file=access.ca_file, verify=access.verify)


def _metadata(url: str, access: Access, ways: Ways) -> str:
    """The address of ML Metadata, in the cluster of Kubeflow Pipelines; empty if it cannot be reached."""
    within = WITHIN.fullmatch(url)
    if access.context:
        return ways.forward(_METADATA, access.installed, _METADATA_PORT).address
    return f"{_METADATA}.{within['namespace']}:{_METADATA_PORT}" if within else ""


class Ways:
    """Reaches services within a cluster: by their own addresses, or through port-forwards of a ``context``."""

    def __init__(self, context: str, kubernetes: Kubernetes | None) -> None:
        self._forwards = Forwards(kubernetes) if context and kubernetes is not None else None

    def forward(self, service: str, namespace: str, port: int) -> Forward:
        """The port-forward to a port of a service, if one is needed."""
        assert self._forwards is not None
        return self._forwards.to(service, namespace, port)

    def close(self) -> None:
        """Close all port-forwards."""
        if self._forwards is not None:
            self._forwards.close()

    def reached(self, address: str) -> str:
        """The local address for an address within the cluster."""
        found = WITHIN.fullmatch(address)
        host, _, port = address.rpartition(":")
        if self._forwards is None or found is None or not host or not port.isdigit():
            return address
        return self.forward(found["service"], found["namespace"], int(port)).address


class _Lazily:
    """A ``DetailSource`` created on first use: it needs connections that most uses do not."""

    def __init__(self, make: Callable[[], DetailSource]) -> None:
        self._make = make
        self._made: DetailSource | None = None
        self._why_not = ""

    def _insight(self) -> DetailSource:
        if self._made is None:
            try:
                self._made = self._make()
            except BackendError as error:
                self._why_not = str(error)
                raise
        return self._made

    @property
    def trouble(self) -> str:
        """See ``DetailSource``."""
        return self._made.trouble if self._made else self._why_not

    def recorded(self, run: entities.RunSnapshot) -> RunRecord:
        """See ``DetailSource``."""
        return self._insight().recorded(run)

    def facts(self, run: entities.RunSnapshot, spec: Mapping[str, Any]) -> Mapping[str, TaskFacts]:
        """See ``DetailSource``."""
        return self._insight().facts(run, spec)

    def logs(
        self,
        snapshot: Callable[[], entities.RunSnapshot],
        spec: Mapping[str, Any],
        task: str | None,
        *,
        follow: bool,
    ) -> Iterator[LogLine | None]:
        """See ``DetailSource``."""
        return self._insight().logs(snapshot, spec, task, follow=follow)

    def log_places(
        self, snapshot: Callable[[], entities.RunSnapshot], spec: Mapping[str, Any], task: str | None
    ) -> tuple[str, ...]:
        """See ``DetailSource``."""
        return self._insight().log_places(snapshot, spec, task)

    def occupied(
        self, run: entities.RunSnapshot, spec: Mapping[str, Any]
    ) -> Mapping[entities.Purpose, entities.Amounts]:
        """See ``DetailSource``."""
        return self._insight().occupied(run, spec)
