"""Kubernetes: how it is reached, asked, and what there is of Kubeflow in it."""
