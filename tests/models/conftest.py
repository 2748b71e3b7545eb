"""What the tests of registries share: Kubeflow's, with the object store of its cluster."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "runs" / "kubeflow"))

from cluster import ACCESS, SECRET, Objects, running
from model_registry_rig import REAL, SERVERS, RegistryRig, serving

from kfnb.remote.model_registry.server import RegistryServer
from kfnb.remote.objects import AccessKeys, ObjectStore, StoreAccess
from kfnb.remote.objects.files import ObjectFiles
from kfnb.remote.retry import RetryPolicy
from kfnb.resources.models.kubeflow import KubeflowRegistry
from kfnb.resources.models.kubeflow.folders import StoredFolders

ROOT = "s3://mlpipeline/v2/artifacts"
QUICK = RetryPolicy(tries=3, pause=0.01, longest=0.02, connect=2.0, read=2.0, deadline=10.0)


@pytest.fixture
def objects() -> Iterator[Objects]:
    """The object store of the cluster."""
    with running(Objects()) as store:
        store.held = {}
        yield store


@pytest.fixture(params=SERVERS)
def rig(request: pytest.FixtureRequest) -> Iterator[RegistryRig]:
    """The model registry of the cluster: recorded, or real."""
    with serving(request.param, _name(request)) as one:
        yield one


@pytest.fixture
def connected(
    rig: RegistryRig, objects: Objects, tmp_path: Path
) -> Iterator[Callable[..., KubeflowRegistry]]:
    """Connect to the registry, as from a machine that keeps what it downloads in a folder of this name."""

    def files() -> Any:
        keys = AccessKeys(ACCESS, SECRET)
        return ObjectFiles(ObjectStore(StoreAccess("s3", f"http://{objects.address}", keys=keys)))

    def connect(machine: str = "one", **options: Any) -> KubeflowRegistry:
        folders = StoredFolders(
            lambda: (ROOT, files()), lambda uri: (files(), uri.partition("://")[2]), tmp_path / machine
        )
        server = RegistryServer(rig.url, **{"retry": QUICK if rig.recorded else RetryPolicy(), **options})
        return opened.enter_context(closing(KubeflowRegistry(server, folders)))

    with ExitStack() as opened:
        yield connect


@pytest.fixture
def churn(request: pytest.FixtureRequest) -> str:
    """The name of a model that the registry does not have yet, the same each time."""
    return f"churn-{hashlib.sha256(_name(request).encode()).hexdigest()[:6]}"


def _name(request: pytest.FixtureRequest) -> str:
    """The name of a test, without the server that it is for."""
    name: str = request.node.name
    for server in SERVERS:
        name = name.replace(f"[{server}]", "").replace(f"[{server}-", "[").replace(f"-{server}]", "]")
    return name


def pytest_report_header() -> str:
    """Which registries the tests call."""
    return f"model registries of Kubeflow: {REAL or 'recorded'}"
