"""The local engine: KFP pipelines on this machine, with the cluster's semantics."""

from kfnb.resources.runs.local.engine import LocalRunEngine

__all__ = ["LocalRunEngine"]
