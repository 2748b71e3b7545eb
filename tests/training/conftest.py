"""Clusters with Trainer, simulated and real, and the object store of their runs."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.training.clusters import use
from tests.training.simulated_trainer import ClusterUnderTest, Trainer, simulated
from tests.training.trainer_cluster import Node, RealTrainer, TrainerCluster

_numbers = count()


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of an S3 server that has a bucket called ``bucket``."""
    server_module = pytest.importorskip("moto.server")
    server = server_module.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/bucket", method="PUT")):
        pass
    yield f"{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealTrainer]:
    """Trainer itself on a real API server, with a node of this machine; see ``trainer_cluster``."""
    running = TrainerCluster(tmp_path_factory.mktemp("trainer"))
    node = Node(running, tmp_path_factory.mktemp("node"))
    try:
        yield RealTrainer(running, node)
    finally:
        node.close()
        running.close()


@pytest.fixture
def simulation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3: str) -> Iterator[Trainer]:
    """A simulated cluster with Trainer, its runtimes, and the object store of the namespace's runs."""
    with simulated(tmp_path / "cluster") as found:
        use(found, s3, f"team-{next(_numbers)}", monkeypatch)
        yield found


@pytest.fixture
def real_namespace(real: RealTrainer, monkeypatch: pytest.MonkeyPatch, s3: str) -> RealTrainer:
    """A namespace of a real cluster, with the same."""
    namespace = f"team-{next(_numbers)}"
    found = real.in_namespace(namespace)
    use(found, s3, namespace, monkeypatch)
    return found


@pytest.fixture(params=["simulation", pytest.param("real_namespace", marks=pytest.mark.slow)])
def cluster(request: pytest.FixtureRequest) -> ClusterUnderTest:
    """A cluster with Trainer, simulated or real."""
    found: ClusterUnderTest = request.getfixturevalue(request.param)
    return found
