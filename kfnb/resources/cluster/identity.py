"""Who asks, in which namespace, and which Kubernetes answers."""

from __future__ import annotations

from kfnb.resources.cluster.model import Namespace, User
from kfnb.resources.cluster.probe import More, ProbeTarget

_ACCOUNT = "system:serviceaccount:"


def user(place: ProbeTarget) -> tuple[User, More]:
    """Whom Kubernetes takes us for."""
    answer = place.kubernetes.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    info = (answer.get("status") or {}).get("userInfo") or {}
    name = str(info.get("username", ""))
    account = name.removeprefix(_ACCOUNT).replace(":", "/") if name.startswith(_ACCOUNT) else ""
    return User(name, tuple(info.get("groups") or ()), account), 0


def namespace(place: ProbeTarget) -> tuple[Namespace, More]:
    """The namespace, and whose it is."""
    found = place.kubernetes.get(f"/api/v1/namespaces/{place.namespace}")
    notes = found["metadata"].get("annotations") or {}
    phase = (found.get("status") or {}).get("phase", "")
    return Namespace(found["metadata"]["name"], notes.get("owner", ""), phase), 0


def version(place: ProbeTarget) -> tuple[str, More]:
    """Kubernetes' version."""
    return str(place.kubernetes.version().get("gitVersion", "")), 0
