"""Kubeflow Pipelines: runs that a cluster drives."""

from kfnb.backends.kubeflow.backend import KubeflowBackend

__all__ = ["KubeflowBackend"]
