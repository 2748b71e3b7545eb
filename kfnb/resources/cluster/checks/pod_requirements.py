"""What pods need from the cluster before they start: images and volumes."""

from __future__ import annotations

from kfnb.cluster.kubernetes import Kubernetes
from kfnb.errors import BackendError
from kfnb.model.check import Check, Outcome
from kfnb.model.cluster import Status, WaitingPod
from kfnb.resources.cluster.probe import at

_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_DEFAULT = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_PULLS, _STORAGE = "image pulls", "cluster storage"


def pulls(status: Status) -> Check:
    """Whether pods of the namespace wait for images that do not come."""
    if status.waiting.value is None:
        return Check(_PULLS, Outcome.SKIPPED, status.waiting.reason)
    stuck = [pod for pod in status.waiting.value if _waits_for_image(pod)]
    if not stuck:
        return Check(_PULLS, Outcome.GOOD, f"no pod in namespace {status.within} waits for an image")
    others = f" and {len(stuck) - 1} more" if stuck[1:] else ""
    told = f"the image of {stuck[0].name}{others} does not come ({stuck[0].reason}): {stuck[0].message}"
    mend = f"kubectl -n {status.within} describe pod {stuck[0].name}"
    return Check(_PULLS, Outcome.BAD, told.rstrip(": "), mend)


def _waits_for_image(pod: WaitingPod) -> bool:
    """Kubernetes' words are ErrImagePull, ImagePullBackOff, InvalidImageName, ImageInspectError and such."""
    return "Image" in pod.reason or pod.reason == "RegistryUnavailable"


def storage(kubernetes: Kubernetes, status: Status) -> Check:
    """Whether a new volume would get storage, and none asks for a class of it that is not there."""
    try:
        classes = list(kubernetes.list(_CLASSES))
    except BackendError as error:
        return Check(_STORAGE, Outcome.SKIPPED, str(error))
    names = {one["metadata"]["name"] for one in classes}
    for volume in status.volumes.value or ():
        if volume.phase == "Pending" and volume.kind and volume.kind not in names:
            told = f"volume {volume.name} wants storage of class {volume.kind}, which is not there"
            return Check(_STORAGE, Outcome.BAD, told, "kubectl get storageclass")
    default = [one["metadata"]["name"] for one in classes if _is_default(one)]
    if default:
        return Check(_STORAGE, Outcome.GOOD, f"volumes are of class {default[0]} where they name none")
    mend = f"kubectl annotate storageclass {min(names, default='NAME')} {_DEFAULT[0]}=true"
    told = "no class of storage is the default: a volume that names none waits for ever"
    return Check(_STORAGE, Outcome.DOUBTFUL, told, mend)


def _is_default(one: object) -> bool:
    return any(at(one, "metadata", "annotations", name) == "true" for name in _DEFAULT)
