"""A pod that cannot reach its own service: the probe, what it asks, and what it advises."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kfnb.resources.cluster.checks import hairpin
from kfnb.resources.cluster.checks.hairpin import Probe, advice, judged, probes
from kfnb.resources.cluster.model import CheckOutcome

NOWHERE = ("127.255.255.254", 1)


@pytest.fixture
def listening() -> Iterator[tuple[str, int]]:
    """A server that accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()


def pod(name: str, *, app: str = "", ready: str = "True", containers: Any = None) -> dict[str, Any]:
    """A pod that runs."""
    return {
        "metadata": {"name": name, "namespace": "kubeflow", "labels": {"app": app or name, "x": "y"}},
        "spec": {
            "containers": containers or [{"name": "main", "ports": [{"name": "http", "containerPort": 80}]}]
        },
        "status": {"podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": ready}]},
    }


def service(app: str, address: str = "10.96.0.1", target: Any = "http") -> dict[str, Any]:
    """A service of the pods of an app."""
    ports = [{"port": 8080, "targetPort": target}]
    return {
        "metadata": {"name": f"{app}-svc"},
        "spec": {"selector": {"app": app}, "clusterIP": address, "ports": ports},
    }


def probe(own: tuple[str, int], address: tuple[str, int]) -> Probe:
    """A probe of a pod at these addresses."""
    return Probe("kubeflow", "db-0", "main", own, "db", address)


def here(one: Probe) -> int:
    """Run a probe's command here, as it would be in a pod."""
    return subprocess.run(one.words, capture_output=True, check=False).returncode


def test_the_script_tells_a_service_that_is_cut_off_from_a_pod_that_does_not_listen(listening: Any) -> None:
    good = judged([probe(listening, listening)], here, "fix")
    assert (good.outcome, good.fix) == (CheckOutcome.GOOD, "")
    bad = judged([probe(listening, NOWHERE)], here, "fix")
    assert (bad.outcome, bad.fix) == (CheckOutcome.BAD, "fix")
    assert "pod db-0 cannot reach itself through its service db (127.255.255.254:1)" in bad.message
    assert judged([probe(NOWHERE, listening)], here, "fix").outcome is CheckOutcome.SKIPPED


def test_what_cannot_be_asked_is_no_fault_and_the_next_pod_is(listening: Any) -> None:
    answers = iter([None, 3, 127, 0])
    assert judged([probe(listening, listening)] * 4, lambda _: next(answers), "").outcome is CheckOutcome.GOOD
    assert judged([], here, "").outcome is CheckOutcome.SKIPPED
    assert judged([probe(listening, listening)] * 9, lambda _: None, "").outcome is CheckOutcome.SKIPPED


def test_only_a_pod_that_is_alone_and_ready_behind_its_service_tells() -> None:
    two = [pod("a-1", app="a"), pod("a-2", app="a")]
    proxied = pod("m", containers=[{"name": "main"}, {"name": "istio-proxy"}])
    pods = [*two, pod("b"), pod("c", ready="False"), pod("d"), proxied]
    services = [
        service("a"),
        service("b"),
        service("c"),
        service("d", "None"),
        service("m", target=80),
        service("z"),
    ]
    assert list(probes(pods, services)) == [
        Probe("kubeflow", "b", "main", ("10.0.0.1", 80), "b-svc", ("10.96.0.1", 8080))
    ]


class Nodes:
    """A server with one node."""

    def __init__(self, node: dict[str, Any]) -> None:
        self._node = node

    def list(self, path: str) -> Iterator[dict[str, Any]]:
        assert path == "/api/v1/nodes"
        return iter([self._node])


@pytest.mark.parametrize(
    ("node", "context", "fix"),
    [
        (
            {"metadata": {"name": "m", "labels": {"minikube.k8s.io/name": "mine"}}},
            "work",
            "minikube ssh --profile=mine -- sudo ip link set docker0 promisc on",
        ),
        (
            {
                "metadata": {"name": "kf-control-plane"},
                "spec": {"providerID": "kind://docker/kf/kf-control-plane"},
            },
            "kind-kf",
            "docker exec kf-control-plane sh -c 'for port in",
        ),
        ({"metadata": {"name": "node-1"}}, "work", "hairpinMode: hairpin-veth"),
    ],
)
def test_the_advice_is_that_of_what_made_the_cluster(node: Any, context: str, fix: str) -> None:
    assert fix in advice(Nodes(node), context)  # type: ignore[arg-type]


def test_pods_are_asked_through_kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(
        f"#!{sys.executable}\nimport json, sys\n"
        f"open({str(tmp_path / 'asked')!r}, 'w').write(json.dumps(sys.argv[1:]))\nsys.exit(5)\n"
    )
    kubectl.chmod(kubectl.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))

    class Server(Nodes):
        def list(self, path: str) -> Iterator[dict[str, Any]]:
            found = {"pods": [pod("b")], "services": [service("b")], "nodes": [self._node]}
            return iter(found[path.rpartition("/")[2]])

    node = {"metadata": {"name": "kf-control-plane"}, "spec": {"providerID": "kind://docker/kf/x"}}
    told = hairpin.hairpin(Server(node), ["kubeflow"], "kind-kf")  # type: ignore[arg-type]
    assert (told.outcome, told.fix.split()[:3]) == (CheckOutcome.BAD, ["docker", "exec", "kf-control-plane"])
    asked = json.loads((tmp_path / "asked").read_text())
    assert asked[:8] == [
        "--context",
        "kind-kf",
        "--namespace",
        "kubeflow",
        "exec",
        "b",
        "--container",
        "main",
    ]
    assert asked[-4:] == ["10.0.0.1", "80", "10.96.0.1", "8080"]
    kubectl.unlink()
    assert hairpin.hairpin(Server(node), ["kubeflow"], "").outcome is CheckOutcome.SKIPPED  # type: ignore[arg-type]
