"""What tests of services share: models that a stand-in program serves, and the engine of this machine."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kfnb import settings as config
from kfnb.resources.models import api as models
from kfnb.resources.services.local.engine import LocalServiceEngine

STAND_IN = Path(__file__).parent / "stand_in.py"

Versions = Callable[..., models.ModelVersion]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of the test's own; its services are ended."""
    home = tmp_path / "home"
    monkeypatch.setenv("KFNB_HOME", str(home))
    config.reset()
    yield home
    engine = LocalServiceEngine(home)
    for service in engine.list():
        engine.delete(service.name)
    config.reset()


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deployment folders have the stand-in for the program."""

    def write(source: Path, target: Path) -> None:
        shutil.copytree(source, target, dirs_exist_ok=True)
        shutil.copyfile(STAND_IN, target / "serve.py")
        (target / "kfnb_server").mkdir()
        (target / "kfnb_server" / "request_log.py").touch()  # it may be asked to keep requests

    monkeypatch.setattr("kfnb.server.deployment.write", write)


@pytest.fixture
def version(home: Path, tmp_path: Path, stand_in: None) -> Versions:
    """Registers a version of a model that the stand-in serves, by its behaviour; ``model`` is the model's name."""
    count = 0

    def registered(model: str = "churn", **behaviour: object) -> models.ModelVersion:
        nonlocal count
        count += 1
        folder = tmp_path / f"model-{count}"
        folder.mkdir()
        (folder / "model.txt").write_text(f"tree\n{count}\n")
        (folder / "kfnb_model.json").write_text(json.dumps({"format": "lightgbm", "file": "model.txt"}))
        requirements = behaviour.pop("requirements", "")
        if requirements:
            (folder / "requirements.txt").write_text(f"{requirements}\n")
        (folder / "behaviour.json").write_text(json.dumps({"offset": count * 100, **behaviour}))
        return models.register(folder, model)

    return registered


@pytest.fixture
def engine(home: Path) -> LocalServiceEngine:
    """The engine."""
    return LocalServiceEngine(home)
