"""What pods need from the cluster before they start: images and volumes."""

from __future__ import annotations

from kfnb.errors import BackendError
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.fields import at
from kfnb.remote.kubernetes.pods import IMAGE_WORDS
from kfnb.resources.cluster.model import Check, CheckOutcome, Status

_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_DEFAULT = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_PULLS, _STORAGE = "image pulls", "cluster storage"


def pulls(status: Status) -> Check:
    """Whether pods of the namespace wait for images that do not come."""
    if status.waiting.value is None:
        return Check(_PULLS, CheckOutcome.SKIPPED, status.waiting.reason)
    stuck = [pod for pod in status.waiting.value if pod.reason in IMAGE_WORDS]
    if not stuck:
        return Check(_PULLS, CheckOutcome.GOOD, f"no pod in namespace {status.within} waits for an image")
    others = f" and {len(stuck) - 1} more" if stuck[1:] else ""
    message = f"the image of {stuck[0].name}{others} cannot be pulled ({stuck[0].reason}): {stuck[0].message}"
    fix = f"kubectl -n {status.within} describe pod {stuck[0].name}"
    return Check(_PULLS, CheckOutcome.BAD, message.rstrip(": "), fix)


def storage(kubernetes: Kubernetes, status: Status) -> Check:
    """Whether a new volume would get storage, and none asks for a class of it that is not there."""
    try:
        classes = list(kubernetes.list(_CLASSES))
    except BackendError as error:
        return Check(_STORAGE, CheckOutcome.SKIPPED, str(error))
    names = {one["metadata"]["name"] for one in classes}
    for volume in status.volumes.value or ():
        if volume.phase == "Pending" and volume.kind and volume.kind not in names:
            message = f"volume {volume.name} asks for the storage class {volume.kind}, which does not exist"
            return Check(_STORAGE, CheckOutcome.BAD, message, "kubectl get storageclass")
    default = [one["metadata"]["name"] for one in classes if _is_default(one)]
    if default:
        return Check(_STORAGE, CheckOutcome.GOOD, f"volumes are of class {default[0]} where they name none")
    fix = f"kubectl annotate storageclass {min(names, default='NAME')} {_DEFAULT[0]}=true"
    message = "there is no default storage class: a volume without a class waits for ever"
    return Check(_STORAGE, CheckOutcome.DOUBTFUL, message, fix)


def _is_default(one: object) -> bool:
    return any(at(one, "metadata", "annotations", name) == "true" for name in _DEFAULT)
