"""Trainings as steps of a pipeline on a cluster: all processes of one are in one pod."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kfnb.text.ranks import nodes_of


def cautions(spec: Mapping[str, Any]) -> Iterator[str]:
    """Notes, a line each, on the steps of a PipelineSpec that are to be trained on several nodes."""
    for label, executor in spec.get("deploymentSpec", {}).get("executors", {}).items():
        command = (executor.get("container") or {}).get("command") or [""]
        nodes, each = nodes_of(str(command[-1]))
        if nodes > 1:
            name = label.removeprefix("exec-")
            yield (
                f"{name} is trained on one node: as a step of Kubeflow Pipelines, its {nodes} x {each} processes are in"
                f" one pod, with the resources of all. %%kf_train {name} --backend kubeflow trains on {nodes} nodes"
            )
