"""The request that starts a run: the pipeline, its arguments and options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kfnb.errors import BackendError
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.kubeflow.environment_variables import with_variables
from kfnb.resources.runs.kubeflow.limits import check
from kfnb.resources.runs.kubeflow.pinned_packages import with_packages
from kfnb.resources.runs.kubeflow.storable_text import check_storable, storable
from kfnb.resources.runs.kubeflow.trainings import ON_ONE_NODE, Trainings
from kfnb.resources.runs.step_packages import FROM_STUDY

Json = Mapping[str, Any]

_KFP_EXECUTOR = "kfp.dsl.executor_main"
_UNBUFFERED = {"name": "PYTHONUNBUFFERED", "value": "1"}


def order(
    submission: Submission,
    experiment: str,
    *,
    root: str = "",
    account: str = "",
    trainings: Trainings = ON_ONE_NODE,
) -> dict[str, Any]:
    """The body of ``POST /runs``. ``root`` is the folder for artifacts, ``account`` the service account of the pods.

    ``trainings`` makes TrainJobs of steps.

    Raises ``BackendError`` for what a cluster refuses, cannot hold (``limits``) or cannot store (``storable_text``).
    """
    spec = with_packages(submission.spec, submission.packages)
    spec = with_variables(spec, submission.platform, submission.env)
    spec, platform = trainings.distributed(spec, submission.platform)
    spec = as_sent(spec if submission.cache else without_cache(spec))
    artifacts = spec.get("root", {}).get("inputDefinitions", {}).get("artifacts", {})
    given = [name for name in submission.arguments if name in artifacts]
    if given:
        raise BackendError(
            f"{', '.join(given)}: Kubeflow only accepts parameters as a pipeline's arguments; "
            f"pass the artifact's address as a text to dsl.importer"
        )
    check(spec, platform, submission.arguments)
    config: dict[str, Any] = {"parameters": dict(submission.arguments)} if submission.arguments else {}
    body = {
        **({"experiment_id": experiment} if experiment else {}),
        "display_name": submission.name,
        **({"description": FROM_STUDY + submission.study} if submission.study else {}),
        "pipeline_spec": ({"pipeline_spec": spec, "platform_spec": platform} if platform else spec),
        "runtime_config": config | ({"pipeline_root": root} if root else {}),
        **({"service_account": account} if account else {}),
    }
    check_storable(body)
    return body


def as_sent(spec: Json) -> dict[str, Any]:
    """The pipeline as it is sent to a cluster: storable, and with Python steps that write their logs line by line.

    Python buffers 8 KiB of a step's output, so that a followed log would arrive at the step's end, after later lines of
    stderr; local steps run with the same setting.
    """
    deployment = spec.get("deploymentSpec", {})
    executors = {name: _unbuffered(one) for name, one in deployment.get("executors", {}).items()}
    sent = {**spec, "deploymentSpec": {**deployment, "executors": executors}} if executors else spec
    return storable(sent)


def _unbuffered(executor: Json) -> Json:
    container = executor.get("container") or {}
    env = container.get("env") or []
    python = any(_KFP_EXECUTOR in word for word in container.get("command") or ())
    if not python or any(one.get("name") == _UNBUFFERED["name"] for one in env):
        return executor
    return {**executor, "container": {**container, "env": [*env, _UNBUFFERED]}}


def without_cache(spec: Json) -> dict[str, Any]:
    """The pipeline with caching disabled for every task."""
    components = spec.get("components", {})
    return {
        **spec,
        "root": _off(spec.get("root", {})),
        "components": {name: _off(component) for name, component in components.items()},
    }


def _off(component: Json) -> Json:
    if "dag" not in component:
        return component
    dag = component["dag"]
    tasks = {name: {**task, "cachingOptions": {}} for name, task in dag.get("tasks", {}).items()}
    return {**component, "dag": {**dag, "tasks": tasks}}
