"""What tests of the Kubeflow backend share: a server of what a real one said."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from cluster import Kubernetes, Objects, running
from replay import HASTE, Replay, serving

from kfnb.jobs.polling import Pace
from kfnb.remote.kfp.server import KfpServer
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine


@pytest.fixture
def replay() -> Iterator[Replay]:
    """A server that replays the recordings, a hundred times as fast."""
    with serving(speed=100.0) as server:
        yield server


@pytest.fixture
def server(replay: Replay) -> KfpServer:
    """What asks it, without much patience."""
    return KfpServer(replay.url, retry=HASTE)


@pytest.fixture
def kubeflow(server: KfpServer, monkeypatch: pytest.MonkeyPatch) -> KubeflowRunEngine:
    """The backend on it, in haste too."""
    monkeypatch.setattr(KubeflowRunEngine, "polling", Pace(0.01, 0.05))
    return KubeflowRunEngine(server)


@pytest.fixture
def kubernetes() -> Iterator[Kubernetes]:
    """A Kubernetes API server that has what was recorded of pods, logs and secrets."""
    with running(Kubernetes()) as server:
        yield server


@pytest.fixture
def objects() -> Iterator[Objects]:
    """An S3 store that holds the recorded artifacts."""
    with running(Objects()) as server:
        yield server
