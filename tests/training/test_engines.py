"""The suite of every engine of trainings: this machine's launcher, and TrainJobs on clusters, simulated and real."""

from __future__ import annotations

import pytest

from tests.training.simulated_trainer import Trainer
from tests.training.trainer_cluster import RealTrainer
from tests.training.training_conformance import TrainingConformance


class TestHere(TrainingConformance):
    """The launcher of this machine."""

    backend = "local"


class TestSimulatedTrainer(TrainingConformance):
    """TrainJobs, with simulated controllers."""

    backend = "kubeflow"

    @pytest.fixture(autouse=True)
    def place(self, simulation: Trainer) -> None:
        """A simulated cluster."""


@pytest.mark.slow
class TestRealTrainer(TrainingConformance):
    """TrainJobs, with Trainer's own controllers: see ``trainer_cluster``."""

    backend = "kubeflow"

    @pytest.fixture(autouse=True)
    def place(self, real_namespace: RealTrainer) -> None:
        """A namespace of a real cluster."""
