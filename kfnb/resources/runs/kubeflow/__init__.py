"""Kubeflow Pipelines: runs that a cluster drives."""

from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine

__all__ = ["KubeflowRunEngine"]
