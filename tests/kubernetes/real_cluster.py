"""A real cluster made ready for tests: Kubeflow's CRDs, a namespace, and users with rights as Kubeflow gives them."""

from functools import cache
from pathlib import Path

import yaml
from api_server import kubeconfig

from kfnb.errors import Absent, Conflict
from kfnb.remote.kubernetes.client import Kubernetes

CRDS = Path(__file__).parents[3] / "shared" / "kubeflow" / "crds"
"""The definitions of Kubeflow's projects, which lie beside the project and are no part of it."""
USERS = ("admin", "editor", "viewer", "nobody")
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_GROUPS = ["kubeflow.org", "serving.kserve.io", "trainer.kubeflow.org", "argoproj.io"]
_CORE = ["pods", "pods/log", "events", "persistentvolumeclaims", "resourcequotas", "services", "configmaps"]


class Cluster:
    """The cluster of an administrator's kubeconfig. ``remove`` leaves nothing of the tests in it."""

    def __init__(self, config: Path, namespace: str, folder: Path) -> None:
        self.namespace, self._folder = namespace, folder
        self._configs = {"admin": config}
        self.admin = self._asked(config)
        self._removed_at_last: list[str] = []
        self._define()
        self._make(
            "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        )
        for user, verbs in (("editor", ["*"]), ("viewer", ["get", "list", "watch"]), ("nobody", [])):
            self._account(user, verbs)

    def asked_by(self, user: str) -> Kubernetes:
        """The boundary to it, as one of the users."""
        return self._asked(self._configs[user])

    def config_of(self, user: str) -> Path:
        """A user's kubeconfig; the context's name is the user's, but for the administrator of a cluster of yours."""
        return self._configs[user]

    def remove(self) -> None:
        """Delete all that was made."""
        for path in reversed(self._removed_at_last):
            try:
                self.admin.delete(path)
            except Absent:
                continue

    def _asked(self, config: Path) -> Kubernetes:
        from kubernetes import client
        from kubernetes import config as configs

        def make() -> object:
            settings = client.Configuration()
            configs.load_kube_config(config_file=str(config), client_configuration=settings)
            settings.retries = False
            return client.ApiClient(settings)

        return Kubernetes(make)

    def _define(self) -> None:
        for file in sorted(CRDS.glob("*.yaml")):
            definition = _read(file)
            name = definition["metadata"]["name"]
            try:
                self.admin.get(f"{_DEFINITIONS}/{name}")
            except Absent:
                self.admin.apply(f"{_DEFINITIONS}/{name}", definition)
                self._removed_at_last.append(f"{_DEFINITIONS}/{name}")
        self._established()

    def _established(self) -> None:
        """A definition is served a moment after it was accepted."""
        waiting: set[str] = set()
        for word, told in self.admin.watch(_DEFINITIONS):
            if word == "ANEW":
                waiting.clear()
            for one in told["items"] if word == "ANEW" else [told]:
                conditions = (one.get("status") or {}).get("conditions") or ()
                up = any(c["type"] == "Established" and c["status"] == "True" for c in conditions)
                (waiting.discard if up else waiting.add)(one["metadata"]["name"])
            if not waiting:
                return

    def _make(self, path: str, body: dict[str, object]) -> None:
        name = body["metadata"]["name"]  # type: ignore[index]
        self._removed_at_last.append(f"{path}/{name}")
        try:
            self.admin.create(path, body)
        except Conflict:
            self.admin.apply(f"{path}/{name}", body, force=True)

    def _account(self, user: str, verbs: list[str]) -> None:
        accounts = f"/api/v1/namespaces/{self.namespace}/serviceaccounts"
        self._make(accounts, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": user}})
        if verbs:
            self._allow(user, verbs)
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": 7200},
        }
        answer = self.admin.create(f"{accounts}/{user}/token", request)
        settings = self.admin.configuration
        ca = Path(settings.ssl_ca_cert)
        file = self._folder / f"{user}.yaml"
        file.write_text(kubeconfig(settings.host, ca, user, answer["status"]["token"], self.namespace))
        self._configs[user] = file

    def _allow(self, user: str, verbs: list[str]) -> None:
        where = f"{_RBAC}/namespaces/{self.namespace}"
        about = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": user}}
        rules = [
            {"apiGroups": _GROUPS, "resources": ["*"], "verbs": verbs},
            {"apiGroups": [""], "resources": _CORE, "verbs": verbs},
            {"apiGroups": ["apps", "batch"], "resources": ["*"], "verbs": verbs},
        ]
        self._make(f"{where}/roles", about | {"kind": "Role", "rules": rules})
        subject = {"kind": "ServiceAccount", "name": user, "namespace": self.namespace}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": user}
        self._make(
            f"{where}/rolebindings", about | {"kind": "RoleBinding", "subjects": [subject], "roleRef": role}
        )


@cache
def _read(file: Path) -> dict[str, object]:
    definition = yaml.load(file.read_bytes(), yaml.CSafeLoader)
    definition.pop("status", None)
    return definition
