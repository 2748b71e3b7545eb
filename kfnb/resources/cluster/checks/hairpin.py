"""Whether a pod reaches its own service: on some clusters (minikube, kind) it does not, and what breaks looks like
anything else. A pod that is there is asked, by ``kubectl exec``; nothing is started or changed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kfnb.errors import BackendError
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.fields import Item, at, condition, rows, word
from kfnb.resources.cluster.model import Check, CheckOutcome
from kfnb.resources.localcluster.shell_command import Runner, ShellCommand

RunProbe = Callable[["Probe"], "int | None"]
"""Runs a probe in its pod and returns its exit code; None where nothing may be run there."""

_NAME = "hairpin"
_MOST = 4
"""Maximum number of pods to try."""
_NO_TOOL, _DEAF, _CUT = 3, 4, 5
"""Exit codes of the script: there is nothing to call with; the pod itself does not answer; its service does not."""
SCRIPT = f"""\
reach() {{
  if command -v bash >/dev/null && command -v timeout >/dev/null; then timeout 4 bash -c ": <>/dev/tcp/$1/$2"
  elif command -v python3 >/dev/null; then
    python3 -c "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 4)" "$1" "$2"
  elif command -v nc >/dev/null; then nc -z -w 4 "$1" "$2" </dev/null
  else exit {_NO_TOOL}
  fi
}} 2>/dev/null
reach "$1" "$2" || exit {_DEAF}
reach "$3" "$4" || exit {_CUT}
"""
_BRIDGE = "for port in /sys/class/net/*/brport/hairpin_mode; do echo 1 > $port; done"
_KUBELET = "set hairpinMode: hairpin-veth in the configuration of the nodes' kubelet"


@dataclass(frozen=True)
class Probe:
    """A pod that is the only one behind a service: what is called, and from where."""

    namespace: str
    pod: str
    container: str
    own: tuple[str, int]
    service: str
    address: tuple[str, int]

    @property
    def words(self) -> tuple[str, ...]:
        """The command in the pod."""
        return ("sh", "-c", SCRIPT, "kfnb", *(str(word) for word in (*self.own, *self.address)))


def hairpin(kubernetes: Kubernetes, namespaces: Sequence[str], context: str, fix: str = "") -> Check:
    """Check some pods of these namespaces through kubectl. ``fix`` is what fixes it, where that is known already."""
    if shutil.which("kubectl") is None:
        return Check(_NAME, CheckOutcome.SKIPPED, "kubectl, which runs the check in pods, is not installed")
    try:
        found = [one for name in dict.fromkeys(namespaces) for one in probes(*_seen(kubernetes, name))]
    except BackendError as error:
        return Check(_NAME, CheckOutcome.SKIPPED, str(error))
    return judged(found, _through_kubectl(context), fix or advice(kubernetes, context))


def judged(found: Sequence[Probe], run_probe: RunProbe, fix: str) -> Check:
    """The result of the first pod that can run the check."""
    for probe in found[:_MOST]:
        code = run_probe(probe)
        if code == 0:
            message = f"pod {probe.pod} reaches itself through its service {probe.service}"
            return Check(_NAME, CheckOutcome.GOOD, message)
        if code == _CUT:
            message = (
                f"pod {probe.pod} cannot reach itself through its service {probe.service}"
                f" ({probe.address[0]}:{probe.address[1]}), but answers at its own address:"
                " Pipelines and serving break on such a cluster"
            )
            return Check(_NAME, CheckOutcome.BAD, message, fix)
    return Check(_NAME, CheckOutcome.SKIPPED, "no pod could run the check")


def probes(pods: Sequence[Item], services: Sequence[Item]) -> Iterator[Probe]:
    """The pods that stand alone behind a service, so that a call of it can reach no other.

    One with a proxy of Istio's beside it is none: its calls do not go the way of others.
    """
    for service in services:
        selector, address = at(service, "spec", "selector"), word(service, "spec", "clusterIP")
        behind = [one for one in pods if selector and _has(one, selector)]
        if len(behind) != 1 or address in ("", "None") or not _ready(behind[0]):
            continue
        pod, containers = behind[0], rows(behind[0], "spec", "containers")
        if any(
            word(one, "name") == "istio-proxy" for one in (*containers, *rows(pod, "spec", "initContainers"))
        ):
            continue
        for port in rows(service, "spec", "ports"):
            target = _target(port, containers)
            if target is not None and port.get("protocol", "TCP") == "TCP":
                container, number = target
                yield Probe(
                    namespace=word(pod, "metadata", "namespace"),
                    pod=word(pod, "metadata", "name"),
                    container=container,
                    own=(word(pod, "status", "podIP"), number),
                    service=word(service, "metadata", "name"),
                    address=(address, int(port["port"])),
                )
                break


def advice(kubernetes: Kubernetes, context: str) -> str:
    """What fixes it, by what made the cluster."""
    try:
        node = next(iter(kubernetes.list("/api/v1/nodes")), {})
    except BackendError:
        node = {}
    labels = at(node, "metadata", "labels") or {}
    if "minikube.k8s.io/name" in labels or context == "minikube":
        return of_minikube(str(labels.get("minikube.k8s.io/name", context)))
    if word(node, "spec", "providerID").startswith("kind://") or context.startswith("kind-"):
        return of_kind(word(node, "metadata", "name") or f"{context.removeprefix('kind-')}-control-plane")
    return _KUBELET


def of_minikube(profile: str, driver: str = "docker") -> str:
    """What fixes it on minikube: the bridge of its containers gives back what it gets."""
    if driver == "none":
        return "sudo ip link set docker0 promisc on"
    return f"minikube ssh --profile={profile} -- sudo ip link set docker0 promisc on"


def of_kind(node: str, engine: str = "docker") -> str:
    """What fixes it on kind: each port of the node's bridge gives back what it gets."""
    return f"{engine} exec {node} sh -c '{_BRIDGE}'"


def _through_kubectl(context: str) -> RunProbe:
    runner, kubectl = Runner(), ("kubectl", *(("--context", context) if context else ()))

    def exit_code(probe: Probe) -> int | None:
        where = ("--namespace", probe.namespace, "exec", probe.pod, "--container", probe.container, "--")
        try:
            return runner.run(ShellCommand((*kubectl, *where, *probe.words))).code
        except BackendError:
            return None

    return exit_code


def _seen(kubernetes: Kubernetes, namespace: str) -> tuple[list[Item], list[Item]]:
    path = f"/api/v1/namespaces/{namespace}"
    return list(kubernetes.list(f"{path}/pods")), list(kubernetes.list(f"{path}/services"))


def _has(pod: Item, selector: Mapping[str, str]) -> bool:
    return bool(selector.items() <= (at(pod, "metadata", "labels") or {}).items())


def _ready(pod: Item) -> bool:
    return condition(pod, "Ready").get("status") == "True" and bool(word(pod, "status", "podIP"))


def _target(port: Item, containers: Sequence[Item]) -> tuple[str, int] | None:
    """The container that listens where a service's port leads to, and at which port; the first where none says so."""
    target = port.get("targetPort", port.get("port"))
    for container in containers:
        for open_ in rows(container, "ports"):
            if target in (open_.get("name"), open_.get("containerPort")):
                return word(container, "name"), int(open_["containerPort"])
    first = word(containers[0], "name") if containers else ""
    return (first, target) if first and isinstance(target, int) else None
