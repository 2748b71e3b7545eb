"""Notebooks on the cluster, both kinds: found, started, stopped, created and deleted as Kubeflow's own pages do it."""

from kfnb.cluster.notebooks.asked import HOME, Asked
from kfnb.cluster.notebooks.creating import Creating
from kfnb.cluster.notebooks.kind import Kind
from kfnb.cluster.notebooks.spawner import Spawner

__all__ = ["HOME", "Asked", "Creating", "Kind", "Spawner"]
