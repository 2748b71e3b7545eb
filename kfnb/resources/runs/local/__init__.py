"""The local backend: KFP pipelines on this machine, with the cluster's semantics."""

from kfnb.resources.runs.local.backend import LocalBackend

__all__ = ["LocalBackend"]
