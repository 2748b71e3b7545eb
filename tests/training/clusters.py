"""What tests of trainings on a cluster do with it: its settings, its only TrainJob, what they wait for."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from kfnb import settings as config
from kfnb import target
from kfnb.jobs.polling import Pace
from kfnb.remote.current import Current
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.retry import RetryPolicy
from kfnb.resources.training.trainer import connection
from tests.training.simulated_trainer import ClusterUnderTest


def use(cluster: ClusterUnderTest, s3: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the settings name a namespace of a cluster, whose runs are stored in a bucket."""
    for body in stored_at(s3, f"s3://bucket/root-{namespace}"):
        cluster.put(body)
    cluster.store = s3
    reach(cluster.configuration(), namespace, monkeypatch)


def reach(configuration: Any, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the settings name a namespace of the cluster that a configuration of the client reaches."""
    made = Kubernetes(lambda: configuration, retry=RetryPolicy(tries=1))
    monkeypatch.setattr(target, "kubernetes", lambda *_: made)
    monkeypatch.setenv("KFNB_NAMESPACE", namespace)
    config.reset()
    monkeypatch.setattr("kfnb.resources.training.trainer.engine.TrainerEngine.polling", Pace(0.1, 0.3))
    monkeypatch.setattr(connection, "_current", Current())


def stored_at(store: str, root: str) -> Iterator[dict[str, Any]]:
    """The objects that say where the runs of a namespace are stored, and with which keys."""
    reference = {"secretName": "store", "accessKeyKey": "id", "secretKeyKey": "key"}
    access = {"endpoint": store, "region": "us-east-1", "disableSSL": True, "forcePathStyle": True}
    access |= {"credentials": {"fromEnv": False, "secretRef": reference}}
    data = {"defaultPipelineRoot": root, "providers": json.dumps({"s3": {"default": access}})}
    yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kfp-launcher"}, "data": data}
    keys = {"id": "key-of-the-store", "key": "secret-of-the-store"}
    held = {name: base64.b64encode(value.encode()).decode() for name, value in keys.items()}
    yield {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "store"}, "data": held}


def trainjob(cluster: ClusterUnderTest) -> dict[str, Any]:
    """The only TrainJob."""
    [found] = cluster.trainjobs()
    return found


def until(condition: Any, seconds: float = 30) -> Any:
    """What a condition gives, once it is true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it has not happened"
        time.sleep(0.05)
    return found
