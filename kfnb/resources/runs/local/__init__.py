"""The local backend: KFP pipelines on this machine, meant as on the cluster."""

from kfnb.resources.runs.local.backend import LocalBackend

__all__ = ["LocalBackend"]
