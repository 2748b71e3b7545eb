"""Kubeflow's Model Registry does what every registry does; what it is called with, others can read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from model_registry_rig import RegistryRig
from registry_conformance import RegistryConformance

from kfnb.resources.models.kubeflow import KubeflowRegistry


class TestKubeflowRegistry(RegistryConformance):
    """As recorded from both servers; see ``model_registry_rig`` for real ones."""

    @pytest.fixture
    def registry(self, connected: Callable[..., KubeflowRegistry], rig: RegistryRig) -> KubeflowRegistry:
        self.one_order = rig.recorded
        return connected()

    @pytest.fixture
    def another(self, connected: Callable[..., KubeflowRegistry]) -> KubeflowRegistry:
        return connected("another")

    @pytest.fixture
    def churn(self, churn: str) -> str:
        return churn
