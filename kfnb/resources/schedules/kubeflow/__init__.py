"""Schedules on a cluster: recurring runs of Kubeflow Pipelines."""
