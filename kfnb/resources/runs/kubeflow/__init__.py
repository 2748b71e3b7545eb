"""Kubeflow Pipelines: runs that a cluster drives."""

from kfnb.resources.runs.kubeflow.backend import KubeflowBackend

__all__ = ["KubeflowBackend"]
