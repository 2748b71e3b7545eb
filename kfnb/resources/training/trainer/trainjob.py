"""The TrainJob of a training."""

from __future__ import annotations

import base64
import inspect
import json
import re
import secrets
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any

from kfnb.errors import BackendError
from kfnb.remote.kubernetes import pod_settings
from kfnb.resources.training.trainer import pod_program, pod_store
from kfnb.resources.training.trainer.objects import CONTAINER, GROUP, QUEUE, RECORD, TRAINING, VERSION
from kfnb.resources.training.trainer.runtimes import TrainingRuntime
from kfnb.resources.training.trainer.step import TrainingStep
from kfnb.resources.training.trainer.storage import PodAccess, package

PREFIX = "train-"
"""What the name of each TrainJob of kfnb begins with: no id of a run elsewhere does."""
_MANAGER = "kfnb.dev/kfnb"
_NO_MESH = {"sidecar.istio.io/inject": "false"}
"""Peers would not find each other through a proxy, and a pod with a proxy beside it never ends."""
ITEM = 60_000
"""Characters of an item of the arguments: Trainer 2.2 takes 65,536."""
_MOST = 700_000
"""Characters of all: etcd keeps objects of 1.5 MiB, and the jobs and pods below have them again."""
_LONGEST_NAME = 40
"""Letters of a TrainJob's name: those of pods have more, and 63 at most."""
LOADER = (
    "import base64,json,sys,types,zlib;"
    "job=json.loads(zlib.decompress(base64.b64decode(''.join(sys.argv[1:]))));"
    "made={name:sys.modules.setdefault(name,types.ModuleType(name)) for name in job['modules']};"
    "[exec(compile(text,name,'exec'),made[name].__dict__) for name,text in job['modules'].items()];"
    "sys.exit(made[[*made][-1]].main(job))"
)
"""What each pod starts: no shell, and nothing that a shell or Kubernetes would expand."""


@dataclass(frozen=True)
class TrainerSchema:
    """What a version of Trainer takes: ``patches`` is how pods are customised in it."""

    patches: str

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> TrainerSchema:
        """From the fields of a TrainJob's spec. Raises ``BackendError`` for a version that kfnb does not know."""
        for name in ("runtimePatches", "podTemplateOverrides"):
            if name in properties:
                return cls(name)
        raise BackendError("kfnb needs Kubeflow Trainer 2.1 or newer, and this cluster's is older")


@dataclass(frozen=True)
class ClusterTraining:
    """A training as it is sent: ``nodes`` pods with ``procs`` processes each.

    ``inputs`` are as ``TrainingObjects.pack`` has them, below ``root``; ``pip`` are options of pip. ``timeout`` is in
    seconds, 0 for none. ``record`` is what kfnb reads again.
    """

    name: str
    step: TrainingStep
    runtime: TrainingRuntime
    nodes: int
    inputs: Mapping[str, Any]
    root: str
    access: PodAccess
    record: Mapping[str, Any]
    queue: str = ""
    pip: tuple[str, ...] = ()
    account: str = ""

    @property
    def hosts(self) -> list[str]:
        """The names of the pods, which JobSet gives them."""
        domain = self.runtime.subdomain or self.name
        return [f"{self.name}-{self.runtime.job}-0-{node}.{domain}" for node in range(self.nodes)]


def new_name(component: str) -> str:
    """A name for the TrainJob of a component: lower-case letters, digits and dashes."""
    end = f"-{datetime.now().astimezone():%m%d-%H%M%S}-{secrets.token_hex(2)}"
    middle = re.sub("[^a-z0-9]+", "-", component.lower()).strip("-")
    return PREFIX + middle[: _LONGEST_NAME - len(PREFIX) - len(end)].rstrip("-") + end


def trainjob(training: ClusterTraining, schema: TrainerSchema) -> dict[str, Any]:
    """The object. Raises ``BackendError`` where it would be too large."""
    whole = without_program(training, schema)
    whole["spec"]["trainer"]["args"] = list(_items(_packed(training)))
    return whole


def without_program(training: ClusterTraining, schema: TrainerSchema) -> dict[str, Any]:
    """The object without what its pods run."""
    step = training.step
    labels = {TRAINING: step.name} | ({QUEUE: training.queue} if training.queue else {})
    environment = [
        *({"name": one["name"], "value": _literal(one["value"])} for one in step.container.get("env", ())),
        *pod_settings.variables(step.settings),
        *training.access.env,
    ]
    trainer: dict[str, Any] = {
        "image": step.container["image"],
        "command": ["python3", "-u", "-c", LOADER],
        "args": [],
        "numNodes": training.nodes,
        "env": environment,
    }
    resources = pod_settings.resources([step.container.get("resources") or {}])
    trainer |= {"resourcesPerNode": resources} if resources else {}
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "TrainJob",
        "metadata": {
            "name": training.name,
            "labels": labels,
            "annotations": {RECORD: json.dumps(training.record, separators=(",", ":"))},
        },
        "spec": {
            "runtimeRef": {"apiGroup": GROUP, "kind": training.runtime.kind, "name": training.runtime.name},
            "trainer": trainer,
            schema.patches: _patches(training, schema),
        },
    }


def source_of(item: Mapping[str, Any]) -> str:
    """The program of the step that the pods of a TrainJob run; empty where it cannot be read."""
    try:
        text = "".join(item["spec"]["trainer"]["args"])
        return str(json.loads(zlib.decompress(base64.b64decode(text)))["source"])
    except (KeyError, TypeError, ValueError, zlib.error):
        return ""


def _packed(training: ClusterTraining) -> str:
    step = training.step
    job = {
        "modules": sources(pod_store, pod_program),
        "command": step.command,
        "source": step.source,
        "parameters": dict(step.parameters),
        "inputs": dict(training.inputs),
        "outputs": outputs_of(step),
        "hosts": training.hosts,
        "port": 20_000 + secrets.randbelow(8_000),
        "root": training.root,
        **everywhere(training),
    }
    packed = pack(job)
    if len(packed) > _MOST:
        raise BackendError(
            f"the code and the parameters of {step.name} are {len(packed) // 1000} KB, and a TrainJob holds"
            f" {_MOST // 1000}: read what is large from a file or a data set"
        )
    return packed


def sources(*modules: ModuleType) -> dict[str, str]:
    """The texts of modules that travel, by their names; the last one's ``main`` is called."""
    return {one.__name__: inspect.getsource(one) for one in modules}


def outputs_of(step: TrainingStep) -> dict[str, Any]:
    """The outputs of a step as ``pod_program`` takes them."""
    return {"parameters": list(step.results), "artifacts": dict(step.outputs)}


def everywhere(training: ClusterTraining) -> dict[str, Any]:
    """What is known of a training wherever it is started from: its time in seconds, and how its store is reached."""
    access = training.access
    reached = {"service": access.service, "options": dict(access.options), "package": package()}
    timeout = int(training.step.settings.get("activeDeadlineSeconds", 0))
    return {"timeout": timeout, "access": {**reached, "pip": list(training.pip)}}


def pack(job: Mapping[str, Any]) -> str:
    """What ``LOADER`` takes, in one item or several."""
    return base64.b64encode(zlib.compress(json.dumps(job).encode(), 9)).decode()


def _items(text: str) -> Iterator[str]:
    for start in range(0, len(text), ITEM):
        yield text[start : start + ITEM]


def _patches(training: ClusterTraining, schema: TrainerSchema) -> list[dict[str, Any]]:
    """How the pods differ from those of the runtime."""
    settings = training.step.settings
    pod = {name: part for name, part in pod_settings.pod(settings).items() if name != "activeDeadlineSeconds"}
    mounts = pod_settings.container(settings).get("volumeMounts")
    if mounts:
        pod["containers"] = [{"name": CONTAINER, "volumeMounts": mounts}]
    if training.account:
        pod["serviceAccountName"] = training.account
    template: dict[str, Any] = {"metadata": pod_settings.metadata(settings, _NO_MESH)}
    template |= {"spec": pod} if pod else {}
    job = training.runtime.job
    if schema.patches == "podTemplateOverrides":
        return [{"targetJobs": [{"name": job}], **template}]
    jobs = [{"name": job, "template": {"spec": {"template": template}}}]
    return [{"manager": _MANAGER, "trainingRuntimeSpec": {"template": {"spec": {"replicatedJobs": jobs}}}}]


def _literal(value: str) -> str:
    """A text that Kubernetes, which replaces ``$(NAME)`` and halves ``$$``, leaves unchanged."""
    return value.replace("$", "$$")
