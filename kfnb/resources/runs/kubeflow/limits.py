"""The limits of a cluster, checked before a pipeline is sent; and what a cluster does differently.

KFP's API server compiles the PipelineSpec to an Argo Workflow. The numbers and their sources:

- Each task's container, and the task itself, are one argument of the driver's command, as JSON (KFP 2.17.0,
  ``backend/src/v2/compiler/argocompiler/container.go``, ``--container`` and ``--task``; the run's arguments are the
  root driver's ``--runtime_config``, ``dag.go``). Linux takes 128 KiB an argument, with the zero at its end
  (``MAX_ARG_STRLEN``, ``include/uapi/linux/binfmts.h``). Of these, KFP reads only ``--component`` from a file where it
  is longer (since 2.16, ``backend/src/v2/cmd/driver/main.go``); so that one is not counted.
- The whole Workflow is one object of Kubernetes. etcd takes requests of 1.5 MiB (``--max-request-bytes``). Argo itself
  has a limit of 1 MiB for a Workflow with its nodes compressed, unless they are offloaded to a database
  (``MAX_WORKFLOW_SIZE``, ``workflow/packer/packer.go``): what is between the two is a caution, not a refusal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from kfnb.errors import BackendError
from kfnb.resources.runs.kubeflow.exit_hooks import after_hooks, without_hook

Json = Mapping[str, Any]

_ARGUMENT = 128 * 1024 - 1
_REQUEST = 1536 * 1024
_WORKFLOW = 1024 * 1024
_FRAME = 7000
"""Bytes of a Workflow without its pipeline: KFP's own templates. Recorded: 7,060 to 7,900."""
_TASK = 700
"""Bytes that a task takes in the templates, in addition to its JSON. Recorded: 730 and more."""
_NODES = 1800
"""Bytes that Argo keeps of a task that has run, compressed, at least: those of a task like a hundred others."""


def check(spec: Json, platform: Json | None, arguments: Json) -> None:
    """Raise ``BackendError`` if a cluster cannot store or run the pipeline, with the reason and what to do."""
    for tasks in _dags(spec):
        for name, need in after_hooks(tasks):
            raise BackendError(
                f"{name} depends on {need}, which ignores the failure of another task, and Kubeflow Pipelines"
                " does not run tasks after such a task: put both into a nested pipeline"
            )
    for what, size, remedy in _arguments(spec, arguments):
        if size > _ARGUMENT:
            raise BackendError(
                f"{what} is {_kib(size)} as JSON, and a cluster passes it as one argument of a command, which is"
                f" limited to 128 KiB on Linux: {remedy}"
            )
    size = workflow_size(spec, platform, arguments)
    if size > _REQUEST:
        raise BackendError(
            f"the pipeline is about {_kib(size)} as an Argo Workflow, and Kubernetes stores at most 1,536 KiB: split it"
            " into several pipelines, replace similar steps by a loop, or move code and data into the image"
        )


def cautions(spec: Json, platform: Json | None = None) -> Iterator[str]:
    """Notes on how a cluster runs the pipeline, a line each."""
    retried = sorted(set(_retried(spec)))
    if retried:
        yield (
            f"{', '.join(retried)}: KFP 2.17 by default retries a lost pod, but not a failed program;"
            " --retries of %%kf_component retries both"
        )
    for tasks in _dags(spec):
        for name, other in sorted(without_hook(tasks).items()):
            yield (
                f"{name} never runs on Kubeflow Pipelines: of the tasks that ignore the failure of the same task it"
                f" only runs {other}"
            )
    size = workflow_size(spec, platform, {}) + _NODES * sum(1 for _ in _tasks(spec))
    if size > _WORKFLOW:
        yield (
            f"the pipeline compiles to an Argo Workflow of about {_kib(size)}: over 1,024 KiB the run fails unless Argo"
            " offloads its status to a database (nodeStatusOffLoad); split the pipeline"
        )


def workflow_size(spec: Json, platform: Json | None, arguments: Json) -> int:
    """A lower estimate of the bytes of the Workflow's spec that KFP compiles from a pipeline.

    A component appears once, as text, however many tasks it has; a task appears in the template of its group.
    """
    components, executors = spec.get("components", {}), _executors(spec)
    settings = ((platform or {}).get("platforms", {}).get("kubernetes", {}).get("deploymentSpec") or {}).get(
        "executors", {}
    )
    texts = {"root": _go(spec.get("root", {}))}
    for name, component in components.items():
        label = component.get("executorLabel", "")
        container = executors.get(label, {}).get("container")
        # KFP merges components that run the same
        key = hashlib.sha256(_go(container).encode()).hexdigest() if container else name
        texts[key] = _go(component)
        if container:
            texts[f"{key} implementation"] = _go(container)
        if label in settings:
            texts[f"{name} kubernetes"] = _go(settings[label])
    tasks = [_size(_go(_go(task))) + _TASK for _, task in _tasks(spec)]
    return (
        _FRAME
        + sum(_size(_go(text)) for text in texts.values())
        + sum(tasks)
        + _size(_go(_go(dict(arguments))))
    )


def _arguments(spec: Json, arguments: Json) -> Iterator[tuple[str, int, str]]:
    """The values passed as one argument of a command: name, size, and what to do if it is too large."""
    yield (
        "the pipeline's input",
        _size(_go({"parameterValues": dict(arguments)})),
        "pass the address of a file instead of its content",
    )
    for label, executor in _executors(spec).items():
        yield (
            f"the program of {label.removeprefix('exec-')}",
            _size(_go(executor.get("container", {}))),
            "move its data to a file that it reads, and its code to a package in its image",
        )
    for name, task in _tasks(spec):
        yield (
            f"{name} with its constants",
            _size(_go(task)),
            "build the list or the text in a step, and use its output",
        )


def _retried(spec: Json) -> Iterator[str]:
    """The tasks with retries by the cluster and without retries by kfnb."""
    executors = _executors(spec)
    for name, task in _tasks(spec):
        component = spec.get("components", {}).get(task.get("componentRef", {}).get("name"), {})
        container = executors.get(component.get("executorLabel", ""), {}).get("container", {})
        own = any("kfnb_attempts(" in word for word in container.get("command") or ())
        if int(task.get("retryPolicy", {}).get("maxRetryCount", 0)) and not own:
            yield name


def _tasks(spec: Json) -> Iterator[tuple[str, Json]]:
    for tasks in _dags(spec):
        yield from tasks.items()


def _dags(spec: Json) -> Iterator[Json]:
    for component in (spec.get("root", {}), *spec.get("components", {}).values()):
        yield component.get("dag", {}).get("tasks", {})


def _executors(spec: Json) -> Json:
    found: Json = spec.get("deploymentSpec", {}).get("executors", {})
    return found


def _go(value: Any) -> str:
    """JSON as Go writes it, with HTML characters escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _kib(size: int) -> str:
    return f"{size / 1024:,.0f} KiB"
