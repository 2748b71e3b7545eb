"""What the step of a pipeline runs whose training has several nodes: it makes a TrainJob, follows it and deletes it.

The text of this file travels in the pipeline with ``pod_cluster``, ``pod_program`` and ``pod_store``, so it needs
Python's own library alone, from 3.9 on.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import signal
import sys
import tempfile
import time
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kfnb.resources.training.trainer.pod_cluster import Cluster, FollowedTraining, TrainJobFailed, say
from kfnb.resources.training.trainer.pod_store import PodStore, digest_of

_FOLDERS = {"minio": "/minio/", "s3": "/s3/", "gs": "/gcs/"}
"""Where KFP's launcher keeps the artifacts of a pod, by the scheme of their URIs."""
_ATTEMPTS = re.compile(r"\bkfnb_attempts\((\d+),")


def main(job: Mapping[str, Any]) -> int:
    """Train the step, and tell why it fails; the exit code."""
    signal.signal(signal.SIGTERM, stop)
    try:
        run(job)
    except TrainJobFailed as error:
        if not error.logged:
            say(f"the training failed: {error}")
        return 1
    return 0


def run(job: Mapping[str, Any]) -> None:
    """Train the step whose command is in the arguments of this process. Raises ``TrainJobFailed``.

    ``job`` has the ``trainjob`` without its name and its program, the ``training`` as ``pod_program`` takes it but for
    what is known here alone, the ``outputs`` of the step, its ``nodes`` and ``restarts``,
    the ``places`` that JobSet gives to pods, and the ``folder`` of all trainings in the store.
    """
    words = sys.argv[2:]
    at = words.index("--executor_input") + 1
    given, source = json.loads(words[at]), words[at - 2]
    taken = given.get("inputs", {})
    root = f"{job['folder']}/{of_step(given)}"
    store = PodStore(root, job["training"]["access"])
    inputs = dict(sent(taken.get("artifacts", {}), root, store))
    training = {
        **job["training"],
        "command": [*words[: at - 2], "{{source}}", words[at - 1], "{{$}}", *words[at + 1 :]],
        "source": source,
        "parameters": taken.get("parameterValues", {}),
        "inputs": inputs,
        "outputs": job["outputs"],
        "root": root,
    }
    retries = _ATTEMPTS.search(source)
    last = int(retries[1]) if retries else 0
    for attempt in range(last + 1):
        try:
            digest = trained(job, training, attempt)
        except TrainJobFailed as error:
            if attempt == last:
                raise
            say(f"attempt {attempt + 1} failed: {error}; the training is started again")
            time.sleep(min(2**attempt, 60))
        else:
            take_outputs(given, job["outputs"], store, digest)
            break


def stop(*_: Any) -> None:
    """End at a signal: the TrainJob is deleted, and its pods have time to save."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(143)


def trained(job: Mapping[str, Any], training: Mapping[str, Any], attempt: int) -> str:
    """Train once; the digest of what tells of the outputs. Raises ``TrainJobFailed``."""
    cluster = Cluster()
    seed = f"{training['root']} {os.environ.get('KFP_POD_UID') or os.environ.get('HOSTNAME')} {attempt}"
    name = f"{job['name']}-{hashlib.sha256(seed.encode()).hexdigest()[:10]}"
    places = job["places"]
    hosts = [f"{name}-{places['job']}-0-{node}.{places['subdomain'] or name}" for node in range(job["nodes"])]
    whole = {**training, "hosts": hosts, "port": 20_000 + secrets.randbelow(8_000)}
    packed = base64.b64encode(zlib.compress(json.dumps(whole).encode(), 9)).decode()
    size = job["item"]
    body = json.loads(json.dumps(job["trainjob"]))
    body["metadata"] |= {"name": name, "ownerReferences": owners()}
    body["spec"]["trainer"]["args"] = [packed[start : start + size] for start in range(0, len(packed), size)]
    cluster.create(body)
    say(f"TrainJob {name} was created in namespace {cluster.namespace}: {job['nodes']} nodes")
    try:
        return FollowedTraining(cluster, name, job["restarts"]).followed()
    finally:
        cluster.delete(name)


def of_step(given: Mapping[str, Any]) -> str:
    """What the objects of this step's training are called: the same when KFP starts the step again."""
    outputs = json.dumps(given["outputs"], sort_keys=True)
    unique = "://" in outputs or "/v2/" in outputs  # else the run is not in it
    seed = json.dumps(given, sort_keys=True) + ("" if unique else os.environ.get("KFP_POD_UID", ""))
    return f"step-{hashlib.sha256(seed.encode()).hexdigest()[:20]}"


def owners() -> list[dict[str, str]]:
    """This pod, as the owner of the TrainJob: it is deleted with the pod at the latest."""
    name, uid = os.environ.get("KFP_POD_NAME", ""), os.environ.get("KFP_POD_UID", "")
    return [{"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid}] if name and uid else []


def sent(artifacts: Mapping[str, Any], root: str, store: PodStore) -> Any:
    """The inputs as ``pod_program`` takes them, by name: objects of the store's bucket, or sent there now."""
    bucket = root.partition("://")[2].partition("/")[0]
    for name, one in artifacts.items():
        if len(one["artifacts"]) != 1:
            raise TrainJobFailed(
                f"{name} is a list of {len(one['artifacts'])} artifacts, which no TrainJob takes"
            )
        artifact = one["artifacts"][0]
        place, _, key = artifact["uri"].partition("://")[2].partition("/")
        if place != bucket:
            key = ""
            store.send(local(artifact["uri"]), f"inputs/{name}")
        yield (
            name,
            {
                "type": artifact.get("type", {}).get("schemaTitle", "system.Artifact"),
                "metadata": artifact.get("metadata", {}),
                "packed": "",
                "key": f"/{key}" if key else f"inputs/{name}",
            },
        )


def local(uri: str) -> Path:
    """The path of an artifact in this pod."""
    scheme, separator, path = uri.partition("://")
    return Path(_FOLDERS.get(scheme, f"/{scheme}/") + path if separator else uri)


def take_outputs(
    given: Mapping[str, Any], outputs: Mapping[str, Sequence[str]], store: PodStore, digest: str
) -> None:
    """Put what rank 0 has put out where KFP expects the outputs of this step. Raises ``TrainJobFailed``."""
    copied = Path(tempfile.mkdtemp(prefix="kfnb-outputs-")) / "outputs.json"
    store.fetch("outputs.json", copied)
    text = copied.read_bytes()
    if not digest or hashlib.sha256(text).hexdigest() != digest:
        raise TrainJobFailed("its outputs were changed in the object store, or cannot be checked")
    found = json.loads(text)
    written = found["written"]
    made = {name: one["artifacts"][0] for name, one in given["outputs"].get("artifacts", {}).items()}
    for name in outputs["artifacts"]:
        if name in found["digests"]:
            target = local(made[name]["uri"])
            store.fetch(f"outputs/{name}", target)
            if digest_of(target) != found["digests"][name]:
                raise TrainJobFailed(f"its output {name} was changed in the object store")
    for name, one in written.get("artifacts", {}).items():
        for artifact in one["artifacts"]:
            artifact["uri"] = made[name]["uri"]
    for name, value in found["values"].items():
        _write(given["outputs"]["parameters"][name]["outputFile"], value)
    _write(given["outputs"]["outputFile"], json.dumps(written))


def _write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")
