"""``kfnb cluster up``, ``status`` and ``down``, with tools that answer as the real ones."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from asked_kubernetes import asking

from kfnb.remote.kubernetes import kubeconfig

ONLY = ("--only", "cert-manager", "--force")
"""A cluster that is small: what is tested is how it comes up."""
KATIB = ("--only", "katib", "--force")


def started(tools, name="kubeflow"):
    return tools.clusters().get(name, {}).get("ready", False)


def test_a_cluster_comes_up_part_by_part_and_says_how_it_is_reached(kfnb, tools, checkout):
    code, out, err = kfnb("up", "--manifests", checkout, *KATIB)

    assert code == 0, err
    assert started(tools)
    assert "%kf_config context=kind-kubeflow namespace=kubeflow-user-example-com" in out
    assert (
        "kubectl --context kind-kubeflow -n istio-system port-forward svc/istio-ingressgateway 8080:80" in out
    )
    assert "user@example.com" in out
    assert "12341234" not in out + err
    built = [call[2].removeprefix(f"{checkout}/") for call in tools.calls("kustomize")]
    order = [
        "common/kubeflow-namespace/base",
        "common/cert-manager/base",
        "applications/dashboard/overlays/istio",
    ]
    assert [built.index(folder) for folder in order] == sorted(built.index(folder) for folder in order)
    assert built[-1] == "applications/katib/upstream/installs/katib-with-kubeflow"
    assert not any("pipeline" in folder or "kserve" in folder for folder in built)


def test_pipelines_which_ask_who_comes_are_reached_with_a_token(kfnb, checkout):
    _, out, _ = kfnb("up", "--manifests", checkout, "--only", "pipelines", "--force")

    assert (
        "(umask 077; kubectl --context kind-kubeflow -n kubeflow-user-example-com create token default-editor"
        in out
    )
    assert "%kf_config context=kind-kubeflow namespace=kubeflow-user-example-com token_file=token.txt" in out


def test_everything_is_applied_server_side_to_its_own_context(kfnb, tools, checkout):
    kfnb("up", "--manifests", checkout, *ONLY)

    applies = tools.calls("kubectl")
    assert len(applies) == len(tools.calls("kustomize"))
    words = [
        "kubectl",
        "--context",
        "kind-kubeflow",
        "apply",
        "--server-side",
        "--force-conflicts",
        "-f",
        "-",
    ]
    assert all(call == words for call in applies)


def test_a_kind_cluster_has_the_issuer_and_the_key_that_kubeflow_asks_for(kfnb, tools, checkout):
    kfnb("up", "--manifests", checkout, *ONLY)

    config = tools.clusters()["kubeflow"]["config"]
    assert config["nodes"][0]["image"].startswith("kindest/node:v1.36.1@sha256:")
    patches = {patch["apiVersion"]: patch for patch in map(json.loads, config["kubeadmConfigPatches"])}
    issuer = "https://kubernetes.default.svc"
    assert patches["kubeadm.k8s.io/v1beta3"]["apiServer"]["extraArgs"]["service-account-issuer"] == issuer
    assert {"name": "service-account-issuer", "value": issuer} in (
        patches["kubeadm.k8s.io/v1beta4"]["apiServer"]["extraArgs"]
    )


def test_minikube_is_given_cores_memory_and_version(kfnb, tools, checkout):
    code, out, _ = kfnb(
        "up", "--manifests", checkout, "--with", "minikube", "--profile", "mine", "--cores", 4, *ONLY
    )

    assert code == 0
    start = next(call for call in tools.calls("minikube") if call[1] == "start")
    assert {"--profile=mine", "--cpus=4", "--kubernetes-version=v1.36.1", "--keep-context"} <= set(start)
    assert any(word.startswith("--extra-config=apiserver.service-account-issuer=") for word in start)
    assert "context=mine" in out
    assert "kfnb cluster down --profile mine" in out


def test_what_is_missing_is_told_with_the_command_that_fixes_it_and_nothing_is_started(kfnb, tools, checkout):
    tools.without("kind", "kustomize")
    tools.tell(docker="away")

    code, _, err = kfnb("up", "--manifests", checkout, "--with", "kind")

    assert code == 1
    lines = err.splitlines()
    for tool, fix in (
        ("kind", "kind-linux"),
        ("kustomize", "bash -s 5.8.1"),
        ("docker", "systemctl start docker"),
    ):
        place = next(number for number, line in enumerate(lines) if line.startswith(f"missing  {tool} "))
        assert fix in lines[place + 1]
    assert tools.calls() == []
    assert not tools.clusters()


def test_an_old_kustomize_is_missing_and_an_old_kubectl_is_a_warning(kfnb, tools, checkout):
    tools.tell(kustomize="v5.4.3", kubectl="v1.31.0")

    code, _, err = kfnb("up", "--manifests", checkout)

    assert code == 1
    assert "missing  kustomize" in err
    assert "5.4.3; Kubeflow 26.03.1 is tested with 5.8.1: this one is too old" in err
    assert "warning  kubectl" in err


def test_a_dry_run_prints_each_command_on_a_line_and_runs_none(kfnb, tools, checkout):
    code, out, _ = kfnb("up", "--manifests", checkout, "--dry-run", "--only", "katib")

    lines = out.splitlines()
    assert code == 0
    assert tools.calls() == []
    assert lines[0].startswith("printf %s '{")
    assert lines[0].endswith("| kind create cluster --name=kubeflow --config=- --wait=5m")
    assert all(
        line.startswith(("printf", "until kustomize build", "kubectl --context kind-kubeflow wait"))
        for line in lines
    )


def test_the_lines_of_a_dry_run_do_in_a_shell_what_up_does(kfnb, tools, checkout):
    _, out, _ = kfnb("up", "--manifests", checkout, "--dry-run", "--only", "cert-manager")
    shell = "\n".join(line for line in out.splitlines() if " wait " not in line)

    subprocess.run(["/bin/sh", "-euc", shell], check=True, capture_output=True, timeout=60)
    pasted = tools.calls("kind", "kustomize", "kubectl")
    (tools.folder / "calls.jsonl").unlink()
    (tools.folder / "clusters.json").unlink()
    kfnb("up", "--manifests", checkout, *ONLY)

    assert sorted(tools.calls("kind", "kustomize", "kubectl")) == sorted(pasted)


def test_without_a_checkout_kustomize_fetches_the_release_itself_and_is_asked_again_where_that_fails(
    kfnb, tools
):
    tools.tell(build=["fatal: unable to access 'https://github.com/': Could not resolve host: github.com"])

    code, _, err = kfnb("up", *ONLY)

    first = "https://github.com/kubeflow/community-distribution//common/kubeflow-namespace/base?ref=release-26.03.1"
    assert code == 0, err
    assert tools.calls("kustomize")[:2] == 2 * [["kustomize", "build", first]]
    assert f"until kustomize build '{first}' | kubectl" in kfnb("up", "--dry-run")[1]


def test_a_build_that_fails_ends_with_kustomizes_own_words(kfnb, tools, checkout):
    tools.tell(build=["Error: accumulating resources: no such file"])

    code, _, err = kfnb("up", "--manifests", checkout, *ONLY)

    assert code == 1
    assert "Error: accumulating resources: no such file" in err
    assert "kfnb cluster up continues" in err


def test_an_apply_that_fails_is_tried_again_and_says_why(kfnb, tools, checkout):
    missing = (
        'resource mapping not found for name: "x" namespace: "" from "STDIN": no matches for kind "Gateway"'
    )
    webhook = 'Error from server (InternalError): failed calling webhook "webhook.cert-manager.io": connection refused'
    tools.tell(apply=[f"{missing}\nensure CRDs are installed first", missing, webhook])

    code, _, err = kfnb("up", "--manifests", checkout, *ONLY)

    assert code == 0
    assert "retrying: the kind Gateway is not established yet" in err
    assert "retrying: the webhook webhook.cert-manager.io does not answer yet" in err
    assert len(tools.calls("kubectl")) == len(tools.calls("kustomize")) + 3


def test_an_apply_that_can_never_succeed_ends_with_the_tools_own_words_and_the_log(
    kfnb, tools, checkout, home
):
    tools.tell(apply=3 * ['The Deployment "x" is invalid: spec.selector: Invalid value: field is immutable'])

    code, _, err = kfnb("up", "--manifests", checkout, *ONLY)

    assert code == 1
    assert "field is immutable" in err
    log = home / "clusters" / "kubeflow.log"
    assert str(log) in err
    assert "$ kubectl --context kind-kubeflow apply" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


def test_what_is_built_is_not_in_the_log(kfnb, tools, checkout, home):
    secret = "---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  password: hidden-word\n"
    (checkout / "common/dex/overlays/oauth2-proxy/built.yaml").write_text(secret)

    kfnb("up", "--manifests", checkout, *ONLY)

    kept = [file.read_text() for file in (home / "clusters").iterdir()]
    assert kept
    assert not any("hidden-word" in text for text in kept)


def test_what_is_waited_for_says_why_in_its_pods_own_words(kfnb, tools, checkout):
    told = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "controller:1"'}
    tools.tell(slow={"cert-manager": 2}, pods=[pod("cert-manager", container={"waiting": told})])

    code, _, err = kfnb("up", "--manifests", checkout, *ONLY)

    assert code == 0
    assert "0 of 1 ready; cert-manager: image controller:1 cannot be pulled" in err


@pytest.mark.parametrize("tool", ["kind", "minikube"])
def test_what_is_never_ready_fails_with_the_reasons_and_goes_on_later(kfnb, tools, checkout, tool):
    scheduling = {
        "type": "PodScheduled",
        "status": "False",
        "message": "0/1 nodes are available: 1 Insufficient memory.",
    }
    tools.tell(slow={"cert-manager": 10**6}, pods=[pod("cert-manager", scheduling)])

    code, _, err = kfnb("up", "--manifests", checkout, "--with", tool, "--timeout", 0, *ONLY)

    assert code == 1
    assert "cert-manager: cannot be scheduled: 0/1 nodes are available: 1 Insufficient memory\n" in err
    assert "-n kubeflow describe pod cert-manager-1" in err
    assert "kfnb cluster up continues" in err
    tools.tell()
    assert kfnb("up", "--force")[0] == 0
    assert len([call for call in tools.calls(tool) if call[1] in ("create", "start")]) == 1


def test_a_second_up_goes_on_with_what_was_asked_for_and_adds_parts(kfnb, tools, checkout):
    kfnb("up", "--manifests", checkout, *ONLY)
    (tools.folder / "calls.jsonl").unlink()

    code, _, _ = kfnb("up", "--only", "istio", "--force")

    built = [call[2] for call in tools.calls("kustomize")]
    assert code == 0
    assert any("istio" in folder for folder in built)
    assert any("cert-manager" in folder for folder in built)
    assert not any("dex" in folder for folder in built)
    assert tools.calls("kind") == []


def test_minikube_that_has_too_little_memory_says_so_in_its_own_words(kfnb, tools, checkout):
    tools.tell(start=["memory"])

    code, _, err = kfnb("up", "--manifests", checkout, "--with", "minikube", *ONLY)

    assert code == 1
    assert "exit code 23" in err
    assert "Requested memory allocation 15360MiB is more than your system limit" in err


def test_a_minikube_start_that_fails_half_way_goes_on(kfnb, tools, checkout):
    tools.tell(start=["halfway"])

    code, _, err = kfnb("up", "--manifests", checkout, "--with", "minikube", "--memory", 7, *ONLY)
    assert code == 1
    assert "\x1b" not in err
    assert "GUEST_START" in err

    assert kfnb("up", "--force")[0] == 0
    assert started(tools)
    starts = [call for call in tools.calls("minikube") if call[1] == "start"]
    assert starts[0] == starts[1]
    assert "--memory=7g" in starts[1]


def test_a_stopped_kind_cluster_is_started_again(kfnb, tools, checkout):
    kfnb("up", "--manifests", checkout, *ONLY)
    (tools.folder / "clusters.json").write_text(json.dumps({"kubeflow": {"ready": False}}))

    assert kfnb("up", "--force")[0] == 0
    assert ["docker", "start", "kubeflow-control-plane"] in tools.calls("docker")


@pytest.mark.parametrize("place", ["start", "apply"])
def test_an_interrupt_leaves_what_a_second_up_goes_on_from(kfnb, tools, checkout, place):
    tools.tell(**{place: ["hang"]})
    words = [sys.executable, "-m", "kfnb.cli", "cluster", "up", "--manifests", str(checkout), *ONLY]
    process = subprocess.Popen(
        words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    reached = {"start": lambda: "kubeflow" in tools.clusters(), "apply": lambda: tools.calls("kubectl")}[
        place
    ]
    until = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < until
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    time.sleep(0.2)  # the tool is about to take signals
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "kfnb cluster up continues" in err
    assert "Traceback" not in err
    assert kfnb("up", "--force")[0] == 0
    assert started(tools)
    deleted = [call for call in tools.calls("kind") if call[1] == "delete"]
    assert len(deleted) == (1 if place == "start" else 0)


def test_a_cluster_that_is_not_ours_is_left_alone(kfnb, tools, checkout):
    (tools.folder / "clusters.json").write_text(json.dumps({"kubeflow": {"ready": True}}))

    code, _, err = kfnb("up", "--manifests", checkout, *ONLY)

    assert code == 1
    assert "kind has a cluster kubeflow that kfnb did not start" in err
    assert kfnb("down", "--yes")[0] == 1
    assert started(tools)


def test_down_deletes_the_cluster_and_leaves_nothing_behind(kfnb, tools, checkout, home):
    kfnb("up", "--manifests", checkout, *ONLY)

    code, _, err = kfnb("down", "--yes")

    assert code == 0
    assert not tools.clusters()
    assert "deleted cluster kubeflow" in err
    assert not (home / "clusters").exists()
    code, _, err = kfnb("down", "--yes")
    assert code == 1
    assert "unknown cluster kubeflow: kfnb has not started it" in err


def test_down_asks_and_without_a_terminal_wants_yes(kfnb, tools, checkout):
    kfnb("up", "--manifests", checkout, *ONLY)

    code, _, err = kfnb("down")

    assert code == 2
    assert "--yes" in err
    assert started(tools)
    assert kfnb("down", "--dry-run")[1] == "kind delete cluster --name=kubeflow\n"
    assert started(tools)


def test_status_tells_what_is_there_of_kubeflow_and_whether_it_is_ready(kfnb, checkout, replay, monkeypatch):
    kfnb("up", "--manifests", checkout, *ONLY)
    asked = []
    monkeypatch.setattr(
        kubeconfig, "kubernetes", lambda context: asked.append(context) or asking(replay.url, "admin")
    )

    code, out, _ = kfnb("status")

    assert asked == ["kind-kubeflow"]
    assert out.startswith("kubeflow (kind, Kubernetes 1.36.1) runs\nKubeflow ")
    assert re.search(r"  Katib +0\.19\.0 +\d of \d ready", out)
    assert code == (0 if ": ready\n" in out else 1)
    told = json.loads(kfnb("status", "--json")[1])
    assert told["ready"] == (code == 0)
    assert {part["name"] for part in told["parts"]} >= {"Pipelines", "Katib", "Istio"}


def test_status_tells_of_a_cluster_that_is_stopped_or_gone(kfnb, tools, checkout):
    assert kfnb("status")[0] == 1
    kfnb("up", "--manifests", checkout, *ONLY)
    (tools.folder / "clusters.json").write_text(json.dumps({"kubeflow": {"ready": False}}))

    code, out, _ = kfnb("status")
    assert code == 1
    assert "kubeflow (kind, Kubernetes 1.36.1) is stopped" in out
    (tools.folder / "clusters.json").write_text("{}")
    assert "does not exist" in kfnb("status")[1]
    assert json.loads(kfnb("status", "--json")[1])["found"] == "absent"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--only", "kubernetes"], "has no such part; its parts are namespace, cert-manager"),
        (["--release", "1.2"], "--release 1.2: kfnb knows the manifests of 1.9.1, 1.10.2"),
        (["--profile", "a/b"], "--profile a/b"),
        (["--manifests", "/nowhere"], "folder not found"),
        (["--with", "kind", "--cores", "2"], "are for minikube"),
        (["--manifests", "https://me:word@example.com/m?ref=1"], "remove the password"),
        (["--kubernetes", "new"], "write the full version, such as 1.36.1"),
    ],
)
def test_words_that_make_no_sense_are_refused_in_one_line(kfnb, tools, words, told):
    code, out, err = kfnb("up", *words)

    assert code == 2
    assert told in err
    assert len(err.splitlines()) == 1
    assert "word" not in err or "password" in err
    assert tools.calls() == []
    assert out == ""


def pod(name, *conditions, container=None):
    status = {
        "conditions": list(conditions),
        "containerStatuses": [{"name": "main", "image": "controller:1", "state": container}]
        if container
        else [],
    }
    about = {"name": f"{name}-1", "namespace": "kubeflow", "labels": {"app": name, "more": "1"}}
    return {"kind": "Pod", "metadata": about, "status": status}


def test_a_verb_that_there_is_not_is_refused(kfnb):
    assert kfnb("start")[0] == 2
    assert "kfnb cluster: a verb is required; the verbs are up, status and down" in kfnb()[2]
