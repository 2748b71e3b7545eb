"""The public functions of kettles."""

from __future__ import annotations

import os
from pathlib import Path

from kfnb.settings import settings
from kfnb.target import backend_name
from tests.registry.kettles.engine import KettleEngine
from tests.registry.kettles.handle import KettleHandle
from tests.registry.kettles.kubeflow.engine import KubeflowKettleEngine
from tests.registry.kettles.local.engine import LocalKettleEngine
from tests.registry.kettles.model import KettleList


def engine_of(backend: str | None) -> KettleEngine:
    """The engine that goes with a backend."""
    if backend_name(backend) == "local":
        return LocalKettleEngine(Path(settings().home))
    return KubeflowKettleEngine(os.environ["KETTLES"])


def boil(name: str, *, goal: float = 100.0, seconds: float = 0.2, backend: str | None = None) -> KettleHandle:
    """Put a kettle on and return its handle at once."""
    engine = engine_of(backend)
    engine.put_on(name, goal, seconds)
    return KettleHandle(engine, name)


def kettle(name: str, *, backend: str | None = None) -> KettleHandle:
    """The kettle of that name. Raises ``BackendError``."""
    engine = engine_of(backend)
    return KettleHandle(engine, engine.get(name).name)


def kettles(*, backend: str | None = None) -> KettleList:
    """All kettles."""
    return KettleList(engine_of(backend).list())
