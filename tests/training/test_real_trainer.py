"""The suite of every engine against Trainer itself: see ``trainer_cluster`` for what that needs.

``KFNB_RECORD=VERSION`` keeps what was asked as the recording of that version, which ``test_recorded_trainer`` replays.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.recordings.recorder import Recorder
from tests.recordings.replay import write_recording
from tests.training.clusters import stored_at
from tests.training.recorded_trainer import LIVE, objects_in, reached, recording_of, root_of
from tests.training.trainer_cluster import RealTrainer
from tests.training.training_conformance import TrainingConformance

pytestmark = pytest.mark.slow

_numbers = count()


@pytest.fixture(scope="module")
def recording() -> Iterator[dict[str, Any]]:
    """What was recorded by test, kept where that is asked for."""
    found: dict[str, Any] = {}
    yield found
    version = os.environ.get("KFNB_RECORD")
    if version:
        write_recording(recording_of(version), found)


class TestRealTrainer(TrainingConformance):
    """TrainJobs, with Trainer's own controllers."""

    backend = "kubeflow"

    @pytest.fixture(autouse=True)
    def place(
        self,
        real: RealTrainer,
        recording: dict[str, Any],
        s3: str,
        request: pytest.FixtureRequest,
        monkeypatch: pytest.MonkeyPatch,
    ) -> Iterator[None]:
        """A namespace of a real cluster."""
        name, namespace = request.node.name, f"suite-{next(_numbers)}"
        cluster, recorder = real.in_namespace(namespace), Recorder(real.api, namespace, LIVE)
        for body in stored_at(s3, f"s3://{root_of(name)}"):
            cluster.put(body)
        with recorder.serving() as url, reached(url, monkeypatch):
            yield
        recording[name] = {"exchanges": recorder.exchanges, "objects": objects_in(s3, root_of(name))}
