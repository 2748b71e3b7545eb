"""Notebooks on the cluster, both kinds: found, started, stopped, created and deleted as Kubeflow's own pages do it."""
