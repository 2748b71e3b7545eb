"""What tests against a real Kubernetes share: the API server, a namespace in it, and users with fewer and fewer rights.

The server is started here from ``KUBEBUILDER_ASSETS``, or is that of the kubeconfig ``KFNB_TEST_KUBECONFIG``, whose
user must be an administrator. Without either, the tests are skipped.
"""

import os
import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from api_server import CLUSTER, ApiServer
from real_cluster import CRDS, Cluster

from kfnb.remote.kubernetes.client import Kubernetes


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker has them all: the server takes longer to start than most tests."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("kubernetes"))


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """An API server of our own, which tests may stop and start."""
    if os.environ.get(CLUSTER):
        pytest.skip(f"stops an API server, and that of {CLUSTER} is not ours")
    server = ApiServer(tmp_path_factory.mktemp("kubernetes"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with Kubeflow's resources, and a namespace for these tests."""
    if not CRDS.is_dir():
        pytest.skip(
            "the definitions of Kubeflow's resources are not beside the project: ../shared/kubeflow/crds"
        )
    given = os.environ.get(CLUSTER)
    config = Path(given) if given else request.getfixturevalue("api_server").kubeconfig
    made = Cluster(config, f"kfnb-test-{secrets.token_hex(3)}", tmp_path_factory.mktemp("users"))
    yield made
    made.remove()


@pytest.fixture(scope="session")
def as_user(cluster: Cluster) -> Callable[[str], Kubernetes]:
    """Asks the cluster as ``admin``, or as ``editor``, ``viewer`` or ``nobody`` of the namespace."""
    return cluster.asked_by


@pytest.fixture
def namespace(cluster: Cluster) -> str:
    """The namespace in which the users have their rights."""
    return cluster.namespace
