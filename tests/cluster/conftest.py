"""What tests of the cluster share: a server of what a real Kubernetes said, and the users whom it knows."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from asked_kubernetes import asking
from replay_kubernetes import USERS, Replay, replaying

from kfnb.remote.kubernetes.client import Kubernetes


@pytest.fixture
def replay() -> Iterator[Replay]:
    """A server that replays the recordings, 200 times as fast."""
    with replaying(speed=200.0) as server:
        yield server


@pytest.fixture
def as_user(replay: Replay) -> Callable[[str], Kubernetes]:
    """Asks it as one of the users whom it knows."""
    return lambda user: asking(replay.url, user)


@pytest.fixture(params=USERS)
def user(request: pytest.FixtureRequest) -> str:
    """Each of the four users, from the one with all rights to the one with none."""
    return str(request.param)
