"""The suite of every engine against Trainer's own controllers, as they were recorded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.recordings.replay import recorded
from tests.services.object_server import serving
from tests.training.clusters import stored_at
from tests.training.recorded_trainer import RecordedTrainer, put_objects, reached, recording_of, root_of
from tests.training.training_conformance import TrainingConformance


class _Recorded(TrainingConformance):
    backend, trainer = "kubeflow", ""

    @pytest.fixture(autouse=True)
    def place(
        self, s3: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[None]:
        """This test's recording."""
        name = request.node.name
        found = recorded(recording_of(self.trainer))[name]
        server = RecordedTrainer(found["exchanges"])
        put_objects(s3, found["objects"])
        for body in stored_at(s3, f"s3://{root_of(name)}"):
            server.put(f"{body['kind'].lower()}s", body)
        with serving(server) as url, reached(url, monkeypatch):
            yield
        assert server.surprises == []
        assert server.left == []


class TestTrainer22(_Recorded):
    """Trainer 2.2."""

    trainer = "2.2"


class TestTrainer23(_Recorded):
    """Trainer 2.3."""

    trainer = "2.3"
