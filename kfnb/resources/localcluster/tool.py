"""The tools that make a cluster on one machine: minikube and kind."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from typing import Protocol

from kfnb.resources.localcluster.manifests import Size
from kfnb.resources.localcluster.model import Found
from kfnb.resources.localcluster.shell_command import Runner, ShellCommand

_ISSUER = "https://kubernetes.default.svc"
"""Whose service account tokens are: Istio and OAuth2-Proxy check them by it."""
_NO_PROFILE = 85
"""The exit code of minikube for an unknown profile."""


@dataclass(frozen=True)
class Shape:
    """What is to be started: Kubernetes' version, the image of kind's nodes, minikube's driver and size."""

    kubernetes: str
    image: str
    driver: str
    size: Size


class Tool(Protocol):
    """What minikube and kind have in common. A profile is the cluster's name."""

    name: str

    def context(self, profile: str) -> str:
        """The kubeconfig's context of a cluster."""

    def find(self, profile: str, runner: Runner) -> Found:
        """Whether there is such a cluster."""

    def start(self, profile: str, shape: Shape) -> ShellCommand:
        """Make a cluster."""

    def resume(self, profile: str, shape: Shape) -> ShellCommand:
        """Start a cluster that was stopped."""

    def delete(self, profile: str) -> ShellCommand:
        """Delete a cluster, and its context in the kubeconfig."""

    def left(self, profile: str) -> tuple[ShellCommand, ...]:
        """Delete what a start that broke off leaves, before the next start."""


class MinikubeTool:
    """minikube, which continues a start that broke off by itself."""

    name = "minikube"

    def context(self, profile: str) -> str:
        """The profile's name."""
        return profile

    def find(self, profile: str, runner: Runner) -> Found:
        """As ``minikube status`` reports: its exit code encodes states, and 85 that the profile does not exist."""
        done = runner.run(ShellCommand(("minikube", "status", "--profile", profile, "--output", "json")))
        status = _object(done.out)
        host = status.get("Host", "")
        if host == "Nonexistent" or (not host and done.code == _NO_PROFILE):
            return Found.ABSENT
        running = host == "Running" and status.get("APIServer") == "Running"
        return Found.RUNNING if running else Found.STOPPED

    def start(self, profile: str, shape: Shape) -> ShellCommand:
        """With the issuer and the key that Kubeflow asks for; the context that kubectl uses stays."""
        return ShellCommand(
            (
                "minikube",
                "start",
                f"--profile={profile}",
                f"--driver={shape.driver}",
                f"--kubernetes-version=v{shape.kubernetes}",
                f"--cpus={shape.size.cores}",
                f"--memory={shape.size.memory}g",
                f"--disk-size={shape.size.disk}g",
                f"--extra-config=apiserver.service-account-issuer={_ISSUER}",
                "--extra-config=apiserver.service-account-signing-key-file=/var/lib/minikube/certs/sa.key",
                "--keep-context",
                "--interactive=false",
                "--wait=all",
            )
        )

    def resume(self, profile: str, shape: Shape) -> ShellCommand:
        """The same command."""
        return self.start(profile, shape)

    def delete(self, profile: str) -> ShellCommand:
        """Machine, profile and context."""
        return ShellCommand(("minikube", "delete", f"--profile={profile}"))

    def left(self, profile: str) -> tuple[ShellCommand, ...]:
        """Nothing has to be removed."""
        del profile
        return ()


class KindTool:
    """kind, whose one node is a container and has all of the machine."""

    name = "kind"

    def context(self, profile: str) -> str:
        """As kind names it."""
        return f"kind-{profile}"

    def find(self, profile: str, runner: Runner) -> Found:
        """Whether kind lists it, and its API server answers."""
        listed = runner.run(ShellCommand(("kind", "get", "clusters")))
        if listed.code:
            raise runner.failed("kind cannot list its clusters", listed)
        if profile not in listed.out.decode("utf-8", "replace").split():
            return Found.ABSENT
        ready = (
            "kubectl",
            "--context",
            self.context(profile),
            "get",
            "--raw",
            "/readyz",
            "--request-timeout=10s",
        )
        return Found.STOPPED if runner.run(ShellCommand(ready)).code else Found.RUNNING

    def start(self, profile: str, shape: Shape) -> ShellCommand:
        """With the issuer and the key that Kubeflow asks for."""
        return ShellCommand(
            ("kind", "create", "cluster", f"--name={profile}", "--config=-", "--wait=5m"),
            json.dumps(_kind_config(shape.image)),
        )

    def resume(self, profile: str, shape: Shape) -> ShellCommand:
        """Its node is a container, which is started again."""
        del shape
        return ShellCommand((engine(), "start", f"{profile}-control-plane"))

    def delete(self, profile: str) -> ShellCommand:
        """Node and context."""
        return ShellCommand(("kind", "delete", "cluster", f"--name={profile}"))

    def left(self, profile: str) -> tuple[ShellCommand, ...]:
        """What is there in part: kind refuses to create it."""
        return (self.delete(profile),)


TOOLS: dict[str, Tool] = {"kind": KindTool(), "minikube": MinikubeTool()}
"""By their names; the first is what Kubeflow's own tests use."""


def engine() -> str:
    """What runs kind's nodes: as kind chooses, docker before podman unless its variable says otherwise."""
    given = os.environ.get("KIND_EXPERIMENTAL_PROVIDER", "")
    return given or ("podman" if shutil.which("podman") and not shutil.which("docker") else "docker")


def _kind_config(image: str) -> dict[str, object]:
    """One node. Of the two patches kind takes the one whose version of kubeadm's configuration its own has."""
    key = "/etc/kubernetes/pki/sa.key"
    values = {"service-account-issuer": _ISSUER, "service-account-signing-key-file": key}
    listed = [{"name": name, "value": value} for name, value in values.items()]
    patches = [
        {
            "kind": "ClusterConfiguration",
            "apiVersion": f"kubeadm.k8s.io/{version}",
            "apiServer": {"extraArgs": given},
        }
        for version, given in (("v1beta3", values), ("v1beta4", listed))
    ]
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [{"role": "control-plane", "image": image}],
        "kubeadmConfigPatches": [json.dumps(patch) for patch in patches],
    }


def _object(out: bytes) -> dict[str, str]:
    """The JSON object in what a tool wrote, among other lines."""
    for line in out.decode("utf-8", "replace").splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and "Host" in found:
            return found
    return {}
