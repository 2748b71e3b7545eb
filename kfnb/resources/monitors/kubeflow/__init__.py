"""Monitors on a cluster: a recurring run of Kubeflow Pipelines, whose steps are modules of kfnb that travel as text."""
