"""What tests of backends share. The folder's helpers (running, steps, replay) are importable by name from its tests."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kfnb import entities
from kfnb.resources.runs.local import LocalRunEngine

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "kubeflow"))  # the recordings, and what serves them


@pytest.fixture
def backend(tmp_path: Path) -> LocalRunEngine:
    """A local backend whose home is this test's own."""
    return LocalRunEngine(tmp_path / "home", jobs=4)


@pytest.fixture
def run_pipeline(backend: LocalRunEngine, tmp_path: Path) -> Callable[..., entities.RunSnapshot]:
    """Run a pipeline to its end, with these arguments."""
    from local_runs import submission, wait

    def run(
        pipeline: Any, *, cache: bool = False, folder: Path = tmp_path, **arguments: Any
    ) -> entities.RunSnapshot:
        return wait(backend, backend.submit(submission(pipeline, folder, cache, **arguments)))

    return run


@pytest.fixture(params=["linux", pytest.param("portable", marks=pytest.mark.slow)])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of starting the processes of tasks: see ``kfnb.jobs.system``."""
    monkeypatch.setenv("KFNB_PORTABLE", "1" if request.param == "portable" else "")
    return str(request.param)
