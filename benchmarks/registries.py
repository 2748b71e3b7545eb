"""The model registry: to open it, to register a version, and the leaderboard of very many versions."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Measured, in_turn
from tests.models.many_versions import fill

VERSIONS, USERS = 10_000, 50
ROUNDS = 15


def registries() -> Iterator[Measured]:
    """In a folder of this machine."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _registering(Path(folder))
        yield from _ranking(Path(folder))


def _registering(folder: Path) -> Iterator[Measured]:
    import kfnb
    from kfnb.resources.models.local.engine import LocalRegistry
    from kfnb.settings import settings

    numbers = itertools.count()
    facts = json.dumps({"format": "skops", "file": "model.skops"})

    def made() -> Path:
        model = folder / f"model-{next(numbers)}"
        model.mkdir()
        (model / "model.skops").write_bytes(os.urandom(100_000))
        (model / "kfnb_model.json").write_text(facts)
        return model

    def opened() -> float:
        start = time.perf_counter()
        LocalRegistry(folder / f"registry-{next(numbers)}").models()
        return time.perf_counter() - start

    settings().registry = str(folder / "registry")
    kfnb.register(made(), "churn")  # the registry is there, and kfnb is imported

    def registered() -> float:
        model = made()
        start = time.perf_counter()
        kfnb.register(model, "churn")
        return time.perf_counter() - start

    def copied() -> float:
        model = made()
        start = time.perf_counter()
        copy = shutil.copytree(model, folder / f"copy-{next(numbers)}")
        for file in Path(copy).iterdir():
            with file.open("rb") as content:
                os.fsync(content.fileno())
        return time.perf_counter() - start

    try:
        opening, registering, copying = in_turn(ROUNDS, opened, registered, copied)
    finally:
        settings().registry = ""
    yield Measured("the model registry is created and opened", opening, "5 ms")
    yield Measured(
        "a version of 100 kB is registered", registering, "5 ms more", copying, "written to the disk"
    )


def _ranking(folder: Path) -> Iterator[Measured]:
    from kfnb.resources.models import api
    from kfnb.resources.models.view.leaderboard import draw_leaderboard
    from kfnb.settings import settings

    settings().registry = str(folder / "large")
    fill(folder / "large", versions=VERSIONS, users=USERS)

    def ranked() -> float:
        start = time.perf_counter()
        assert len(api.models()) == VERSIONS
        return time.perf_counter() - start

    def drawn() -> float:
        start = time.perf_counter()
        draw_leaderboard(api.models().snapshot())
        return time.perf_counter() - start

    try:
        ranking, drawing = in_turn(ROUNDS, ranked, drawn)
    finally:
        settings().registry = ""
    yield Measured(f"kfnb.models(), {VERSIONS:,} versions of {USERS} users", ranking, "0.1 s")
    yield Measured(f"%kf_models, {VERSIONS:,} versions of {USERS} users", drawing, "0.5 s")
