"""Kubeflow's Model Registry (Kubeflow Hub) over REST: where it is, and its JSON."""
