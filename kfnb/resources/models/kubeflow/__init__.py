"""The model registry of a cluster: Kubeflow's Model Registry (Kubeflow Hub), and its object store."""

from kfnb.resources.models.kubeflow.connection import connect
from kfnb.resources.models.kubeflow.engine import KubeflowRegistry

__all__ = ["KubeflowRegistry", "connect"]
