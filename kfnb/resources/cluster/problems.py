"""Problems found in a status, each with a command or YAML that fixes it or shows more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kfnb.errors import BackendError
from kfnb.remote.kubernetes.pods import IMAGE_WORDS, NORMAL, Diagnosis, PodReason, PodState, explained
from kfnb.resources.cluster.model import Knowledge, NotebookServer, Problem, Status, WaitingPod
from kfnb.resources.cluster.probe import ProbeTarget, first
from kfnb.resources.monitors.model import MonitorOutline

_ACCESS = "access-ml-pipeline"
_SILENT = 2
"""How many notebooks without a pod are asked about, one request each."""
_LONGEST = 300

POD_DEFAULT = """\
apiVersion: kubeflow.org/v1alpha1
kind: PodDefault
metadata:
  name: access-ml-pipeline
  namespace: {namespace}
spec:
  desc: Allow access to Kubeflow Pipelines
  selector:
    matchLabels:
      access-ml-pipeline: "true"
  env:
    - name: KF_PIPELINES_SA_TOKEN_PATH
      value: /var/run/secrets/kubeflow/pipelines/token
  volumes:
    - name: volume-kf-pipeline-token
      projected:
        sources:
          - serviceAccountToken:
              path: token
              expirationSeconds: 7200
              audience: pipelines.kubeflow.org
  volumeMounts:
    - name: volume-kf-pipeline-token
      mountPath: /var/run/secrets/kubeflow/pipelines
      readOnly: true
"""
"""Lets notebooks call Kubeflow Pipelines where it serves several users."""


def troubles(place: ProbeTarget, status: Status) -> tuple[Problem, ...]:
    """What is broken in what was seen."""
    namespace = place.namespace
    return (
        *_of_namespace(status, namespace),
        *_of_access(place, status),
        *_of_pods(_on_their_own(status), namespace),
        *_of_notebooks(place, status),
        *_of_services(status, namespace),
        *_of_volumes(status, namespace),
        *_of_kubeflow(status),
    )


def _of_namespace(status: Status, namespace: str) -> Iterator[Problem]:
    if status.namespace.knowledge is Knowledge.ABSENT:
        yield Problem(f"namespace {namespace} not found", fix="%kf_config namespace=NAME")
    elif status.namespace.value and status.namespace.value.phase == "Terminating":
        yield Problem(f"namespace {namespace} is being deleted")
    for one in status.quota.value or ():
        if one.share >= 1 and one.hard != "0":
            yield Problem(
                f"the quota of {one.resource} is used up: {one.used} of {one.hard}",
                fix=f"kubectl -n {namespace} describe resourcequota",
            )


def _on_their_own(status: Status) -> Sequence[WaitingPod]:
    """The pods that wait but for those of services, which say better what is wrong."""
    reported = {
        f"inferenceservice/{one.name}" for one in status.services.value or () if one.state == "Not ready"
    }
    return [pod for pod in status.waiting.value or () if pod.owner not in reported]


def _of_pods(pods: Sequence[WaitingPod], namespace: str) -> Iterator[Problem]:
    """One trouble for all pods that wait for the same reason: there may be thousands."""
    kinds: dict[tuple[str, str], list[WaitingPod]] = {}
    for pod in pods:
        kinds.setdefault((pod.reason, pod.owner or pod.message), []).append(pod)
    for (reason, _), alike in kinds.items():
        pod = alike[0]
        if reason in ("Pending", *NORMAL):
            continue
        others = f" and {len(alike) - 1} more" if alike[1:] else ""
        yield Problem(
            f"pod {pod.name}{others} cannot start ({reason})", _both_ends(pod.message), _fix(pod, namespace)
        )


def _fix(pod: WaitingPod, namespace: str) -> str:
    kind, _, name = pod.owner.partition("/")
    if kind in ("notebook", "workspace", "inferenceservice"):
        what = "its image" if pod.reason in IMAGE_WORDS else "what it asks for"
        return f"kubectl -n {namespace} edit {kind} {name}  # correct {what}"
    return f"kubectl -n {namespace} describe pod {pod.name}"


def _of_notebooks(place: ProbeTarget, status: Status) -> Iterator[Problem]:
    """Notebooks without a pod: an event has the refusal."""
    with_pod = {pod.owner.partition("/")[2] for pod in status.waiting.value or ()}
    silent = [
        one
        for one in status.notebooks.value or ()
        if one.state == "waiting" and not one.message and one.name not in with_pod
    ]
    if status.waiting.known:
        yield from (_unborn(place, one) for one in silent[:_SILENT])


def _unborn(place: ProbeTarget, notebook: NotebookServer) -> Problem:
    selector = {"fieldSelector": f"involvedObject.name={notebook.name}"}
    try:
        events, _ = first(place.kubernetes, place.within("api/v1", "events"), selector)
    except BackendError:
        events = ()
    found = explained(Diagnosis(PodState.STARTING), events)
    command = f"kubectl -n {place.namespace} edit notebook {notebook.name}  # ask for less"
    if found.reason is not PodReason.QUOTA:
        command = f"kubectl -n {place.namespace} describe statefulset {notebook.name}"
    return Problem(f"notebook {notebook.name} has no pod", found.message, command)


def _of_services(status: Status, namespace: str) -> Iterator[Problem]:
    for one in status.services.value or ():
        if one.state == "Not ready":
            command = f"kubectl -n {namespace} describe inferenceservice {one.name}"
            yield Problem(f"service {one.name} is not ready", _both_ends(one.message), command)


def _of_volumes(status: Status, namespace: str) -> Iterator[Problem]:
    for one in status.volumes.value or ():
        if one.phase == "Lost":
            command = f"kubectl -n {namespace} describe pvc {one.name}"
            yield Problem(f"volume {one.name} has lost its storage", fix=command)


def _of_access(place: ProbeTarget, status: Status) -> Iterator[Problem]:
    """Notebooks reach Kubeflow Pipelines by a token that a PodDefault puts into them."""
    pipelines = next((one for one in status.kubeflow.value or () if one.name == "Pipelines"), None)
    there = pipelines is not None and pipelines.knowledge is Knowledge.KNOWN
    if place.token or not there or not status.pod_defaults.known:
        return
    namespace = place.namespace
    opening = [one for one in status.pod_defaults.value or () if one.pipelines]
    if not opening:
        yield Problem(
            f"namespace {namespace} has no PodDefault {_ACCESS}: its notebooks cannot call Kubeflow Pipelines",
            "apply this, then restart the notebook with the configuration that it adds to the spawner",
            POD_DEFAULT.format(namespace=namespace),
            "yaml",
        )
    elif all(one.on is False for one in opening):
        yield Problem(
            f"this notebook was started without the configuration {opening[0].name}: "
            "it cannot call Kubeflow Pipelines",
            "choose it where the notebook is created, under configurations",
        )


def _of_kubeflow(status: Status) -> Iterator[Problem]:
    for one in status.kubeflow.value or ():
        for deployment in one.failing:
            namespace, _, name = deployment.partition("/")
            yield Problem(
                f"{one.name}: deployment {name} is not available",
                fix=f"kubectl -n {namespace} describe deployment {name}",
            )
    for node in status.nodes.value or ():
        if not node.ready:
            yield Problem(
                f"node {node.name} is not ready", node.message, f"kubectl describe node {node.name}"
            )
    version = status.version.value
    if version is not None and version.supported is False:
        yield Problem(f"Kubernetes {version.version} is not supported by this Kubeflow", version.verdict)


def of_monitors(monitors: Sequence[MonitorOutline]) -> Iterator[Problem]:
    """Alarms that last, and monitors that have found nothing for a reason."""
    for one in monitors:
        show = f"%kf_monitors show {'' if one.backend == 'local' else f'{one.backend}:'}{one.name}"
        for alarm in one.alarms:
            yield Problem(f"monitor {one.name}: alarm of {alarm.rule}", _both_ends(alarm.evidence), show)
        if one.error:
            yield Problem(f"monitor {one.name} has no data", _both_ends(one.error), show)


def _both_ends(text: str) -> str:
    """A sentence's beginning and end: of a traceback, the last line says most."""
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 3]} ... {text[-2 * _LONGEST // 3 :]}"
