"""Stands in for minikube, kind, docker, kustomize and kubectl: under each of these names it answers as the real one.

It keeps what there is in a folder: ``calls.jsonl``, ``clusters.json``, ``applied.json``, and ``told.json``, in which a
test says what is to go wrong.
"""

import json
import os
import re
import signal
import sys
import time
from pathlib import Path

HERE = Path(os.environ["KFNB_STAND_INS"])
NAME, WORDS = Path(sys.argv[0]).name, sys.argv[1:]


def kept(name, default):
    file = HERE / name
    return json.loads(file.read_text()) if file.exists() else default


def keep(name, value):
    (HERE / name).write_text(json.dumps(value))


TOLD = kept("told.json", {})


def next_of(name):
    """The next of the failures that a test has told of, each of which happens once."""
    waiting = TOLD.get(name, [])
    if not waiting:
        return None
    keep("told.json", {**TOLD, name: waiting[1:]})
    return waiting[0]


def say(*lines):
    sys.stderr.writelines(f"{line}\n" for line in lines)
    sys.stderr.flush()


def end(code, *lines, out=""):
    say(*lines)
    sys.stdout.write(out)
    sys.exit(code)


def hang():
    """As a tool that waits for something, and cleans nothing up when it is interrupted."""
    signal.signal(signal.SIGINT, lambda *_: end(130, "interrupted"))
    while True:
        time.sleep(0.05)


def option(name):
    return next((word.partition("=")[2] for word in WORDS if word.startswith(f"--{name}=")), "")


def kind():
    clusters = kept("clusters.json", {})
    match WORDS[:2]:
        case ["get", "clusters"]:
            end(
                0,
                *([] if clusters else ["No kind clusters found."]),
                out="".join(f"{one}\n" for one in clusters),
            )
        case ["delete", "cluster"]:
            name = option("name")
            clusters.pop(name, None)
            keep("clusters.json", clusters)
            end(0, f'Deleting cluster "{name}" ...')
        case ["create", "cluster"]:
            name = option("name")
            if name in clusters:
                end(
                    1,
                    f'ERROR: failed to create cluster: node(s) already exist for a cluster with the name "{name}"',
                )
            config = json.loads(sys.stdin.read())
            keep("clusters.json", {**clusters, name: {"config": config, "ready": False}})
            say(f'Creating cluster "{name}" ...')
            if next_of("start") == "hang":
                hang()
            keep("clusters.json", {**clusters, name: {"config": config, "ready": True}})
            end(0, f'Set kubectl context to "kind-{name}"')
    end(1, f"unknown command {WORDS}")


def minikube():
    clusters = kept("clusters.json", {})
    name = option("profile") or WORDS[WORDS.index("--profile") + 1]
    match WORDS[0]:
        case "status":
            if name not in clusters:
                end(
                    85,
                    out=json.dumps({"type": "io.k8s.sigs.minikube.step", "data": {"message": "not found"}})
                    + "\n",
                )
            server = "Running" if clusters[name]["ready"] else "Stopped"
            told = {"Name": name, "Host": "Running", "Kubelet": server, "APIServer": server}
            end(0 if server == "Running" else 2, out=json.dumps(told))
        case "delete":
            clusters.pop(name, None)
            keep("clusters.json", clusters)
            end(0, f'Removed all traces of the "{name}" cluster.')
        case "start":
            say("* minikube v1.38.0 on Debian 13")
            match next_of("start"):
                case "memory":
                    told = "Requested memory allocation 15360MiB is more than your system limit 7950MiB."
                    end(
                        23,
                        f"X Exiting due to RSRC_OVER_ALLOC_MEM: {told}",
                        "* Suggestion: Start minikube with less memory",
                    )
                case "halfway":
                    keep("clusters.json", {**clusters, name: {"ready": False}})
                    end(
                        80,
                        "\x1b[31mX\x1b[0m Exiting due to GUEST_START: wait 6m0s for node: timed out",
                    )
            keep("clusters.json", {**clusters, name: {"ready": True}})
            end(0, out=f'* Done! kubectl is now configured to use "{name}" cluster\n')
    end(14, f"unknown command {WORDS}")


def docker():
    if WORDS[0] == "info" and TOLD.get("docker") == "away":
        end(
            1,
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        )
    if WORDS[0] == "start":
        clusters = kept("clusters.json", {})
        clusters[WORDS[1].removesuffix("-control-plane")]["ready"] = True
        keep("clusters.json", clusters)
    end(0, out="\n")


def kustomize():
    if WORDS == ["version"]:
        end(0, out=TOLD.get("kustomize", "v5.8.1") + "\n")
    failure = next_of("build")
    if failure:
        end(1, failure)
    file = Path(WORDS[1]) / "built.yaml"
    end(0, out=file.read_text() if file.exists() else "---\n")


def kubectl():
    if WORDS[0] == "version":
        end(0, out=json.dumps({"clientVersion": {"gitVersion": TOLD.get("kubectl", "v1.36.0")}}))
    clusters, context, verb = kept("clusters.json", {}), WORDS[1], WORDS[2:]
    if not clusters.get(context.removeprefix("kind-"), {}).get("ready"):
        end(1, f'Error in configuration: context was not found for specified context: "{context}"')
    match verb:
        case ["get", "--raw", *_]:
            end(0, out="ok")
        case ["apply", *_]:
            apply(sys.stdin.read())
        case ["get", "deployments.apps,statefulsets.apps,daemonsets.apps", *_]:
            listed([workload(*one) for one in kept("applied.json", [])])
        case ["get", "pods", *_]:
            listed(TOLD.get("pods", []))
        case ["get", "events", *_]:
            listed(TOLD.get("events", []))
    end(1, f"error: unknown command {verb}")


def apply(text):
    failure = next_of("apply")
    if failure == "hang":
        hang()
    if failure:
        end(1, *failure.splitlines())
    form = r"kind: (Deployment|StatefulSet)\nmetadata:\n  name: (\S+)\n  namespace: (\S+)"
    applied = kept("applied.json", [])
    keep("applied.json", [*applied, *(one for one in re.findall(form, text) if list(one) not in applied)])
    end(0, out="serverside-applied\n")


def workload(kind, name, namespace):
    slow = TOLD.get("slow", {})
    looks = kept("looks.json", {})
    keep("looks.json", {**looks, name: looks.get(name, 0) + 1})
    done = looks.get(name, 0) >= slow.get(name, 0)
    status = {
        "observedGeneration": 1,
        "updatedReplicas": 1,
        "availableReplicas": int(done),
        "readyReplicas": int(done),
    }
    about = {"name": name, "namespace": namespace, "generation": 1}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": name}}}
    return {"kind": kind, "metadata": about, "spec": spec, "status": status}


def listed(items):
    end(0, out=json.dumps({"kind": "List", "items": items}))


with (HERE / "calls.jsonl").open("a") as calls:
    calls.write(json.dumps([NAME, *WORDS]) + "\n")
{"kind": kind, "minikube": minikube, "docker": docker, "kustomize": kustomize, "kubectl": kubectl}[NAME]()
