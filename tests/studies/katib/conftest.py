"""What tests of Katib share: a small cluster with Katib in it, and the engine that asks it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "cluster"))
sys.path.insert(0, str(Path(__file__).parent))

from asked_kubernetes import asking
from katib_server import NAMESPACE, KatibServer, katib_server

from kfnb.resources.studies.katib import KatibStudyEngine, connect


@pytest.fixture
def katib() -> Iterator[KatibServer]:
    """A cluster with Katib."""
    with katib_server() as server:
        yield server


@pytest.fixture
def engine(katib: KatibServer) -> KatibStudyEngine:
    """The engine that asks it; there is no DB manager."""
    return connect(asking(katib.url), NAMESPACE)
